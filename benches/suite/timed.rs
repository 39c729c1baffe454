//! Batches on storage of the device, timed: what the limits and the kernels alone are
//! measured by.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use vk_core::Device;
use vk_mem_paths::{Error, Lane, Step, TransferOptions};

/// A lane whose batches are timed.
pub(crate) struct Timed(Lane);

impl Timed {
    /// On `device`, with memory of its own.
    pub(crate) fn new(device: &Arc<Device>) -> Result<Self, Error> {
        let options = TransferOptions {
            timestamps: true,
            ..TransferOptions::default()
        };
        Ok(Self(Lane::on(device, options)?))
    }

    /// The lane, for its storage and the ways to it.
    pub(crate) fn lane(&self) -> &Lane {
        &self.0
    }

    /// Runs `steps` and returns how long they took: by the device's own clock where it has
    /// one, else by the host's around the submission and the wait.
    ///
    /// # Safety
    /// As [`Lane::submit`].
    pub(crate) unsafe fn run(&mut self, steps: &[Step]) -> anyhow::Result<Duration> {
        let start = Instant::now();
        // SAFETY: this function's contract.
        let submitted = unsafe { self.0.submit(steps, &[])? };
        submitted.wait(self.0.wait_policy())?;
        let by_host = start.elapsed();
        self.0.reap()?;
        let finished = submitted
            .finished()
            .context("a complete batch left nothing")?;
        let by_device = finished.map_err(Clone::clone)?.device_time;
        // A clock too coarse to see the steps would make them infinitely fast.
        Ok(by_device.filter(|time| !time.is_zero()).unwrap_or(by_host))
    }
}
