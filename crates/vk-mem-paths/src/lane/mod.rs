//! Device memory that outlives a call, and batches of steps on it.
//!
//! A [`Lane`] is one queue's worth of work: it submits batches of [`Step`]s one after
//! the other. [`Uploads`] and [`Downloads`] move bytes between host slices and its
//! [`Storage`]. All of them run on the compute queue in the order of their submission.
//!
//! # Safety
//!
//! What a submission names may be freed only when it is complete, and used for
//! something else only in an order that the device sees:
//!
//! 1. A [`Frame`](frame::Frame) and a [`Piece`](staging::Piece) own what their
//!    commands name: blocks of memory, pipelines and descriptor sets. They are
//!    begun anew only when their ticket is complete.
//! 2. A block goes back to its pool as soon as no [`Storage`] has it, also
//!    while a submission names it. The next user of the block is a later
//!    submission of the same queue, and each begins with a barrier that orders
//!    it after all before; the memory itself stays, by rule 1. Where steps that
//!    name it are yet to be submitted, whoever submits them sees to the order.
//! 3. Inside a batch a barrier stands before each step that conflicts with an
//!    earlier one ([`hazards`]).
//! 4. Staging memory is touched by the host only between the completion of the
//!    submission that named it last and the next that does.
//! 5. Dropping a lane or a way waits, and where the device does not answer in
//!    time it leaks what is in flight. A lost device is waited idle.

mod crossing;
mod descriptors;
mod frame;
mod hazards;
mod pool;
mod staging;
mod step;
mod submitted;

pub use crossing::{Downloads, Uploads};
pub use pool::{Block, Storage, StoragePool};
pub use step::{Access, Region, Step};
pub use submitted::{Finished, Submitted};

use std::collections::VecDeque;
use std::sync::Arc;

use vk_core::{Device, Ticket, WaitPolicy};

use crate::memory::Memory;
use crate::{Error, Transfer, TransferOptions};
use frame::Frame;

/// Frames that are kept for the next batch.
const KEPT: usize = 8;

/// Runs batches on the compute queue of one device, and keeps command buffers and
/// descriptor sets from batch to batch.
pub struct Lane {
    // In the order of their submission.
    in_flight: VecDeque<Frame>,
    free: Vec<Frame>,
    pool: Arc<StoragePool>,
    memory: Arc<Memory>,
    device: Arc<Device>,
    wait: WaitPolicy,
    timestamps: bool,
    threads: usize,
}

impl Lane {
    /// A lane on the device of `transfer`, with its allocator and options.
    #[must_use]
    pub fn new(transfer: &Transfer) -> Self {
        let (device, memory, _, options) = transfer.parts();
        Self::with_memory(device, Arc::clone(memory), options)
    }

    /// A lane on `device`, with an allocator of its own.
    ///
    /// # Errors
    /// What creating the allocator returned.
    pub fn on(device: &Arc<Device>, options: TransferOptions) -> Result<Self, Error> {
        Ok(Self::with_memory(device, Memory::new(device)?, options))
    }

    fn with_memory(device: &Arc<Device>, memory: Arc<Memory>, options: TransferOptions) -> Self {
        Self {
            in_flight: VecDeque::new(),
            free: Vec::new(),
            pool: StoragePool::new(&memory),
            memory,
            device: Arc::clone(device),
            wait: options.wait,
            timestamps: options.timestamps,
            threads: options.threads,
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
        self.wait
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
    /// operations of its device. Where that storage has been dropped, nobody who took
    /// the block from the pool since submits before this.
    pub unsafe fn submit(&mut self, steps: &[Step], reads: &[Region]) -> Result<Submitted, Error> {
        self.reap()?;
        let mut frame = self.frame()?;
        // SAFETY: not in flight: new, or complete when it was reaped (rule 1);
        // dispatches are as this function's contract says.
        let recorded = unsafe { frame.record(&self.memory, steps, reads) };
        // SAFETY: recorded just now, and kept until it is complete (rule 1).
        let submitted = recorded.and_then(|()| unsafe { frame.submit() });
        match submitted {
            Ok(submitted) => {
                self.in_flight.push_back(frame);
                Ok(submitted)
            }
            Err(error) => {
                self.give_up(frame);
                Err(error)
            }
        }
    }

    /// Looks which batches are complete, and makes their frames ready for
    /// others. Where what one left cannot be read,
    /// [`Submitted::finished`] says so.
    ///
    /// # Errors
    /// [`vk_core::Error::DeviceLost`], else what the driver returned.
    pub fn reap(&mut self) -> Result<(), Error> {
        while let Some(frame) = self.in_flight.front() {
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

    fn frame(&mut self) -> Result<Frame, Error> {
        match self.free.pop() {
            Some(frame) => Ok(frame),
            None => Frame::new(&self.device, self.timestamps),
        }
    }

    /// A frame whose submission failed: after the loss of the device it may be
    /// in flight all the same.
    fn give_up(&mut self, frame: Frame) {
        match self.device.is_lost() {
            true => self.in_flight.push_back(frame),
            false => drop(frame),
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let tickets = self.in_flight.iter().filter_map(Frame::ticket);
        if !ended(&self.device, self.wait, tickets) {
            self.in_flight.drain(..).for_each(std::mem::forget);
        }
    }
}

/// Waits for what is about to be dropped, and says whether it may be: not where the
/// device is still at it.
fn ended(device: &Device, wait: WaitPolicy, mut tickets: impl Iterator<Item = Ticket>) -> bool {
    if device.is_inherited() {
        return true;
    }
    let waited = tickets.try_for_each(|ticket| device.wait(ticket, wait));
    if device.is_lost() {
        let _ = device.wait_idle();
        return true;
    }
    if let Err(error) = &waited {
        tracing::error!("leaking part of a lane that is still in flight: {error}");
    }
    waited.is_ok()
}
