//! Device memory that outlives a call, and batches of steps on it.
//!
//! A [`Lane`] is one queue's worth of work: it submits batches of [`Step`]s one after
//! the other. [`Uploads`] and [`Downloads`] move bytes between host slices and its
//! [`Storage`](crate::Storage). All of them run on the compute queue in the order of their submission.
//!
//! # Safety
//!
//! What is in flight, and what becomes of it, is the matter of [`batch`]. Beyond that:
//!
//! 1. A block goes back to its pool as soon as no [`Storage`](crate::Storage) has it, also
//!    while a submission names it. The next user of the block is a later
//!    submission of the same queue, and each begins with a barrier that orders
//!    it after all before; the memory itself stays, since the batch holds it. What the steps
//!    of a batch in the making name stays with that batch ([`BatchMemory`](crate::BatchMemory)).
//! 2. Inside a batch a barrier stands before each step that conflicts with an
//!    earlier one (`recorder`).
//! 3. What a batch copies its reads to is that batch's until it is complete, and then of those
//!    who hold the [`Read`]s; only once they are dropped another batch gets it.
//! 4. Staging memory is touched by the host only while the batch of its buffer is not in
//!    flight.

mod batch;
mod descriptors;
mod frame;
mod recorder;
mod staging;
mod step;
mod submitted;
mod transfers;

pub(crate) use batch::{Batch, Life};
pub use step::{Step, most_dispatched};
pub use submitted::{Finished, Read, Submitted};
pub use transfers::{Downloads, Uploads};

use std::collections::VecDeque;
use std::sync::Arc;

use vk_core::{Device, WaitPolicy};

use crate::Error;
use crate::memory::{Memory, Region, StoragePool};
use frame::Frame;
use submitted::FreeReadbacks;

/// Settings of a lane, and of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferOptions {
    /// How to wait for the device.
    pub wait: WaitPolicy,
    /// Whether the device times its stages, and a run keeps its timeline
    /// ([`Stats::timeline`](crate::Stats::timeline)). Off by default: it costs two timestamps per
    /// stage and chunk.
    pub timestamps: bool,
    /// Threads that copy on the host; 0, the default, means one per core.
    pub threads: usize,
}

/// Frames that are kept for the next batch.
const KEPT: usize = 8;

/// Runs batches on the compute queue of one device, and keeps command buffers and
/// descriptor sets from batch to batch.
pub struct Lane {
    // In the order of their submission.
    in_flight: VecDeque<Frame>,
    free: Vec<Frame>,
    readbacks: Arc<FreeReadbacks>,
    pool: Arc<StoragePool>,
    memory: Arc<Memory>,
    device: Arc<Device>,
    options: TransferOptions,
}

impl Lane {
    /// A lane on `device`, with an allocator of its own.
    ///
    /// # Errors
    /// What creating the allocator returned.
    pub fn on(device: &Arc<Device>, options: TransferOptions) -> Result<Self, Error> {
        Ok(Self::with_memory(device, Memory::new(device)?, options))
    }

    pub(crate) fn with_memory(
        device: &Arc<Device>,
        memory: Arc<Memory>,
        options: TransferOptions,
    ) -> Self {
        Self {
            in_flight: VecDeque::new(),
            free: Vec::new(),
            readbacks: FreeReadbacks::new(&memory),
            pool: StoragePool::new(&memory),
            memory,
            device: Arc::clone(device),
            options,
        }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// How it waits.
    #[must_use]
    pub fn wait_policy(&self) -> WaitPolicy {
        self.options.wait
    }

    /// Where storage comes from.
    #[must_use]
    pub fn pool(&self) -> &Arc<StoragePool> {
        &self.pool
    }

    /// Submits `steps`, to run in an order that is as good as theirs, and
    /// copies `reads` to the host at their end. Returns without waiting.
    ///
    /// # Errors
    /// [`Error::Internal`] for a region outside of its block and for a step that
    /// is not as [`Step`] says, else what the
    /// device returned; nothing was submitted then, unless the device was
    /// lost.
    ///
    /// # Safety
    /// Every dispatch stays inside the regions that it names, with the access
    /// that they name. All regions are of storage of this lane's pool, and all
    /// kernels of its device. Until this returns, that storage lives, or the
    /// [`BatchMemory`](crate::BatchMemory) does that it was taken from or given to.
    pub unsafe fn submit(&mut self, steps: &[Step], reads: &[Region]) -> Result<Submitted, Error> {
        self.reap()?;
        let mut frame = match self.free.pop() {
            Some(frame) => frame,
            None => Frame::new(&self.device, &self.readbacks, self.options.timestamps)?,
        };
        // SAFETY: as this function's contract says.
        let submitted = unsafe { frame.submit(steps, reads, self.options.wait)? };
        self.in_flight.push_back(frame);
        Ok(submitted)
    }

    /// Looks which batches are complete, and makes their frames ready for
    /// others. Where what one left cannot be read,
    /// [`Submitted::finished`] says so.
    ///
    /// # Errors
    /// [`vk_core::Error::DeviceLost`], else what the driver returned.
    pub fn reap(&mut self) -> Result<(), Error> {
        while let Some(frame) = self.in_flight.front_mut() {
            if !frame.is_complete()? {
                break;
            }
            if let Some(mut frame) = self.in_flight.pop_front() {
                // SAFETY: complete, as looked at just now.
                unsafe { frame.finish() };
                if self.free.len() < KEPT {
                    self.free.push(frame);
                }
            }
        }
        Ok(())
    }
}
