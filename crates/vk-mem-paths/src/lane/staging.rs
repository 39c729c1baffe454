//! Staging memory for one direction: two pieces, so that the host fills or
//! empties one while the device copies the other.

use std::sync::Arc;

use vk_core::{Device, WaitPolicy};

use super::batch::{Batch, Life, Part};
use super::step::{Region, Step};
use crate::Error;
use crate::buffers::{ReadbackBuffer, UploadBuffer};

/// Bytes of one piece at most: long enough for the copy's speed to show, short
/// enough for the first one not to keep the device waiting.
pub(super) const PIECE: usize = 16 << 20;
/// Pieces in turn.
pub(super) const PIECES: usize = 2;

/// Memory of a piece, by direction.
pub(super) trait Staged {
    fn bytes(&self) -> usize;
}

impl Staged for UploadBuffer {
    fn bytes(&self) -> usize {
        self.bytes()
    }
}

impl Staged for ReadbackBuffer {
    fn bytes(&self) -> usize {
        self.bytes()
    }
}

/// The pieces of one direction, made when they are first used.
pub(super) struct Staging<B: Staged> {
    pieces: Vec<Piece<B>>,
    device: Arc<Device>,
    wait: WaitPolicy,
}

/// Memory that the host reaches, and the batch that names it.
pub(super) struct Piece<B> {
    pub(super) memory: B,
    batch: Batch,
    wait: WaitPolicy,
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
        if self
            .pieces
            .iter()
            .all(|piece| piece.memory.bytes() >= bytes)
            && !self.pieces.is_empty()
        {
            return Ok(());
        }
        for piece in &mut self.pieces {
            piece.batch.wait(self.wait)?;
        }
        self.pieces.clear();
        // All or none: with fewer, one would be filled while it is emptied.
        let piece = |_| {
            Ok(Piece {
                memory: make(bytes)?,
                batch: Batch::new(&self.device, None)?,
                wait: self.wait,
            })
        };
        self.pieces = (0..PIECES).map(piece).collect::<Result<_, Error>>()?;
        Ok(())
    }

    /// Lets go of blocks that complete submissions named. What cannot be looked at stays.
    pub(super) fn let_go(&mut self) {
        for piece in &mut self.pieces {
            let _ = piece.batch.is_complete();
        }
    }

    /// The piece whose turn it is, once the host may touch its memory. There are some:
    /// [`Self::prepare`] has succeeded.
    pub(super) fn settled(&mut self, number: usize) -> Result<&mut Piece<B>, Error> {
        let count = self.pieces.len();
        let piece = &mut self.pieces[number % count];
        piece.batch.wait(self.wait)?;
        Ok(piece)
    }
}

impl<B> Piece<B> {
    /// Submits a copy between the piece and storage; with `result`, which it writes, for
    /// the host to read.
    ///
    /// # Safety
    /// The host touches the memory only once the piece is settled again.
    pub(super) unsafe fn copy(
        &mut self,
        from: Region,
        to: Region,
        result: Option<&Region>,
    ) -> Result<(), Error> {
        let steps = [Step::Copy { from, to }];
        let parts = [Part {
            stage: None,
            steps: &steps,
        }];
        let results = result.cloned();
        // SAFETY: there are no dispatches.
        unsafe { self.batch.record(Life::Once, &parts, results.as_slice())? };
        // SAFETY: this function's contract.
        unsafe { self.batch.submit(self.wait).map(drop) }
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
        assert_eq!(staging.pieces[0].memory.bytes(), 64);
    }
}
