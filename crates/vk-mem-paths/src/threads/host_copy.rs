//! Copies between the caller's slices and mapped memory.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use vk_core::lock;

use super::ThreadPool;

/// Copies whole elements from one place to another of equal length, and returns
/// the first one that may not go into a kernel; what is copied then does not
/// matter.
///
/// Looking and copying are one step because they are one pass over memory.
pub type CheckedCopy = fn(&[u8], &mut [MaybeUninit<u8>]) -> Option<Refused>;

/// An element that may not go into a kernel: made by the check that finds it, and the error
/// of whoever asked for the copy. Of two the one that comes first is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error(
    "{}element {element} of {what} ({name}): expected limb {limb} below {bound:#x}, found {found:#x}",
    job.map_or_else(String::new, |job| format!("job {job}, "))
)]
pub struct Refused {
    /// The job in its batch, from 0, where it is an input of one.
    pub job: Option<usize>,
    /// Whose element: `A` or `B` of a job, else `the vector` and the like.
    pub what: &'static str,
    /// Its position there, from 0.
    pub element: usize,
    /// The name of the elements' type.
    pub name: &'static str,
    /// Which of its 64-bit limbs decides, from 0 for the lowest: those above are the bound's.
    pub limb: usize,
    /// That limb of the bound, below which elements are.
    pub bound: u64,
    /// That limb of the element.
    pub found: u64,
}

impl Refused {
    /// The same where `elements` others come before those that were looked at.
    #[must_use]
    pub fn after(self, elements: usize) -> Self {
        let element = elements + self.element;
        Self { element, ..self }
    }

    /// The same as an element of `what`, of a job or of none.
    #[must_use]
    pub fn of(self, job: impl Into<Option<usize>>, what: &'static str) -> Self {
        let job = job.into();
        Self { job, what, ..self }
    }
}

/// All that the data path knows of an element.
#[derive(Clone, Copy, Debug)]
pub struct ElementFormat {
    /// Its bytes.
    pub bytes: usize,
    /// How the elements of the inputs are copied where not all of them may go
    /// in; `None` takes any.
    pub check: Option<CheckedCopy>,
}

impl From<usize> for ElementFormat {
    /// Elements of `bytes` bytes, any of which may go into a kernel.
    fn from(bytes: usize) -> Self {
        Self { bytes, check: None }
    }
}

/// From this many bytes on, a copy is spread over the threads: below, waking it
/// costs more than it saves.
const PARALLEL_FROM: usize = 1 << 20;
/// Bytes that one thread copies at a time: enough to hide the taking of the
/// next piece, little enough for many threads to end at the same time.
const PIECE: usize = 64 << 10;

/// One contiguous copy: source and destination have equal lengths.
pub(crate) type Copy<'a> = (&'a [u8], &'a mut [MaybeUninit<u8>]);

/// Runs all `copies`, with the help of `threads` where they are large enough.
pub(crate) fn run(copies: Vec<Copy<'_>>, threads: &mut ThreadPool) {
    in_pieces(copies, PIECE, threads, |_, _, piece| copy(piece));
}

/// Runs all `copies`, as [`run`] does, and looks at each element where `element` says so.
/// Returns the first of the copies with an element that is refused, and its first such one.
pub(crate) fn run_checked(
    copies: Vec<Copy<'_>>,
    element: ElementFormat,
    threads: &mut ThreadPool,
) -> Option<(usize, Refused)> {
    let Some(check) = element.check else {
        run(copies, threads);
        return None;
    };
    let element_bytes = element.bytes.max(1);
    let refused = Least::default();
    let task = |number, first, (from, to): Copy<'_>| {
        if let Some(found) = check(from, to) {
            refused.note((number, found.after(first / element_bytes)));
        }
    };
    let whole_elements = (PIECE / element_bytes).max(1) * element_bytes;
    in_pieces(copies, whole_elements, threads, task);
    refused.into_inner()
}

/// Calls `task` with each piece of `size` bytes, or fewer at an end: the number of its copy,
/// the byte of that where it begins, and the piece.
fn in_pieces<'a>(
    copies: Vec<Copy<'a>>,
    size: usize,
    threads: &mut ThreadPool,
    task: impl Fn(usize, usize, Copy<'a>) + Sync,
) {
    let total: usize = copies.iter().map(|(from, _)| from.len()).sum();
    let copies = copies.into_iter().enumerate();
    let pieces = copies.flat_map(|(number, (from, to))| {
        let pieces = from.chunks(size).zip(to.chunks_mut(size));
        let firsts = (0..).step_by(size);
        firsts
            .zip(pieces)
            .map(move |(first, piece)| (number, first, piece))
    });
    let task = |(number, first, piece)| task(number, first, piece);
    if total < PARALLEL_FROM {
        return pieces.for_each(task);
    }
    // Short ones are taken together: taking costs as much as copying some kilobytes.
    let mut pieces = pieces.peekable();
    let groups = std::iter::from_fn(|| {
        let mut group = vec![pieces.next()?];
        let mut bytes = group[0].2.0.len();
        while let Some(next) = pieces.next_if(|(_, _, (from, _))| bytes + from.len() <= size) {
            bytes += next.2.0.len();
            group.push(next);
        }
        Some(group)
    });
    let all = |group: Vec<_>| group.into_iter().for_each(task);
    threads.for_each(total.div_ceil(size), groups, all);
}

