//! Copies between the caller's slices and mapped memory.

use std::mem::MaybeUninit;

use crate::Crew;

/// From this many bytes on, a copy is spread over the crew: below, waking it
/// costs more than it saves.
const PARALLEL_FROM: usize = 1 << 20;
/// Bytes that one thread copies at a time; enough to hide the taking of the
/// next piece, small enough to balance uneven threads.
const PIECE: usize = 256 << 10;

/// One contiguous copy: source and destination have equal lengths.
pub(crate) type Copy<'a> = (&'a [u8], &'a mut [MaybeUninit<u8>]);

/// Runs all `copies`, with the help of `crew` where there is one and they are
/// large enough.
pub(crate) fn run(copies: Vec<Copy<'_>>, crew: Option<&mut Crew>) {
    let total: usize = copies.iter().map(|(from, _)| from.len()).sum();
    let crew = match crew {
        Some(crew) if total >= PARALLEL_FROM => crew,
        _ => return copies.into_iter().for_each(copy),
    };
    let pieces = copies
        .into_iter()
        .flat_map(|(from, to)| from.chunks(PIECE).zip(to.chunks_mut(PIECE)));
    crew.for_each(total.div_ceil(PIECE), pieces, copy);
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
        for (len, with_crew) in sizes
            .into_iter()
            .flat_map(|len| [(len, false), (len, true)])
        {
            let from: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut to = vec![MaybeUninit::new(0xff); len];
            let mut other = vec![MaybeUninit::new(0xff); 3];
            let copies = vec![
                (from.as_slice(), to.as_mut_slice()),
                (b"abc", other.as_mut_slice()),
            ];
            run(copies, with_crew.then_some(&mut crew));
            // SAFETY: all bytes were initialised when the vectors were made.
            let byte = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() };
            assert!(to.iter().map(byte).eq(from), "{len} bytes");
            assert!(other.iter().map(byte).eq(*b"abc"));
        }
    }
}
