//! Copies between the caller's slices and mapped memory.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use crate::{CheckedCopy, Crew};

/// From this many bytes on, a copy is spread over the crew: below, waking it
/// costs more than it saves.
const PARALLEL_FROM: usize = 1 << 20;
/// Bytes that one thread copies at a time: enough to hide the taking of the
/// next piece, little enough for many threads to end at the same time.
const PIECE: usize = 64 << 10;

/// One contiguous copy: source and destination have equal lengths.
pub(crate) type Copy<'a> = (&'a [u8], &'a mut [MaybeUninit<u8>]);

/// Runs all `copies`, with the help of `crew` where they are large enough.
pub(crate) fn run(copies: Vec<Copy<'_>>, crew: &mut Crew) {
    let total: usize = copies.iter().map(|(from, _)| from.len()).sum();
    if total < PARALLEL_FROM {
        return alone(copies);
    }
    let pieces = copies
        .into_iter()
        .flat_map(|(from, to)| from.chunks(PIECE).zip(to.chunks_mut(PIECE)));
    crew.for_each(total.div_ceil(PIECE), pieces, copy);
}

/// An element that a check refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refused {
    /// Which copy has it.
    pub(crate) copy: usize,
    /// Its position there, in elements.
    pub(crate) element: usize,
}

/// As [`run`], with the elements of `element_bytes` bytes
/// copied by `check`. Where that refuses some, says which is the first.
pub(crate) fn run_checked(
    copies: Vec<Copy<'_>>,
    element_bytes: usize,
    check: CheckedCopy,
    crew: &mut Crew,
) -> Option<Refused> {
    let total: usize = copies.iter().map(|(from, _)| from.len()).sum();
    let piece = whole_elements(PIECE, element_bytes);
    let pieces = copies
        .into_iter()
        .enumerate()
        .flat_map(|(copy, (from, to))| {
            let pieces = from.chunks(piece).zip(to.chunks_mut(piece)).enumerate();
            pieces.map(move |(number, piece)| (copy, number, piece))
        });
    let first: Mutex<Option<Refused>> = Mutex::new(None);
    let task = |(copy, number, (from, to)): (usize, usize, Copy<'_>)| {
        let Some(inside) = check(from, to) else {
            return;
        };
        let element = number * (piece / element_bytes.max(1)) + inside;
        let refused = Refused { copy, element };
        // Written as a whole, so a panic elsewhere left it whole.
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        *first = Some(first.map_or(refused, |other| other.min(refused)));
    };
    match total < PARALLEL_FROM {
        true => pieces.for_each(task),
        false => crew.for_each(total.div_ceil(piece), pieces, task),
    }
    first.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// About `bytes` bytes, in whole elements, one at least.
fn whole_elements(bytes: usize, element_bytes: usize) -> usize {
    let element_bytes = element_bytes.max(1);
    (bytes / element_bytes).max(1) * element_bytes
}

/// Runs all `copies` on the caller's thread.
pub(crate) fn alone(copies: Vec<Copy<'_>>) {
    copies.into_iter().for_each(copy);
}

fn copy((from, to): Copy<'_>) {
    to.write_copy_of_slice(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_copies_arrive_whole_alone_and_with_a_crew() {
        let mut crew = Crew::new(3).unwrap();
        let sizes = [
            0,
            1,
            PIECE - 1,
            PIECE,
            PIECE + 1,
            PARALLEL_FROM,
            3 * PARALLEL_FROM + 7,
        ];
        let ways = sizes.into_iter();
        let ways = ways.flat_map(|len| [false, true].map(|with_crew| (len, with_crew)));
        for (len, with_crew) in ways {
            let from: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            // Starts inside a cache line.
            let mut to = vec![MaybeUninit::new(0xff); len + 1];
            let mut other = vec![MaybeUninit::new(0xff); 3];
            let copies = vec![
                (from.as_slice(), &mut to[1..]),
                (b"abc", other.as_mut_slice()),
            ];
            match with_crew {
                true => run(copies, &mut crew),
                false => alone(copies),
            }
            // SAFETY: all bytes were initialised when the vectors were made.
            let byte = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() };
            assert_eq!(byte(&to[0]), 0xff);
            assert!(to[1..].iter().map(byte).eq(from), "{len} bytes");
            assert!(other.iter().map(byte).eq(*b"abc"));
        }
    }

    /// Refuses elements of 3 bytes that begin with a 9.
    fn nines(from: &[u8], to: &mut [MaybeUninit<u8>]) -> Option<usize> {
        assert!(from.len().is_multiple_of(3), "{} bytes", from.len());
        copy((from, to));
        from.chunks(3).position(|element| element[0] == 9)
    }

    #[test]
    fn the_first_refused_element_is_told_and_what_passes_is_copied() {
        let mut crew = Crew::new(3).unwrap();
        for elements in [1, PIECE / 3, PIECE / 3 + 1, PIECE, PARALLEL_FROM] {
            let mut from = vec![1; 3 * elements];
            let mut to = vec![MaybeUninit::new(0_u8); 3 * elements];
            let mut run = |from: &[u8]| {
                let (one, other) = (&b"abc"[..], from);
                let mut small = [MaybeUninit::uninit(); 3];
                let copies = vec![(one, &mut small[..]), (other, &mut to[..])];
                run_checked(copies, 3, nines, &mut crew)
            };
            assert_eq!(run(&from), None);
            for bad in [elements - 1, elements / 2, 0] {
                from[3 * bad] = 9;
                let refused = Refused {
                    copy: 1,
                    element: bad,
                };
                assert_eq!(run(&from), Some(refused), "of {elements}");
            }
            // SAFETY: all bytes were initialised when the vector was made.
            let byte = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() };
            assert!(to.iter().map(byte).eq(from));
        }
    }
}
