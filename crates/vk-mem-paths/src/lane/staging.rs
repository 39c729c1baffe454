//! Staging memory for one direction: two pieces, so that the host fills or
//! empties one while the device copies the other.

use std::sync::Arc;

use vk_core::ash::{self, vk};
use vk_core::{CommandBuffer, Device, Ticket, WaitPolicy};

use super::pool::Block;
use crate::Error;

/// Bytes of one piece at most: long enough for the copy's speed to show, short
/// enough for the first one not to keep the device waiting.
pub(super) const PIECE: usize = 16 << 20;
/// Pieces in turn.
pub(super) const PIECES: usize = 2;

/// The pieces of one direction, made when they are first used.
#[derive(Default)]
pub(super) struct Staging {
    pub(super) pieces: Vec<Piece>,
}

/// A buffer that the host reaches, and the submission that names it.
pub(super) struct Piece {
    pub(super) memory: Staged,
    pub(super) bytes: usize,
    commands: CommandBuffer,
    ticket: Option<Ticket>,
    // What the submission names beside the buffer.
    block: Option<Arc<Block>>,
    device: Arc<Device>,
}

/// Memory of a piece, by direction.
pub(super) enum Staged {
    Up(crate::buffers::UploadBuffer),
    Down(crate::buffers::ReadbackBuffer),
}

impl Staging {
    /// Submissions that may be in flight.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.pieces.iter().filter_map(|piece| piece.ticket)
    }

    /// Makes pieces of `bytes` bytes or more, where there are none yet.
    pub(super) fn prepare(
        &mut self,
        device: &Arc<Device>,
        bytes: usize,
        wait: WaitPolicy,
        make: impl Fn(usize) -> Result<Staged, Error>,
    ) -> Result<(), Error> {
        if self.pieces.iter().all(|piece| piece.bytes >= bytes) && !self.pieces.is_empty() {
            return Ok(());
        }
        self.pieces
            .iter_mut()
            .try_for_each(|piece| piece.settle(wait))?;
        self.pieces.clear();
        for _ in 0..PIECES {
            self.pieces.push(Piece {
                memory: make(bytes)?,
                bytes,
                commands: CommandBuffer::new(device, device.queue_plan().compute.family)?,
                ticket: None,
                block: None,
                device: Arc::clone(device),
            });
        }
        Ok(())
    }
}

impl Piece {
    /// Waits until the host may touch the memory.
    pub(super) fn settle(&mut self, wait: WaitPolicy) -> Result<(), Error> {
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
        let raw = match &self.memory {
            Staged::Up(buffer) => buffer.raw(),
            Staged::Down(buffer) => buffer.raw(),
        };
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
