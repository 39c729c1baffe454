//! Memory that a device reaches, and the work that goes over it.
//!
//! Four rooms, each of which knows those before it:
//!
//! - `threads`: the host's threads, and what they copy. [`ThreadPool`].
//! - `memory`: blocks of memory by what they are for, and a pool of them. [`Storage`].
//! - `lane`: what is submitted: [`Step`]s, recorded into a batch that holds what it names
//!   until it is complete. A [`Lane`] runs batches on what stays on the device between
//!   calls; [`Uploads`] and [`Downloads`] are the ways there and back.
//! - `runs`: a kernel over the caller's memory, chunk by chunk. A [`Transfer`] takes jobs
//!   from host to host; [`HostBufferRuns`] works on [`HostBuffer`]s in place, and the host
//!   copies nothing.
//!
//! ```text
//! jobs -> planned (path, chunk, depth) -> loop over chunks -> results + stats
//!           loop: copy in | upload | kernel | download | copy out
//! ```
//!
//! A run is one loop with three knobs: *path* (whether the kernel works on host memory, on
//! device memory with copies around it, or on device memory that the host writes through
//! the bus), *chunk* (elements per slot) and *depth* (slots in flight; 1 is sequential).
//! Chunks are cut from all jobs as one stream of work, so one huge job, many small ones and
//! any mixture keep every slot busy. The loop is one thread, the caller's; a thread pool
//! shares its copies.
//!
//! This crate creates no pipelines and knows no field: an element is a number
//! of bytes, and a kernel is whatever [`vk_core::ComputePipeline`] was made.

mod error;
mod lane;
mod memory;
mod runs;
mod threads;

pub use error::Error;
pub use lane::{
    Downloads, Finished, Lane, Read, Step, Submitted, TransferOptions, Uploads, most_dispatched,
};
pub use memory::{
    Access, AllocatedMemory, BatchMemory, Block, MemoryUse, Region, Storage, StoragePool,
    rank_memory_types,
};
pub use runs::{
    Effort, HostBuffer, HostBufferRuns, Job, Measured, Packing, PathChoice, Plan, Request, Span,
    StageKind, StageTimes, Stats, Strategy, Transfer, TransferPath, Tuning,
};
pub use threads::{CheckedCopy, ElementFormat, Least, Refused, ThreadPool, advise_huge_pages};
