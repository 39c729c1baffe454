//! Runs over buffers that host and device share: the host copies nothing.
//!
//! The *direct* path ([`TransferPath::HostVisible`](crate::TransferPath)) lets the kernel read
//! and write the shared memory itself. The *staged* path
//! ([`TransferPath::DeviceLocal`](crate::TransferPath)) has the device copy each chunk to its
//! own memory and back. A chunk is one dispatch and is recorded once: its
//! commands are kept for the next run over the same buffers.
//!
//! # Safety
//!
//! What a submission names is held by its batch ([`lane::batch`](crate::lane)). While it is
//! in flight, nobody else may see the memory that it writes. A [`RecordedRun`](recorded::RecordedRun) is
//! the batches of one run.
//!
//! 1. Device writes go to the memory of `out` (and to scratch memory, which
//!    the host never sees): kernels that do not promise it are refused, and
//!    beyond that SPIR-V is code that the caller vouches for. A run takes that memory out of its
//!    [`HostBuffer`] before its first submission and puts it back only when
//!    all of them are complete. So the slices that a `HostBuffer` hands out
//!    never alias a device write: after a timeout or a loss, as after a panic
//!    in between, the buffer is empty and its memory is the batches'.
//! 2. Between runs a recorded run holds no operand, so that dropping a buffer frees it.
//! 3. The host may write inputs that a submission given up still reads. What
//!    that submission computes is seen by nobody (rule 1).
//! 4. Recorded runs share scratch memory. While one is still in flight `settle` forgets
//!    every other, and the scratch memory, so that what is recorded next has its own.

mod buffer;
mod plan;
mod recorded;
mod runs;
#[cfg(test)]
mod tests;

pub use buffer::HostBuffer;
pub use runs::HostBufferRuns;
