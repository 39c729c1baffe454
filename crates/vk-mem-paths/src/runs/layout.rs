//! Where the operands of a chunk lie inside a slot's buffers.

use std::ops::Range;

use vk_core::DeviceCaps;

/// The places of A, B and the output for chunks of up to `capacity` elements.
///
/// A and B share one input buffer, B starting at a fixed, aligned offset, so
/// that a shorter chunk moves nothing; the output has a buffer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    element_bytes: usize,
    b_offset: usize,
}

impl Layout {
    /// The layout for chunks of up to `capacity` elements on a device with `caps`.
    pub(crate) fn on(caps: &DeviceCaps, capacity: usize, element_bytes: usize) -> Self {
        let alignment = usize::try_from(caps.limits.storage_buffer_alignment);
        Self::new(capacity, element_bytes, alignment.unwrap_or(usize::MAX))
    }

    /// The layout for `capacity` elements of `element_bytes` bytes, with B at
    /// a multiple of `alignment`.
    fn new(capacity: usize, element_bytes: usize, alignment: usize) -> Self {
        Self {
            element_bytes,
            b_offset: (capacity * element_bytes).next_multiple_of(alignment),
        }
    }

    /// Whether there is room for chunks of `elements` elements of `element_bytes` bytes.
    pub(crate) fn fits(&self, elements: usize, element_bytes: usize) -> bool {
        self.element_bytes == element_bytes && elements * element_bytes <= self.b_offset
    }

    /// Bytes of the input buffer.
    pub(crate) fn input_bytes(&self) -> usize {
        2 * self.b_offset
    }

    /// Bytes of the output buffer.
    pub(crate) fn output_bytes(&self) -> usize {
        self.b_offset
    }

    /// A's bytes in the input buffer for a chunk of `elements`.
    pub(crate) fn a(&self, elements: usize) -> Range<usize> {
        0..elements * self.element_bytes
    }

    /// B's bytes in the input buffer for a chunk of `elements`.
    pub(crate) fn b(&self, elements: usize) -> Range<usize> {
        self.b_offset..self.b_offset + elements * self.element_bytes
    }

    /// The output's bytes in the output buffer for a chunk of `elements`.
    pub(crate) fn out(&self, elements: usize) -> Range<usize> {
        0..elements * self.element_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_is_aligned_and_overlaps_nothing() {
        for (capacity, alignment) in [(1, 16), (1, 256), (5, 64), (128, 16), (129, 256)] {
            let layout = Layout::new(capacity, 48, alignment);
            let (a, b) = (layout.a(capacity), layout.b(capacity));
            assert!(a.end <= b.start && b.end <= layout.input_bytes());
            assert_eq!(b.start % alignment, 0);
            assert_eq!(a.len(), 48 * capacity);
            assert_eq!(layout.b(1), b.start..b.start + 48);
            assert!(layout.out(capacity).end <= layout.output_bytes());
        }
    }
}
