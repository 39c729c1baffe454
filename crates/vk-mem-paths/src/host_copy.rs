//! Copies between the caller's slices and mapped memory.

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// From this many bytes on, a copy is spread over the threads of the pool:
/// below, waking them costs more than they save.
const PARALLEL_FROM: usize = 2 << 20;
/// Bytes that one thread copies at a time; a few pages of work each, small
/// enough to balance uneven threads.
const PIECE: usize = 512 << 10;

/// One contiguous copy: source and destination have equal lengths.
pub(crate) type Copy<'a> = (&'a [u8], &'a mut [MaybeUninit<u8>]);

/// Runs all `copies`; in parallel where that is asked for and they are large
/// enough.
pub(crate) fn run(copies: Vec<Copy<'_>>, parallel: bool) {
    let total: usize = copies.iter().map(|(from, _)| from.len()).sum();
    if !parallel || total < PARALLEL_FROM || rayon::current_num_threads() == 1 {
        for (from, to) in copies {
            to.write_copy_of_slice(from);
        }
        return;
    }
    let pieces: Vec<Copy<'_>> = copies
        .into_iter()
        .flat_map(|(from, to)| from.chunks(PIECE).zip(to.chunks_mut(PIECE)))
        .collect();
    pieces.into_par_iter().for_each(|(from, to)| {
        to.write_copy_of_slice(from);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_copies_arrive_whole() {
        for len in [
            0,
            1,
            PIECE - 1,
            PIECE,
            PIECE + 1,
            PARALLEL_FROM,
            3 * PARALLEL_FROM + 8,
        ] {
            let from: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut to = vec![MaybeUninit::new(0xff); len];
            let mut other = vec![MaybeUninit::new(0xff); 3];
            let copies = vec![
                (from.as_slice(), to.as_mut_slice()),
                (b"abc", other.as_mut_slice()),
            ];
            run(copies, len % 2 == 0);
            // SAFETY: `run` wrote every byte, and all were initialised before.
            let same = to
                .iter()
                .zip(&from)
                .all(|(to, from)| unsafe { to.assume_init() } == *from);
            assert!(same, "{len} bytes");
        }
    }
}