/// The least of what several threads found.
#[derive(Debug)]
pub struct Least<T>(Mutex<Option<T>>);

impl<T: Ord + std::marker::Copy> Least<T> {
    /// Keeps `found` if it is less than all before.
    pub fn note(&self, found: T) {
        let mut least = lock(&self.0);
        *least = Some(least.map_or(found, |other| other.min(found)));
    }

    /// The least, if any was found.
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Least<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

fn copy((from, to): Copy<'_>) {
    to.write_copy_of_slice(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of bytes that were all initialised when they were made.
    fn values(bytes: &[MaybeUninit<u8>]) -> Vec<u8> {
        // SAFETY: as the tests make them.
        bytes.iter().map(|it| unsafe { it.assume_init() }).collect()
    }

    #[test]
    fn small_and_large_copies_arrive_whole() {
        let mut threads = ThreadPool::new(3).unwrap();
        let sizes = [
            0,
            1,
            PIECE - 1,
            PIECE,
            PIECE + 1,
            PARALLEL_FROM,
            3 * PARALLEL_FROM + 7,
        ];
        for len in sizes {
            let from: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            // Starts inside a cache line.
            let mut to = vec![MaybeUninit::new(0xff); len + 1];
            let mut other = vec![MaybeUninit::new(0xff); 3];
            let copies = vec![
                (from.as_slice(), &mut to[1..]),
                (b"abc", other.as_mut_slice()),
            ];
            run(copies, &mut threads);
            assert_eq!(values(&to[..1]), [0xff]);
            assert!(values(&to[1..]) == from, "{len} bytes");
            assert_eq!(values(&other), b"abc");
        }
    }

    /// Refuses elements of 3 bytes that begin with a 9.
    fn nines(from: &[u8], to: &mut [MaybeUninit<u8>]) -> Option<Refused> {
        assert!(from.len().is_multiple_of(3), "{} bytes", from.len());
        copy((from, to));
        let element = from.chunks(3).position(|element| element[0] == 9)?;
        Some(nine(element))
    }

    fn nine(element: usize) -> Refused {
        Refused {
            job: None,
            what: "a slice",
            element,
            name: "three bytes",
            limb: 0,
            bound: 9,
            found: 9,
        }
    }

    #[test]
    fn the_first_refused_element_is_named_and_what_passes_is_copied() {
        let mut threads = ThreadPool::new(3).unwrap();
        for elements in [1, PIECE / 3, PIECE / 3 + 1, PIECE, PARALLEL_FROM] {
            let mut from = vec![1; 3 * elements];
            let mut to = vec![MaybeUninit::new(0_u8); 3 * elements];
            let mut run = |from: &[u8], check| {
                let mut small = [MaybeUninit::uninit(); 3];
                let copies = vec![(&b"abc"[..], &mut small[..]), (from, &mut to[..])];
                run_checked(copies, ElementFormat { bytes: 3, check }, &mut threads)
            };
            assert_eq!(run(&from, Some(nines)), None);
            for bad in [elements - 1, elements / 2, 0] {
                from[3 * bad] = 9;
                let refused = Some((1, nine(bad)));
                assert_eq!(run(&from, Some(nines)), refused, "of {elements}");
                assert_eq!(run(&from, None), None);
            }
            assert!(values(&to) == from);
        }
    }

    #[test]
    fn of_many_short_copies_all_arrive_and_the_first_refused_one_is_named() {
        const SHORT: usize = 333;
        let mut threads = ThreadPool::new(3).unwrap();
        let copies = PARALLEL_FROM / SHORT + 2;
        let mut from: Vec<u8> = (0..7).cycle().take(copies * SHORT).collect();
        let mut to = vec![MaybeUninit::new(0xff); from.len()];
        let mut run = |from: &[u8]| {
            let copies = from.chunks(SHORT).zip(to.chunks_mut(SHORT)).collect();
            let check = Some(nines as CheckedCopy);
            let refused = run_checked(copies, ElementFormat { bytes: 3, check }, &mut threads);
            assert!(values(&to) == from);
            refused
        };
        assert_eq!(run(&from), None);
        for bad in [copies - 1, copies / 2, 1] {
            from[bad * SHORT + 6] = 9;
            assert_eq!(run(&from), Some((bad, nine(2))));
        }
    }
}
