//! Buffers by direction: what the host may do with each is in its type.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use vk_core::ash::{self, vk};

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

/// Memory that the device writes and the host reads: the only type through
/// which the host sees device results.
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

    /// Records the barrier that makes writes of `access` at `stage` visible
    /// to the host: waiting for the submission alone does not.
    ///
    /// # Safety
    /// `commands` is being recorded; this buffer outlives its submission.
    pub(crate) unsafe fn record_host_barrier(
        &self,
        device: &ash::Device,
        commands: vk::CommandBuffer,
        stage: vk::PipelineStageFlags,
        access: vk::AccessFlags,
    ) {
        let barrier = [vk::BufferMemoryBarrier::default()
            .src_access_mask(access)
            .dst_access_mask(vk::AccessFlags::HOST_READ)
            .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
            .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
            .buffer(self.raw())
            .size(vk::WHOLE_SIZE)];
        let host = vk::PipelineStageFlags::HOST;
        let none = vk::DependencyFlags::empty();
        // SAFETY: this function's contract; the barrier is on a live buffer.
        unsafe { device.cmd_pipeline_barrier(commands, stage, host, none, &[], &barrier, &[]) };
    }

    /// The bytes of `range`, as the device left them.
    ///
    /// # Errors
    /// [`Error::Internal`] for a range past the end, else what invalidating
    /// returned.
    ///
    /// # Safety
    /// A submission that wrote all of `range` and then ran
    /// [`Self::record_host_barrier`] is complete; none in flight writes it.
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

fn outside(what: &'static str, range: &Range<usize>) -> Error {
    Error::Internal {
        what: format!("expected {what} inside the mapped buffer, found {range:?}"),
    }
}
