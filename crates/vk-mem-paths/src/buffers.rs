//! Buffers by direction: what the host may do with each is in its type.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use vk_core::ash::vk;

use crate::memory::{Buffer, Memory};
use crate::{Error, MemoryUse};

const STORAGE: vk::BufferUsageFlags = vk::BufferUsageFlags::STORAGE_BUFFER;

/// Memory that only the device touches.
pub(crate) struct DeviceBuffer(Buffer);

impl DeviceBuffer {
    pub(crate) fn new(memory: &Arc<Memory>, size: usize) -> Result<Self, Error> {
        let copies = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
        memory
            .buffer(size, STORAGE | copies, MemoryUse::Device)
            .map(Self)
    }

    pub(crate) fn raw(&self) -> vk::Buffer {
        self.0.raw()
    }
}

/// Memory that the host writes and the device reads.
pub(crate) struct UploadBuffer(Buffer);

impl UploadBuffer {
    /// `purpose` says which memory: one of those that the host writes.
    pub(crate) fn new(
        memory: &Arc<Memory>,
        purpose: MemoryUse,
        size: usize,
    ) -> Result<Self, Error> {
        let copies = vk::BufferUsageFlags::TRANSFER_SRC;
        memory.buffer(size, STORAGE | copies, purpose).map(Self)
    }

    pub(crate) fn raw(&self) -> vk::Buffer {
        self.0.raw()
    }

    /// The host's view of two ranges, to be written before [`Self::flush`].
    ///
    /// # Errors
    /// [`Error::Internal`] for ranges that overlap or lie past the end.
    ///
    /// # Safety
    /// No submission in flight reads the buffer.
    pub(crate) unsafe fn views(
        &mut self,
        [first, second]: [Range<usize>; 2],
    ) -> Result<[&mut [MaybeUninit<u8>]; 2], Error> {
        let places = (self.0.mapped(&first), self.0.mapped(&second));
        let (Some(a), Some(b)) = places else {
            return Err(outside("an upload range", &second));
        };
        if first.end > second.start {
            return Err(outside("two disjoint upload ranges", &second));
        }
        // SAFETY: mapped and inside by `mapped`; bytes of MaybeUninit need no
        // value; not read by the device by this function's contract; `&mut
        // self` excludes other host views.
        let a = unsafe { std::slice::from_raw_parts_mut(a.as_ptr().cast(), first.len()) };
        // SAFETY: as above, and disjoint from `a` by the check.
        let b = unsafe { std::slice::from_raw_parts_mut(b.as_ptr().cast(), second.len()) };
        Ok([a, b])
    }

    /// Makes what the host wrote to `range` available to the device.
    pub(crate) fn flush(&self, range: &Range<usize>) -> Result<(), Error> {
        self.0.flush(range)
    }
}

/// Memory that the device writes and the host reads: with [`SharedBuffer`] the
/// only type through which the host sees device results.
pub(crate) struct ReadbackBuffer(Buffer);

impl ReadbackBuffer {
    pub(crate) fn new(memory: &Arc<Memory>, size: usize) -> Result<Self, Error> {
        let copies = vk::BufferUsageFlags::TRANSFER_DST;
        memory
            .buffer(size, STORAGE | copies, MemoryUse::Readback)
            .map(Self)
    }

    pub(crate) fn raw(&self) -> vk::Buffer {
        self.0.raw()
    }

    /// The bytes of `range`, as the device left them.
    ///
    /// # Errors
    /// [`Error::Internal`] for a range past the end, else what invalidating
    /// returned.
    ///
    /// # Safety
    /// A submission that wrote all of `range` and ended with the barrier to
    /// the host (`record`) is complete; none in flight writes it.
    pub(crate) unsafe fn read(&self, range: &Range<usize>) -> Result<&[u8], Error> {
        let Some(place) = self.0.mapped(range) else {
            return Err(outside("a readback range", range));
        };
        self.0.invalidate(range)?;
        // SAFETY: mapped and inside by `mapped`; written, made visible and
        // not written again by this function's contract.
        Ok(unsafe { std::slice::from_raw_parts(place.as_ptr(), range.len()) })
    }
}

/// Memory in which host and device work on the same words.
///
/// Host and device are kept apart by whoever holds it (rules of `pinned`): this
/// type only says where the words are.
pub(crate) struct SharedBuffer {
    buffer: Buffer,
    start: NonNull<u64>,
    words: usize,
}

// SAFETY: `start` points into the memory of `buffer`, which is Send and Sync;
// what may be read or written through it is up to whoever uses it.
unsafe impl Send for SharedBuffer {}
// SAFETY: as above.
unsafe impl Sync for SharedBuffer {}

impl SharedBuffer {
    /// `words` words (1 or more), all zero.
    pub(crate) fn new(memory: &Arc<Memory>, words: usize) -> Result<Self, Error> {
        let copies = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
        let bytes = words.saturating_mul(size_of::<u64>());
        // Cached memory first: the host reads and writes it like its own.
        let buffer = memory.buffer(bytes, STORAGE | copies, MemoryUse::Readback)?;
        let start = buffer.mapped(&(0..bytes)).map(NonNull::cast::<u64>);
        let start = start.filter(|start| start.is_aligned());
        let start = start.ok_or_else(|| Error::Internal {
            what: format!("expected {words} mapped and aligned words, found {start:?}"),
        })?;
        // SAFETY: mapped and aligned by the checks above; nobody else knows
        // the buffer yet.
        unsafe { start.write_bytes(0, words) };
        Ok(Self {
            buffer,
            start,
            words,
        })
    }

    pub(crate) fn raw(&self) -> vk::Buffer {
        self.buffer.raw()
    }

    /// The words: mapped and initialised for as long as this value lives.
    pub(crate) fn words(&self) -> NonNull<[u64]> {
        NonNull::slice_from_raw_parts(self.start, self.words)
    }

    /// How long it is, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.words * size_of::<u64>()
    }

    /// Makes what the host wrote available to the device.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.buffer.flush(&(0..self.bytes()))
    }

    /// Makes what the device wrote visible to the host, once the submission
    /// that wrote it and ended with the barrier to the host is complete.
    pub(crate) fn invalidate(&self) -> Result<(), Error> {
        self.buffer.invalidate(&(0..self.bytes()))
    }
}

fn outside(what: &'static str, range: &Range<usize>) -> Error {
    Error::Internal {
        what: format!("expected {what} inside the mapped buffer, found {range:?}"),
    }
}
