//! The host buffer as its owner sees it.

use std::ptr::NonNull;
use std::sync::Arc;

use vk_core::Device;

use crate::memory::{Block, Memory};
use crate::{Error, MemoryUse};

/// A buffer of words in host memory that the device reads and writes in
/// place, made by [`HostBufferRuns::buffer`](crate::HostBufferRuns::buffer).
///
/// It keeps the device and its allocator, so it may outlive the transfer that
/// made it. Dropping it frees its memory, or leaves that to the submission
/// that still uses it.
pub struct HostBuffer {
    // `None`: it has no words, or gave them up (rule 1 of the module).
    memory: Option<Arc<Block>>,
    device: Arc<Device>,
}

impl HostBuffer {
    pub(super) fn new(
        memory: &Arc<Memory>,
        device: &Arc<Device>,
        words: usize,
    ) -> Result<Self, Error> {
        let shared = match words {
            // Vulkan has no empty buffers.
            0 => None,
            _ => {
                let bytes = words.saturating_mul(size_of::<u64>());
                // Cached memory first: the host reads and writes it like its own.
                Some(Arc::new(memory.block(bytes, MemoryUse::Readback)?))
            }
        };
        let made = Self {
            memory: shared,
            device: Arc::clone(device),
        };
        let mapped = made.mapped();
        if words > 0 && mapped.is_none() {
            let expected = format_args!("{words} mapped and aligned words");
            return Err(Error::internal(expected, "none"));
        }
        if let Some(mapped) = mapped {
            // SAFETY: mapped and aligned, said `mapped`; nobody else knows it yet.
            unsafe { mapped.cast::<u64>().write_bytes(0, words) };
        }
        Ok(made)
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        match self.mapped() {
            // SAFETY: initialised when it was made, and alive as long as
            // `self`; the device does not write it (rule 1), and the host
            // only through `&mut self`.
            Some(words) => unsafe { words.as_ref() },
            None => &[],
        }
    }

    /// The words, to be written.
    #[must_use]
    pub fn words_mut(&mut self) -> &mut [u64] {
        match self.mapped() {
            // SAFETY: as `words`; `&mut self` excludes other slices of it,
            // since runs make none.
            Some(mut words) => unsafe { words.as_mut() },
            None => &mut [],
        }
    }

    /// Its length, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.bytes())
    }

    /// The words, if there are any: mapped, aligned, and in the memory of this buffer.
    fn mapped(&self) -> Option<NonNull<[u64]>> {
        let memory = self.memory.as_ref()?;
        let start = memory.mapped(&(0..memory.bytes()))?.cast::<u64>();
        let words = memory.bytes() / size_of::<u64>();
        let words = NonNull::slice_from_raw_parts(start, words);
        start.is_aligned().then_some(words)
    }

    pub(super) fn device(&self) -> &Arc<Device> {
        &self.device
    }

    pub(super) fn memory(&self) -> Option<&Arc<Block>> {
        self.memory.as_ref()
    }

    /// Leaves the buffer empty, for as long as the device writes its memory.
    pub(super) fn take(&mut self) -> Option<Arc<Block>> {
        self.memory.take()
    }

    /// Gives back what [`Self::take`] took.
    ///
    /// # Safety
    /// No submission in flight writes `memory`, and no other buffer has it.
    pub(super) unsafe fn put_back(&mut self, memory: Option<Arc<Block>>) {
        self.memory = memory;
    }
}
