//! Bytes between the host's slices and storage.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use vk_core::ash::{self, vk};

use super::Lane;
use super::pool::{Block, Storage};
use super::staging::{PIECE, Staged};
use crate::buffers::{ReadbackBuffer, UploadBuffer};
use crate::host_copy::Stores;
use crate::record::{copy_region, host_barrier, order_after_all_before};
use crate::{Element, Error, MemoryUse, host_copy};

impl Lane {
    /// Copies `bytes` to the start of `storage`, and returns when the last
    /// piece is on its way: later steps of this lane find it there.
    ///
    /// # Errors
    /// [`Error::ForeignBuffer`] for storage of another lane,
    /// [`Error::InvalidJob`] for more bytes than the storage has,
    /// [`Error::RefusedInput`] for an element that does not pass the check,
    /// else what the device returned.
    pub fn upload(
        &mut self,
        storage: &Storage,
        bytes: &[u8],
        element: Element,
    ) -> Result<(), Error> {
        self.expect_own(storage)?;
        expect_room(storage, bytes.len())?;
        let size = piece_bytes(bytes.len(), element.bytes);
        let memory = Arc::clone(&self.memory);
        let make = |size| UploadBuffer::new(&memory, MemoryUse::Upload, size).map(Staged::Up);
        self.up.prepare(&self.device, size, self.wait, make)?;
        for (number, part) in bytes.chunks(size).enumerate() {
            self.send(number, part, storage.block(), number * size, element)?;
        }
        Ok(())
    }

    /// Copies the bytes of `range` of `storage` to `out`, and waits for them.
    /// On `Ok` all of `out` is written.
    ///
    /// # Errors
    /// [`Error::ForeignBuffer`] for storage of another lane,
    /// [`Error::InvalidJob`] for a range past the end or of another length than
    /// `out`, else what the device returned.
    pub fn download(
        &mut self,
        storage: &Storage,
        range: Range<usize>,
        out: &mut [MaybeUninit<u8>],
    ) -> Result<(), Error> {
        self.expect_own(storage)?;
        expect_room(storage, range.end)?;
        if range.len() != out.len() {
            return Err(invalid("the output", range.len(), out.len()));
        }
        let size = piece_bytes(out.len(), 1);
        let memory = Arc::clone(&self.memory);
        let make = |size| ReadbackBuffer::new(&memory, size).map(Staged::Down);
        self.down.prepare(&self.device, size, self.wait, make)?;
        let starts: Vec<usize> = (0..out.len()).step_by(size).collect();
        let mut parts: Vec<_> = out.chunks_mut(size).collect();
        // One piece is copied out while the device fills the other.
        for number in 0..=starts.len() {
            if let Some(start) = starts.get(number) {
                let bytes = parts[number].len();
                self.fetch(number, storage.block(), range.start + start, bytes)?;
            }
            if let Some(before) = number.checked_sub(1) {
                self.take(before, parts[before])?;
            }
        }
        Ok(())
    }

    /// Another lane's storage may be of another device, and is not in the order of this
    /// one's queue.
    fn expect_own(&self, storage: &Storage) -> Result<(), Error> {
        match storage.is_of(&self.pool) {
            true => Ok(()),
            false => Err(Error::ForeignBuffer {
                what: "the vector",
                expected: self.device.caps().name.clone(),
                found: "another lane".to_owned(),
            }),
        }
    }

