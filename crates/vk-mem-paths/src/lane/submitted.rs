//! A batch that was submitted, and what it left on the host.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use vk_core::{Device, Ticket, WaitPolicy, lock};

use crate::Error;
use crate::memory::{Memory, ReadbackBuffer};

/// Readback buffers that are kept for the next batch.
const KEPT: usize = 8;

/// A batch in flight, or one that is complete.
#[derive(Clone)]
pub struct Submitted {
    pub(super) device: Arc<Device>,
    pub(super) ticket: Ticket,
    pub(super) outcome: Arc<Outcome>,
}

/// What a batch left: set once, when it is found to be complete.
pub(super) type Outcome = OnceLock<Result<Finished, Error>>;

/// What a batch left on the host.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// What each region held that was to be read, in their order.
    pub reads: Vec<Read>,
    /// How long it took on the device; `None` unless timestamps are on and the
    /// queue has them.
    pub device_time: Option<Duration>,
}

/// Bytes that a batch copied to the host, in the memory that it copied them to: another batch
/// has that once nobody holds any of them.
#[derive(Clone)]
pub struct Read {
    from: Arc<Lent>,
    range: Range<usize>,
}

impl Read {
    /// The bytes.
    ///
    /// # Errors
    /// What making them visible to the host returned; [`vk_core::Error::Forked`].
    pub fn bytes(&self) -> Result<&[u8], Error> {
        let device = self.from.free.memory.device();
        if device.is_inherited() {
            // The driver's memory may not have come along.
            device.expect_alive()?;
        }
        // SAFETY: written by a batch that ended with the barrier to the host and is complete
        // (contract of `FreeReadbacks::lend`), and lent until this is dropped.
        unsafe { self.from.buffer.read(&self.range) }
    }
}

/// Readback memory that goes back to the free one.
struct Lent {
    buffer: ReadbackBuffer,
    free: Arc<FreeReadbacks>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        // The lock may be held, for ever, by a thread that a fork left behind.
        if self.free.memory.device().is_inherited() {
            return;
        }
        let mut free = lock(&self.free.buffers);
        if free.len() < KEPT {
            free.push(self.buffer.clone());
        }
    }
}

/// Readback memory that neither a batch nor a reader has.
pub(super) struct FreeReadbacks {
    memory: Arc<Memory>,
    buffers: Mutex<Vec<ReadbackBuffer>>,
}

impl FreeReadbacks {
    pub(super) fn new(memory: &Arc<Memory>) -> Arc<Self> {
        Arc::new(Self {
            memory: Arc::clone(memory),
            buffers: Mutex::default(),
        })
    }

    /// The smallest that has so many bytes, or a new one.
    pub(super) fn take(&self, bytes: usize) -> Result<ReadbackBuffer, Error> {
        let mut free = lock(&self.buffers);
        let fits = free.iter().enumerate();
        let fits = fits.filter(|(_, it)| it.bytes() >= bytes);
        let smallest = fits.min_by_key(|(_, it)| it.bytes());
        let place = smallest.map(|(place, _)| place);
        let known = place.map(|place| free.swap_remove(place));
        drop(free);
        known.map_or_else(|| ReadbackBuffer::new(&self.memory, bytes), Ok)
    }

    /// Lends what was taken to those who read `ranges` of it.
    ///
    /// # Safety
    /// A batch has written all of the ranges, ended with the barrier to the host, and is
    /// complete; no other names the memory.
    pub(super) unsafe fn lend(
        self: &Arc<Self>,
        buffer: ReadbackBuffer,
        ranges: &[Range<usize>],
    ) -> Vec<Read> {
        let free = Arc::clone(self);
        let from = Arc::new(Lent { buffer, free });
        let read = |range: &Range<usize>| Read {
            from: Arc::clone(&from),
            range: range.clone(),
        };
        ranges.iter().map(read).collect()
    }
}

impl std::fmt::Debug for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Read")
            .field("bytes", &self.range.len())
            .finish_non_exhaustive()
    }
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
        self.outcome.get().map(Result::as_ref)
    }
}
