//! Device memory by the piece: taken from a pool, given back when it drops.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use vk_core::lock;

use super::{Access, Block, Memory, MemoryUse, Region};
use crate::Error;

/// The smallest block, in bytes.
const SMALLEST: usize = 4 << 10;
/// Sizes between a power of two and the next: so many, equally far apart.
const SIZES_PER_OCTAVE: u32 = 8;

/// Memory in use. When it drops, its block goes back to the pool; while the batch that it was
/// taken for is in the making, to that batch.
pub struct Storage {
    block: Arc<Block>,
    bytes: usize,
    pool: Arc<StoragePool>,
    batch: Option<Arc<FreeList>>,
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

    pub(crate) fn is_of(&self, pool: &Arc<StoragePool>) -> bool {
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
        let block = Arc::clone(&self.block);
        let left = match &self.batch {
            Some(batch) => batch.give_back(block),
            None => Some(block),
        };
        if let Some(block) = left {
            self.pool.free.give_back(block);
        }
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

/// Blocks of memory that nobody uses.
pub struct StoragePool {
    memory: Arc<Memory>,
    free: FreeList,
}

impl StoragePool {
    pub(crate) fn new(memory: &Arc<Memory>) -> Arc<Self> {
        Arc::new(Self {
            memory: Arc::clone(memory),
            free: FreeList::default(),
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
        let make = || self.memory.block(size, purpose).map(Arc::new);
        let block = match self.free.take(purpose, size).map_or_else(make, Ok) {
            Err(error) if error.is_out_of_device_memory() && self.trim() > 0 => make()?,
            made => made?,
        };
        Ok(self.storage(block, bytes))
    }

    fn storage(self: &Arc<Self>, block: Arc<Block>, bytes: usize) -> Storage {
        Storage {
            block,
            bytes,
            pool: Arc::clone(self),
            batch: None,
        }
    }

    /// Memory for a batch that is about to be made.
    #[must_use]
    pub fn for_batch(self: &Arc<Self>) -> BatchMemory {
        BatchMemory {
            pool: Arc::clone(self),
            free: Arc::default(),
            shared: Vec::new(),
        }
    }

    /// Frees what nobody uses, and returns how many bytes that was. What a
    /// submission in flight still names is freed when that is complete.
    pub fn trim(&self) -> usize {
        let free = self.free.replace(Some(Free::new())).unwrap_or_default();
        let of_size = |((_, size), blocks): (&(MemoryUse, usize), &Vec<_>)| size * blocks.len();
        free.iter().map(of_size).sum()
    }
}

/// Memory for a batch in the making. What its steps name and it needs no longer is its own
/// to use again; others have it from the pool once this drops, which is after the batch was
/// submitted.
pub struct BatchMemory {
    pool: Arc<StoragePool>,
    free: Arc<FreeList>,
    /// What others had too when the batch let go of it.
    shared: Vec<Arc<Storage>>,
}

impl BatchMemory {
    /// Storage of `bytes` bytes, as [`StoragePool::take`], or what the batch let go of.
    ///
    /// # Errors
    /// As [`StoragePool::take`].
    pub fn take(&self, bytes: usize) -> Result<Storage, Error> {
        let known = self.free.take(MemoryUse::Device, size_class(bytes));
        let mut storage = match known {
            None => self.pool.take(bytes)?,
            Some(block) => self.pool.storage(block, bytes),
        };
        storage.batch = Some(Arc::clone(&self.free));
        Ok(storage)
    }

    /// Takes what the steps to come do not need: where nobody else has it, for them to use
    /// again.
    pub fn let_go(&mut self, storage: Arc<Storage>) {
        match Arc::try_unwrap(storage) {
            Ok(mut own) => own.batch = Some(Arc::clone(&self.free)),
            Err(shared) => self.shared.push(shared),
        }
    }
}

impl Drop for BatchMemory {
    fn drop(&mut self) {
        if self.pool.memory.device().is_inherited() {
            return;
        }
        let blocks = self.free.replace(None).into_iter().flatten();
        for block in blocks.flat_map(|(_, blocks)| blocks) {
            self.pool.free.give_back(block);
        }
    }
}

type Free = HashMap<(MemoryUse, usize), Vec<Arc<Block>>>;

/// Blocks that nobody uses, by purpose and size; `None`: it takes none any more.
struct FreeList(Mutex<Option<Free>>);

impl Default for FreeList {
    fn default() -> Self {
        Self(Mutex::new(Some(Free::new())))
    }
}

impl FreeList {
    fn take(&self, purpose: MemoryUse, size: usize) -> Option<Arc<Block>> {
        lock(&self.0).as_mut()?.get_mut(&(purpose, size))?.pop()
    }

    /// Returns the block where the list takes none any more.
    fn give_back(&self, block: Arc<Block>) -> Option<Arc<Block>> {
        let place = (block.purpose(), block.bytes());
        match &mut *lock(&self.0) {
            Some(free) => {
                free.entry(place).or_default().push(block);
                None
            }
            None => Some(block),
        }
    }

    fn replace(&self, by: Option<Free>) -> Option<Free> {
        std::mem::replace(&mut *lock(&self.0), by)
    }
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
