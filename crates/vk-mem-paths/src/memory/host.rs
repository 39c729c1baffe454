//! Blocks that the host reaches: what it may do with each is in its type.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use super::{Access, Block, Memory, MemoryUse, Region};
use crate::Error;

/// Memory that the host writes and the device reads.
pub(crate) struct UploadBuffer(Arc<Block>);

impl UploadBuffer {
    /// `range` of it, read by the device.
    pub(crate) fn region(&self, range: Range<usize>) -> Region {
        Region::new(&self.0, range, Access::Read)
    }

    /// `purpose` says which memory: one of those that the host writes.
    pub(crate) fn new(
        memory: &Arc<Memory>,
        purpose: MemoryUse,
        size: usize,
    ) -> Result<Self, Error> {
        Ok(Self(Arc::new(memory.block(size, purpose)?)))
    }

    /// The host's view of `range`, to be written before [`Self::flush`].
    ///
    /// # Safety
    /// No submission in flight reads the buffer.
    pub(crate) unsafe fn view(
        &mut self,
        range: &Range<usize>,
    ) -> Result<&mut [MaybeUninit<u8>], Error> {
        let Some(place) = self.0.mapped(range) else {
            return Err(outside("an upload range", range));
        };
        // SAFETY: mapped and inside by `mapped`; bytes of MaybeUninit need no value; not read
        // by the device by this function's contract; `&mut self` excludes other host views.
        Ok(unsafe { std::slice::from_raw_parts_mut(place.as_ptr().cast(), range.len()) })
    }

    pub(crate) fn flush(&self, range: &Range<usize>) -> Result<(), Error> {
        self.0.flush(range)
    }
}

/// Memory that the device writes and the host reads: with [`HostBuffer`](crate::HostBuffer) the
/// only type through which the host sees device results. Clones are the same memory.
#[derive(Clone)]
pub(crate) struct ReadbackBuffer(Arc<Block>);

impl ReadbackBuffer {
    /// `range` of it, written by the device.
    pub(crate) fn region(&self, range: Range<usize>) -> Region {
        Region::new(&self.0, range, Access::Write)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    pub(crate) fn new(memory: &Arc<Memory>, size: usize) -> Result<Self, Error> {
        Ok(Self(Arc::new(memory.block(size, MemoryUse::Readback)?)))
    }

    /// The bytes of `range`, as the device left them.
    ///
    /// # Errors
    /// [`Error::Internal`] for a range past the end, else what invalidating
    /// returned.
    ///
    /// # Safety
    /// A submission that wrote all of `range` and ended with the barrier to
    /// the host is complete; none in flight writes it.
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
    let expected = format_args!("{what} inside the mapped buffer");
    Error::internal(expected, format_args!("{range:?}"))
}
