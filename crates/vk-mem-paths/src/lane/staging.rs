//! Staging memory for one direction: buffers in turns, so that the host fills or empties one
//! while the device copies another, and has the next one waiting.

use std::sync::Arc;

use vk_core::{Device, WaitPolicy};

use super::batch::{Batch, Life};
use super::step::Step;
use crate::Error;
use crate::memory::Region;

/// Bytes of one buffer at most: long enough for the copy's speed to show, short
/// enough for the first one not to keep the device waiting.
pub(super) const STAGING_BYTES: usize = 16 << 20;
/// Buffers in turns: the host's, the device's, and one that keeps either from waiting for the
/// other.
pub(super) const BUFFERS: usize = 3;

/// The buffers of one direction, made when they are first used.
pub(super) struct Staging<B> {
    buffers: Vec<StagingBuffer<B>>,
    device: Arc<Device>,
    wait: WaitPolicy,
}

/// Memory that the host reaches, and the batch that names it.
pub(super) struct StagingBuffer<B> {
    pub(super) memory: B,
    bytes: usize,
    batch: Batch,
    wait: WaitPolicy,
}

impl<B> Staging<B> {
    pub(super) fn new(device: &Arc<Device>, wait: WaitPolicy) -> Self {
        Self {
            buffers: Vec::new(),
            device: Arc::clone(device),
            wait,
        }
    }

    /// Makes buffers of `bytes` bytes or more, where there are none yet.
    pub(super) fn prepare(
        &mut self,
        bytes: usize,
        make: impl Fn(usize) -> Result<B, Error>,
    ) -> Result<(), Error> {
        let fits = |buffer: &StagingBuffer<B>| buffer.bytes >= bytes;
        if !self.buffers.is_empty() && self.buffers.iter().all(fits) {
            return Ok(());
        }
        for buffer in &mut self.buffers {
            buffer.batch.wait(self.wait)?;
        }
        self.buffers.clear();
        // All or none: with fewer, one would be filled while it is emptied.
        let buffer = |_| {
            Ok(StagingBuffer {
                memory: make(bytes)?,
                bytes,
                batch: Batch::new(&self.device, None)?,
                wait: self.wait,
            })
        };
        self.buffers = (0..BUFFERS).map(buffer).collect::<Result<_, Error>>()?;
        Ok(())
    }

    /// Lets go of blocks that complete submissions named. What cannot be looked at stays.
    pub(super) fn let_go(&mut self) {
        for buffer in &mut self.buffers {
            let _ = buffer.batch.is_complete();
        }
    }

    /// The buffer whose turn it is, once the host may touch its memory.
    ///
    /// # Errors
    /// [`Error::Internal`] before [`Self::prepare`] has succeeded, else as [`Device::wait`].
    pub(super) fn settled(&mut self, number: usize) -> Result<&mut StagingBuffer<B>, Error> {
        let turn = number % self.buffers.len().max(1);
        let buffer = self
            .buffers
            .get_mut(turn)
            .ok_or_else(|| Error::internal("staging memory that is prepared", "none"))?;
        buffer.batch.wait(self.wait)?;
        Ok(buffer)
    }
}

impl<B> StagingBuffer<B> {
    /// Submits steps that use the buffer's memory, or some beside those; with `result`, what
    /// of it they write for the host to read.
    ///
    /// # Safety
    /// The host touches the memory only once the buffer is settled again. Dispatches stay
    /// inside the regions that they name, with the access that they name.
    pub(super) unsafe fn submit(
        &mut self,
        steps: &[Step],
        result: Option<&Region>,
    ) -> Result<(), Error> {
        let results = result.cloned();
        // SAFETY: this function's contract.
        unsafe {
            self.batch
                .record(Life::Once, &[(None, steps)], results.as_slice())?
        };
        // SAFETY: this function's contract.
        unsafe { self.batch.submit(self.wait).map(drop) }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use vk_core::testing::{device_under_test, lose};

    use super::*;
    use crate::memory::{Memory, ReadbackBuffer};

    const WAIT: WaitPolicy = WaitPolicy::NONE;

    /// With one buffer alone a download would overwrite what it has not copied yet.
    #[test]
    fn a_buffer_that_cannot_be_made_leaves_none() {
        let (_guard, physical) = device_under_test().unwrap();
        let device = Device::new(&physical).unwrap();
        let memory = Memory::new(&device).unwrap();
        let (mut staging, made) = (Staging::new(&device, WAIT), Cell::new(0));
        let make = |bytes| {
            made.set(made.get() + 1);
            match made.get() {
                2 => Err(Error::internal("memory", "none")),
                _ => ReadbackBuffer::new(&memory, bytes),
            }
        };
        assert!(staging.prepare(4096, make).is_err());
        assert_eq!(staging.buffers.len(), 0);
        staging.prepare(4096, make).unwrap();
        assert_eq!(staging.buffers.len(), BUFFERS);
        // They serve what is smaller, too.
        staging.prepare(64, make).unwrap();
        assert_eq!(made.get(), 2 + BUFFERS);
    }

    /// The driver may have a submission that failed with the loss.
    #[test]
    fn a_lost_device_keeps_the_buffers() {
        let (_guard, physical) = device_under_test().unwrap();
        let device = Device::new(&physical).unwrap();
        let memory = Memory::new(&device).unwrap();
        let mut staging = Staging::new(&device, WAIT);
        let make = |bytes| ReadbackBuffer::new(&memory, bytes);
        staging.prepare(64, make).unwrap();
        lose(&device);
        let error = staging.prepare(4096, make).unwrap_err();
        assert!(matches!(
            error,
            Error::Vulkan(vk_core::Error::DeviceLost { .. })
        ));
        assert_eq!(staging.buffers[0].bytes, 64);
    }
}
