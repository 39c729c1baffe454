//! A batch that was submitted, and what it left on the host.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use vk_core::{Device, Ticket, WaitPolicy};

use crate::Error;
use crate::buffers::ReadbackBuffer;

/// A batch in flight, or one that is complete.
#[derive(Clone)]
pub struct Submitted {
    pub(super) device: Arc<Device>,
    pub(super) ticket: Ticket,
    pub(super) outcome: Arc<Outcome>,
}

/// What a batch left: set once, when its frame is found to be complete.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) finished: OnceLock<Result<Finished, Error>>,
    // The readback memory, until it is read or the frame takes it back.
    pub(super) readback: Mutex<Option<Readback>>,
}

/// Memory that a batch copies to at its end, and where in it.
pub(super) struct Readback {
    pub(super) buffer: ReadbackBuffer,
    pub(super) capacity: usize,
    pub(super) ranges: Vec<std::ops::Range<usize>>,
}

/// What a batch left on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// The bytes of each region that was to be read, in their order.
    pub reads: Vec<Vec<u8>>,
    /// How long it took on the device; `None` unless timestamps are on and the
    /// queue has them.
    pub device_time: Option<Duration>,
}

impl Submitted {
    /// Waits until it is complete.
    ///
    /// # Errors
    /// As [`Device::wait`].
    pub fn wait(&self, policy: WaitPolicy) -> Result<(), Error> {
        Ok(self.device.wait(self.ticket, policy)?)
    }

    /// Whether it is complete, without waiting.
    ///
    /// # Errors
    /// [`vk_core::Error::DeviceLost`], else what the driver returned.
    pub fn is_complete(&self) -> Result<bool, Error> {
        Ok(self.device.is_complete(self.ticket)?)
    }

    /// What it left, or why that could not be read; `None` before
    /// [`Lane::reap`](super::Lane::reap) has found it complete.
    #[must_use]
    pub fn finished(&self) -> Option<Result<&Finished, &Error>> {
        self.outcome.finished.get().map(Result::as_ref)
    }
}

impl Outcome {
    /// Reads what the batch copied to the host, and gives the memory back. What fails
    /// is told to whoever asks for what the batch left.
    ///
    /// # Safety
    /// The batch is complete.
    pub(super) unsafe fn collect(
        &self,
        device_time: Result<Option<Duration>, Error>,
    ) -> Option<(ReadbackBuffer, usize)> {
        let taken = self.readback.lock();
        let taken = taken.unwrap_or_else(PoisonError::into_inner).take();
        let finished = device_time.and_then(|device_time| {
            let mut reads = Vec::new();
            if let Some(readback) = &taken {
                for range in &readback.ranges {
                    // SAFETY: the batch wrote all of the range, ended with the
                    // barrier to the host, and is complete.
                    reads.push(unsafe { readback.buffer.read(range)? }.to_vec());
                }
            }
            Ok(Finished { reads, device_time })
        });
        // Collected once: whoever was first took the memory.
        let _ = self.finished.set(finished);
        taken.map(|readback| (readback.buffer, readback.capacity))
    }
}

impl std::fmt::Debug for Submitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submitted")
            .field("ticket", &self.ticket)
            .field("finished", &self.finished().is_some())
            .finish_non_exhaustive()
    }
}
