//! Runs of a kernel over the caller's memory, chunk by chunk: from host to host, and over
//! buffers that host and device share.

mod calibrate;
mod chunks;
mod host_buffers;
mod limits;
mod plan;
mod request;
mod slot;
mod stats;
mod timeline;
mod transfer;
mod tuning;

pub use calibrate::Effort;
pub use chunks::{Job, Packing};
pub use host_buffers::{HostBuffer, HostBufferRuns};
pub use plan::Plan;
pub(crate) use plan::plan;
pub(crate) use request::Workload;
pub use request::{PathChoice, Request, TransferPath};
pub use stats::{StageTimes, Stats};
pub use timeline::{Span, StageKind};
pub use transfer::Transfer;
pub use tuning::{Measured, Strategy, Tuning};
