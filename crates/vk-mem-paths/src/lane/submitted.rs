//! A batch that was submitted, and what it left on the host.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use vk_core::{Device, Ticket, WaitPolicy};

use crate::Error;

/// A batch in flight, or one that is complete.
#[derive(Clone)]
pub struct Submitted {
    pub(super) device: Arc<Device>,
    pub(super) ticket: Ticket,
    pub(super) outcome: Arc<Outcome>,
}

/// What a batch left: set once, when it is found to be complete.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) finished: OnceLock<Result<Finished, Error>>,
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

impl std::fmt::Debug for Submitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submitted")
            .field("ticket", &self.ticket)
            .field("finished", &self.finished().is_some())
            .finish_non_exhaustive()
    }
}
