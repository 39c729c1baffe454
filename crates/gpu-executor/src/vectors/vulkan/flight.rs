//! A batch on the device, and what it left there.

use std::sync::{Arc, Mutex};

use vk_core::WaitPolicy;
use vk_mem_paths::Submitted;

use super::readbacks::Readbacks;
use super::{Inner, lock};
use crate::Error;
use crate::vectors::runner::{Flight, Left, internal};

/// A batch that was submitted to a lane.
pub(super) struct DeviceFlight {
    pub(super) inner: Arc<Mutex<Inner>>,
    pub(super) submitted: Submitted,
    pub(super) readbacks: Readbacks,
    pub(super) wait: WaitPolicy,
}

impl Flight for DeviceFlight {
    fn is_complete(&self) -> Result<bool, Error> {
        Ok(self.submitted.is_complete()?)
    }

    fn wait(&self) -> Result<(), Error> {
        // Without the lane's lock: others submit meanwhile.
        Ok(self.submitted.wait(self.wait)?)
    }

    fn left(&self) -> Result<Left, Error> {
        lock(&self.inner).lane.reap()?;
        let finished = self.submitted.finished();
        let finished = finished
            .ok_or_else(|| internal("a complete submission"))?
            .map_err(Clone::clone)?;
        Ok(self.readbacks.left(&finished.reads, finished.device_time))
    }
}
