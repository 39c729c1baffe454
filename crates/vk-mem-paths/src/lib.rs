//! Host-to-host data paths of `gpu-executor`: buffers by direction, the
//! planner, the chunker and the one transfer loop.
//!
//! ```text
//! jobs -> planned (path, chunk, depth) -> loop over chunks -> results + stats
//!           loop: copy in | upload | kernel | download | copy out
//! ```
//!
//! The paths are one loop with three knobs: *path* (whether the kernel works
//! on host memory, on device memory with copies around it, or on device memory
//! that the host writes through the bus), *chunk*
//! (elements per slot) and *depth* (slots in flight; 1 is sequential). Chunks
//! are cut from all jobs as one stream of work, so one huge job, many small
//! ones and any mixture keep every slot busy. The loop is one thread, the
//! caller's; a crew of threads shares its copies.
//!
//! A [`PinnedBuffer`] is host memory that the device works on in place;
//! [`PinnedTransfer`] runs kernels over such buffers, and the host copies
//! nothing.
//!
//! A [`Lane`] is for what stays on the device between calls: it runs batches of
//! [`Step`]s on [`Storage`] in one submission each.
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
    Downloads, Finished, Lane, Step, Submitted, TransferOptions, Uploads, most_dispatched,
};
pub use memory::{
    Access, AllocatedMemory, BatchMemory, Block, MemoryUse, Region, Storage, StoragePool,
    rank_memory_types,
};
pub use runs::{
    DEFAULT_CHUNK, Effort, Job, Measured, Packing, PathChoice, PinnedBuffer, PinnedTransfer, Plan,
    Request, Span, StageKind, StageTimes, Stats, Strategy, Transfer, TransferPath, Tuning,
    Workload, fastest_of, plan, plan_pinned,
};
pub use threads::{CheckedCopy, Element, ThreadPool, advise_huge_pages};
