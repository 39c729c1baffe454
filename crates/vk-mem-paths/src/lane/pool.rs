//! Device memory by the piece: taken from a pool, given back when it drops.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::step::{Access, Region};
use crate::memory::{Block, Memory};
use crate::{Error, MemoryUse};

/// The smallest block, in bytes.
const SMALLEST: usize = 4 << 10;
/// Sizes between a power of two and the next: so many, equally far apart.
const SIZES_PER_OCTAVE: u32 = 8;

/// Memory in use; its block goes back to the pool when it drops.
pub struct Storage {
    block: Arc<Block>,
    bytes: usize,
    pool: Arc<StoragePool>,
}

impl Storage {
    /// Bytes asked for; the block may have more.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Whether it came from `pool`.
    pub(super) fn is_of(&self, pool: &Arc<StoragePool>) -> bool {
        Arc::ptr_eq(&self.pool, pool)
    }

    /// `range` of it, for a step that uses it as `access` says.
    #[must_use]
    pub fn region(&self, range: Range<usize>, access: Access) -> Region {
        Region::new(&self.block, range, access)
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        // The lock of the pool may be held, for ever, by a thread that a fork left behind.
        if self.pool.memory.device().is_inherited() {
            return;
        }
        self.pool.give_back(Arc::clone(&self.block));
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage")
            .field("bytes", &self.bytes)
            .field("of", &self.block.bytes())
            .finish_non_exhaustive()
    }
}

/// Blocks of memory that nobody uses, by purpose and size.
pub struct StoragePool {
    memory: Arc<Memory>,
    free: Mutex<Free>,
}

type Free = HashMap<(MemoryUse, usize), Vec<Arc<Block>>>;

impl StoragePool {
    pub(super) fn new(memory: &Arc<Memory>) -> Arc<Self> {
        Arc::new(Self {
            memory: Arc::clone(memory),
            free: Mutex::default(),
        })
    }

    /// Storage of `bytes` bytes (1 or more) of device memory, whose content is not
    /// specified. Where the device's memory has run out, what the pool holds is freed
    /// first.
    ///
    /// # Errors
    /// [`Error::OutOfDeviceMemory`], else what the allocator returned.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Result<Storage, Error> {
        self.take_from(MemoryUse::Device, bytes)
    }

    /// As [`Self::take`], from the best memory for `purpose`.
    ///
    /// # Errors
    /// As [`Self::take`], and [`Error::NoMemoryType`] where the device has no such memory.
    pub fn take_from(self: &Arc<Self>, purpose: MemoryUse, bytes: usize) -> Result<Storage, Error> {
        let size = size_class(bytes);
        let known = self.lock().get_mut(&(purpose, size)).and_then(Vec::pop);
        let block = match known {
            Some(block) => block,
            None => self.make(purpose, size)?,
        };
        Ok(Storage {
            block,
            bytes,
            pool: Arc::clone(self),
        })
    }

    /// Frees what nobody uses, and returns how many bytes that was. What a
    /// submission in flight still names is freed when that is complete.
    pub fn trim(&self) -> usize {
        let free = std::mem::take(&mut *self.lock());
        bytes_in(&free)
    }

    /// Bytes in blocks that nobody uses.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        bytes_in(&self.lock())
    }

    fn make(&self, purpose: MemoryUse, bytes: usize) -> Result<Arc<Block>, Error> {
        let make = || self.memory.block(bytes, purpose);
        let block = match make() {
            Err(error) if error.is_out_of_device_memory() && self.trim() > 0 => make()?,
            made => made?,
        };
        Ok(Arc::new(block))
    }

    fn give_back(&self, block: Arc<Block>) {
        let place = (block.purpose(), block.bytes());
        self.lock().entry(place).or_default().push(block);
    }

    fn lock(&self) -> MutexGuard<'_, Free> {
        // Each change is one push or pop, so a panic elsewhere left it whole.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_in(free: &Free) -> usize {
    let sizes = free.iter().map(|((_, size), blocks)| size * blocks.len());
    sizes.sum()
}

/// The size of the block for `bytes` bytes: at most an eighth more.
fn size_class(bytes: usize) -> usize {
    let bytes = bytes.max(SMALLEST);
    let step = (1_usize << bytes.ilog2()) / SIZES_PER_OCTAVE as usize;
    bytes.checked_next_multiple_of(step).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_was_asked_for_and_waste_an_eighth_at_most() {
        for bytes in [1, 4096, 4097, 5000, 6 << 20, (6 << 20) + 1, (1 << 31) - 1] {
            let class = size_class(bytes);
            assert!(class >= bytes, "{bytes}");
            assert!(class <= SMALLEST || class - bytes <= bytes / 8, "{bytes}");
            assert_eq!(size_class(class), class);
            assert_eq!(class % 16, 0);
        }
        assert_eq!(size_class(usize::MAX), usize::MAX);
    }
}
