//! Where elements lie in a binding, and how they are cut for dispatches. Pure.

use std::ops::Range;

/// Bytes of a part: what shaders count beginnings in.
pub(crate) const PART: usize = 16;

/// The range of bytes to bind for `elements` of `element_bytes` bytes each, and where they
/// begin in it, in parts: a binding begins at a multiple of `alignment`, which is a power
/// of two, and elements begin at multiples of [`PART`].
pub(super) fn window(
    elements: &Range<usize>,
    element_bytes: usize,
    alignment: u64,
) -> (Range<usize>, u32) {
    let alignment = usize::try_from(alignment).unwrap_or(PART).max(PART);
    let (first, end) = (elements.start * element_bytes, elements.end * element_bytes);
    let begin = first - first % alignment;
    let start = u32::try_from((first - begin) / PART).unwrap_or(u32::MAX);
    (begin..end, start)
}

/// `elements` in ranges of `most` at most, as equal as whole multiples of `group`
/// let them be.
pub(super) fn pieces(elements: usize, most: usize, group: usize) -> Vec<Range<usize>> {
    let most = (most / group * group).max(group.min(most)).max(1);
    let count = elements.div_ceil(most).max(1);
    let each = elements
        .div_ceil(count)
        .next_multiple_of(group)
        .min(most)
        .max(1);
    (0..elements)
        .step_by(each)
        .map(|first| first..elements.min(first + each))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_aligned_and_say_where_the_elements_do() {
        let at = |elements, alignment| window(&elements, 48, alignment);
        assert_eq!(at(0..3, 16), (0..144, 0));
        assert_eq!(at(1..3, 16), (48..144, 0));
        assert_eq!(at(1..3, 256), (0..144, 3));
        assert_eq!(at(7..8, 64), (320..384, 1));
        assert_eq!(at(7..8, 1), (336..384, 0));
    }

    #[test]
    fn pieces_cover_everything_once() {
        for (elements, most, group) in [
            (0, 10, 4),
            (1, 10, 4),
            (10, 10, 4),
            (11, 10, 4),
            (1000, 256, 128),
            (257, 256, 128),
            (5, 1, 128),
            (1 << 20, 1 << 18, 128),
        ] {
            let pieces = pieces(elements, most, group);
            let mut next = 0;
            for piece in &pieces {
                assert_eq!(piece.start, next);
                assert!(!piece.is_empty() && piece.len() <= most, "{piece:?}");
                next = piece.end;
            }
            assert_eq!(next, elements);
        }
        assert_eq!(pieces(1000, 512, 128), [0..512, 512..1000]);
    }
}
