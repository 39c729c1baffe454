//! The one error type of this crate.

use std::fmt::Display;

use crate::Refused;

/// What went wrong between the caller's slices and the finished results.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The context below reported it.
    #[error(transparent)]
    Vulkan(#[from] vk_core::Error),
    /// A job's slices do not fit together.
    #[error("job {job}: expected {what} of {expected} bytes, found {found}")]
    InvalidJob {
        /// The job's position in the batch, from 0.
        job: usize,
        /// Which slice.
        what: &'static str,
        /// Its length as it should be, in bytes.
        expected: usize,
        /// Its length, in bytes.
        found: usize,
    },
    /// The check of the inputs refused an element
    /// ([`ElementFormat::check`](crate::ElementFormat::check)).
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No memory type of the device fits a purpose.
    #[error("no memory type fits {purpose}; the device has {found}")]
    NoMemoryType {
        /// What the memory is for.
        purpose: String,
        /// The types there are.
        found: String,
    },
    /// No heap of the device had room for a buffer.
    #[error(
        "out of device memory for {purpose}: {requested} bytes requested, {available} available in a heap of {heap}"
    )]
    OutOfDeviceMemory {
        /// What the memory is for.
        purpose: String,
        /// The size of the buffer, in bytes.
        requested: u64,
        /// What the allocator believes to be left of the heap, in bytes; other
        /// processes may have taken some of it.
        available: u64,
        /// The size of the heap, in bytes.
        heap: u64,
    },
    /// The system had no memory for the host's side of something.
    #[error("out of host memory for {purpose}: {requested} bytes requested")]
    OutOfHostMemory {
        /// What the memory is for.
        purpose: String,
        /// Bytes requested.
        requested: u64,
    },
    /// A kernel was made for another device than the one it is to run on.
    #[error("expected a kernel made for {expected}, found one made for {found}")]
    ForeignKernel {
        /// The device of the transfer loop.
        expected: String,
        /// The device of the kernel.
        found: String,
    },
    /// A host buffer was made for another device than the one it is to be
    /// used on.
    #[error(
        "expected {what} in a buffer made by this backend for {expected}, found one made by another \
         or before the device was lost, for {found}"
    )]
    ForeignBuffer {
        /// Which operand.
        what: &'static str,
        /// The device of the run.
        expected: String,
        /// The device of the buffer.
        found: String,
    },
    /// The threads that copy on the host could not be started.
    #[error("cannot start {threads} threads: {detail}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the operating system said.
        detail: String,
    },
    /// A step of this crate broke its own contract: a bug, please report it.
    #[error("internal error in the data path (please report it): {what}")]
    Internal {
        /// What was expected and what was found.
        what: String,
    },
}

impl Error {
    /// A bug of this crate.
    pub(crate) fn internal(expected: impl Display, found: impl Display) -> Self {
        let what = format!("expected {expected}, found {found}");
        Self::Internal { what }
    }

    /// Whether a run that takes less memory of the device may succeed.
    #[must_use]
    pub fn is_out_of_device_memory(&self) -> bool {
        matches!(
            self,
            Self::OutOfDeviceMemory { .. } | Self::Vulkan(vk_core::Error::OutOfDeviceMemory { .. })
        )
    }
}