    /// Sends one part up, by the piece whose turn it is.
    fn send(
        &mut self,
        number: usize,
        part: &[u8],
        block: &Arc<Block>,
        offset: usize,
        element: Element,
    ) -> Result<(), Error> {
        self.crew()?;
        let count = self.up.pieces.len();
        let piece = &mut self.up.pieces[number % count];
        piece.settle(self.wait)?;
        let Staged::Up(buffer) = &mut piece.memory else {
            return Err(wrong_way());
        };
        let range = 0..part.len();
        // SAFETY: settled, so nothing in flight reads it.
        let [to, _] = unsafe { buffer.views([range.clone(), part.len()..part.len()])? };
        if let Some(crew) = &mut self.crew {
            let copies = vec![(part, to)];
            let refused = match element.check {
                None => {
                    host_copy::run(copies, Stores::Cached, crew);
                    None
                }
                Some(check) => host_copy::run_checked(copies, element.bytes, check, crew),
            };
            if let Some(refused) = refused {
                return Err(Error::RefusedInput {
                    job: 0,
                    what: "the vector",
                    element: offset / element.bytes.max(1) + refused.element,
                });
            }
        }
        buffer.flush(&range)?;
        let copy = copy_region(0, offset, part.len());
        let to = block.raw();
        let record = |device: &ash::Device, commands, from| {
            // SAFETY: `commands` is being recorded for a queue with compute.
            unsafe { order_after_all_before(device, commands) };
            // SAFETY: as above; both buffers are held by the piece, and the
            // region lies inside both.
            unsafe { device.cmd_copy_buffer(commands, from, to, &[copy]) };
        };
        // SAFETY: settled above; `record` names the piece and the block.
        unsafe { piece.submit(block, record) }
    }

    /// Has the device copy one part to the piece whose turn it is.
    fn fetch(
        &mut self,
        number: usize,
        block: &Arc<Block>,
        offset: usize,
        bytes: usize,
    ) -> Result<(), Error> {
        let count = self.down.pieces.len();
        let piece = &mut self.down.pieces[number % count];
        piece.settle(self.wait)?;
        let (copy, from) = (copy_region(offset, 0, bytes), block.raw());
        let record = |device: &ash::Device, commands, to| {
            let stage = vk::PipelineStageFlags::TRANSFER;
            let access = vk::AccessFlags::TRANSFER_WRITE;
            // SAFETY: as in `send`.
            unsafe { order_after_all_before(device, commands) };
            // SAFETY: as in `send`.
            unsafe { device.cmd_copy_buffer(commands, from, to, &[copy]) };
            // SAFETY: as in `send`.
            unsafe { host_barrier(device, commands, to, stage, access) };
        };
        // SAFETY: settled above; `record` names the piece and the block.
        unsafe { piece.submit(block, record) }
    }

    /// Copies out what [`Self::fetch`] had copied there.
    fn take(&mut self, number: usize, out: &mut [MaybeUninit<u8>]) -> Result<(), Error> {
        self.crew()?;
        let count = self.down.pieces.len();
        let piece = &mut self.down.pieces[number % count];
        piece.settle(self.wait)?;
        let Staged::Down(buffer) = &piece.memory else {
            return Err(wrong_way());
        };
        // SAFETY: the submission that wrote the range and ended with the host
        // barrier is complete, said `settle`; none since.
        let bytes = unsafe { buffer.read(&(0..out.len()))? };
        if let Some(crew) = &mut self.crew {
            host_copy::run(vec![(bytes, out)], Stores::Cached, crew);
        }
        Ok(())
    }
}

/// Bytes of one piece for a crossing of `bytes` bytes: whole elements.
fn piece_bytes(bytes: usize, element_bytes: usize) -> usize {
    let element = element_bytes.max(1);
    // A quarter at the least of what will be asked for often anyway, so that
    // pieces are not made anew for every slightly longer vector.
    let wanted = bytes.clamp(64 << 10, PIECE).next_power_of_two();
    (wanted / element).max(1) * element
}

fn expect_room(storage: &Storage, bytes: usize) -> Result<(), Error> {
    match bytes <= storage.bytes() {
        true => Ok(()),
        false => Err(invalid("the vector", storage.bytes(), bytes)),
    }
}

fn invalid(what: &'static str, expected: usize, found: usize) -> Error {
    Error::InvalidJob {
        job: 0,
        what,
        expected,
        found,
    }
}

fn wrong_way() -> Error {
    Error::Internal {
        what: "expected a staging piece of this direction, found one of the other".to_owned(),
    }
}
