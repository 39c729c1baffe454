//! Staging memory for one direction: two pieces, so that the host fills or
//! empties one while the device copies the other.

use std::sync::Arc;

use vk_core::ash::{self, vk};
use vk_core::{CommandBuffer, Device, Ticket, WaitPolicy};

use super::ended;
use super::pool::Block;
use crate::Error;
use crate::buffers::{ReadbackBuffer, UploadBuffer};

/// Bytes of one piece at most: long enough for the copy's speed to show, short
/// enough for the first one not to keep the device waiting.
pub(super) const PIECE: usize = 16 << 20;
/// Pieces in turn.
pub(super) const PIECES: usize = 2;

/// Memory of a piece, by direction.
pub(super) trait Staged {
    fn raw(&self) -> vk::Buffer;
}

impl Staged for UploadBuffer {
    fn raw(&self) -> vk::Buffer {
        self.raw()
    }
}

impl Staged for ReadbackBuffer {
    fn raw(&self) -> vk::Buffer {
        self.raw()
    }
}

/// The pieces of one direction, made when they are first used.
pub(super) struct Staging<B: Staged> {
    pieces: Vec<Piece<B>>,
    device: Arc<Device>,
    wait: WaitPolicy,
}

/// A buffer that the host reaches, and the submission that names it.
pub(super) struct Piece<B> {
    pub(super) memory: B,
    bytes: usize,
    commands: CommandBuffer,
    ticket: Option<Ticket>,
    // What the submission names beside the buffer.
    block: Option<Arc<Block>>,
    device: Arc<Device>,
}

impl<B: Staged> Staging<B> {
    pub(super) fn new(device: &Arc<Device>, wait: WaitPolicy) -> Self {
        Self {
            pieces: Vec::new(),
            device: Arc::clone(device),
            wait,
        }
    }

    /// Makes pieces of `bytes` bytes or more, where there are none yet.
    pub(super) fn prepare(
        &mut self,
        bytes: usize,
        make: impl Fn(usize) -> Result<B, Error>,
    ) -> Result<(), Error> {
        if self.pieces.iter().all(|piece| piece.bytes >= bytes) && !self.pieces.is_empty() {
            return Ok(());
        }
        let wait = self.wait;
        self.pieces
            .iter_mut()
            .try_for_each(|piece| piece.settle(wait))?;
        self.pieces.clear();
        // All or none: with fewer, one would be filled while it is emptied.
        let pieces = (0..PIECES).map(|_| Piece::new(&self.device, bytes, &make));
        self.pieces = pieces.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Lets go of blocks that complete submissions named. What cannot be looked at stays.
    pub(super) fn let_go(&mut self) {
        for piece in &mut self.pieces {
            let is_complete = |ticket| self.device.is_complete(ticket).unwrap_or(false);
            if piece.ticket.is_some_and(is_complete) {
                (piece.ticket, piece.block) = (None, None);
            }
        }
    }

    /// The piece whose turn it is, once the host may touch its memory. There are some:
    /// [`Self::prepare`] has succeeded.
    pub(super) fn settled(&mut self, number: usize) -> Result<&mut Piece<B>, Error> {
        let count = self.pieces.len();
        let piece = &mut self.pieces[number % count];
        piece.settle(self.wait)?;
        Ok(piece)
    }
}

impl<B: Staged> Drop for Staging<B> {
    fn drop(&mut self) {
        let tickets = self.pieces.iter().filter_map(|piece| piece.ticket);
        if !ended(&self.device, self.wait, tickets) {
            self.pieces.drain(..).for_each(std::mem::forget);
        }
    }
}

impl<B: Staged> Piece<B> {
    fn new(
        device: &Arc<Device>,
        bytes: usize,
        make: impl Fn(usize) -> Result<B, Error>,
    ) -> Result<Self, Error> {
        Ok(Self {
            memory: make(bytes)?,
            bytes,
            commands: CommandBuffer::new(device, device.queue_plan().compute.family)?,
            ticket: None,
            block: None,
            device: Arc::clone(device),
        })
    }

    /// Waits until the host may touch the memory.
    fn settle(&mut self, wait: WaitPolicy) -> Result<(), Error> {
        // A submission that failed with the loss may be in flight without a ticket.
        self.device.expect_alive()?;
        if let Some(ticket) = self.ticket {
            self.device.wait(ticket, wait)?;
            self.ticket = None;
            self.block = None;
        }
        Ok(())
    }

    /// Submits what `record` records: a copy between the piece and `block`.
    ///
    /// # Safety
    /// The piece is settled. `record` only records, for a queue with compute,
    /// and names nothing but the piece and `block`.
    pub(super) unsafe fn submit(
        &mut self,
        block: &Arc<Block>,
        record: impl FnOnce(&ash::Device, vk::CommandBuffer, vk::Buffer),
    ) -> Result<(), Error> {
        let raw = self.memory.raw();
        // SAFETY: settled, so not in flight; `record` only records.
        unsafe {
            self.commands
                .record(|device, commands| record(device, commands, raw))?;
        }
        self.block = Some(Arc::clone(block));
        let queue = self.device.queue_plan().compute;
        // SAFETY: recorded for this queue; the piece keeps its memory and the
        // block until the ticket is complete (rules 4 and 5 of the module).
        let ticket = unsafe { self.device.submit(queue, self.commands.raw(), None)? };
        self.ticket = Some(ticket);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use vk_core::testing::{device_under_test, lose};

    use super::*;
    use crate::memory::Memory;

    const WAIT: WaitPolicy = WaitPolicy::NONE;

    /// With one piece alone a download would overwrite what it has not copied yet.
    #[test]
    fn a_piece_that_cannot_be_made_leaves_none() {
        let (_guard, physical) = device_under_test().unwrap();
        let device = Device::new(&physical).unwrap();
        let memory = Memory::new(&device).unwrap();
        let (mut staging, made) = (Staging::new(&device, WAIT), Cell::new(0));
        let make = |bytes| {
            made.set(made.get() + 1);
            match made.get() {
                2 => Err(Error::Internal {
                    what: "no memory".to_owned(),
                }),
                _ => ReadbackBuffer::new(&memory, bytes),
            }
        };
        assert!(staging.prepare(4096, make).is_err());
        assert_eq!(staging.pieces.len(), 0);
        staging.prepare(4096, make).unwrap();
        assert_eq!(staging.pieces.len(), PIECES);
        // They serve what is smaller, too.
        staging.prepare(64, make).unwrap();
        assert_eq!(made.get(), 2 + PIECES);
    }

    /// The driver may have a submission that failed with the loss.
    #[test]
    fn a_lost_device_keeps_the_pieces() {
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
        assert_eq!(staging.pieces[0].bytes, 64);
    }
}
