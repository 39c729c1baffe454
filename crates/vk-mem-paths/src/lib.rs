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

mod buffers;
mod calibrate;
mod chunk;
mod chunks;
mod crew;
mod drive;
mod error;
mod fastest_of;
mod fresh;
mod host_copy;
mod lane;
mod layout;
mod limits;
mod memory;
mod pinned;
mod placement;
mod plan;
mod request;
mod slot;
mod stats;
mod timeline;
mod transfer;
mod tuning;
mod work;

pub use calibrate::Effort;
pub use chunks::{Chunk, Chunks, Packing, Segment};
pub use crew::Crew;
pub use error::Error;
pub use fastest_of::fastest_of;
pub use fresh::advise_huge_pages;
pub use lane::{
    Access, BatchMemory, Downloads, Finished, Lane, Region, Step, Storage, StoragePool, Submitted,
    Uploads,
};
pub use memory::{AllocatedMemory, Block};
pub use pinned::{PinnedBuffer, PinnedPlan, PinnedTransfer, plan_pinned};
pub use placement::{MemoryUse, rank_memory_types};
pub use plan::{DEFAULT_CHUNK, Plan, plan};
pub use request::{CheckedCopy, Element, PathChoice, Request, TransferPath, Workload};
pub use stats::{StageTimes, Stats};
pub use timeline::{Span, StageKind};
pub use transfer::{Job, Transfer, TransferOptions};
pub use tuning::{Measured, Strategy, Tuning};
