//! The work of a run: chunks that own their part of the jobs' slices.

use std::mem::MaybeUninit;

use crate::host_copy::Stores;
use crate::transfer::Job;
use crate::{Chunk, Chunks};

/// The bytes of one segment: two inputs and where the result goes.
pub(crate) struct Piece<'a> {
    pub(crate) a: &'a [u8],
    pub(crate) b: &'a [u8],
    pub(crate) out: &'a mut [MaybeUninit<u8>],
}

/// One chunk with the bytes of its segments, in order.
pub(crate) struct ChunkWork<'a> {
    pub(crate) elements: usize,
    pub(crate) pieces: Vec<Piece<'a>>,
    /// How the host copies the results.
    pub(crate) stores: Stores,
}

/// The chunks of a run, in order, each with the bytes that it computes.
///
/// Each holds the only reference to its part of the results, so no element is
/// written twice.
pub(crate) struct Work<'a> {
    chunks: Chunks<'a>,
    jobs: Vec<Job<'a>>,
    element_bytes: usize,
    stores: Stores,
}

impl<'a> Work<'a> {
    /// The chunks of `jobs`, cut by `chunks`, with elements of
    /// `element_bytes`, whose results the host copies with `stores`.
    pub(crate) fn new(
        chunks: Chunks<'a>,
        jobs: Vec<Job<'a>>,
        element_bytes: usize,
        stores: Stores,
    ) -> Self {
        Self {
            chunks,
            jobs,
            element_bytes,
            stores,
        }
    }
}

impl<'a> Iterator for Work<'a> {
    type Item = ChunkWork<'a>;

    fn next(&mut self) -> Option<ChunkWork<'a>> {
        let chunk = self.chunks.next()?;
        Some(self.cut(&chunk))
    }
}

impl<'a> Work<'a> {
    /// Splits the front of each job's slices off: chunks come in order.
    fn cut(&mut self, chunk: &Chunk) -> ChunkWork<'a> {
        let pieces = chunk.segments.iter().map(|segment| {
            let job = &mut self.jobs[segment.job];
            let bytes = segment.len * self.element_bytes;
            let (a, b, out);
            (a, job.a) = job.a.split_at(bytes);
            (b, job.b) = job.b.split_at(bytes);
            (out, job.out) = std::mem::take(&mut job.out).split_at_mut(bytes);
            Piece { a, b, out }
        });
        ChunkWork {
            elements: chunk.elements,
            pieces: pieces.collect(),
            stores: self.stores,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Packing;

    #[test]
    fn chunks_own_their_part_of_every_job() {
        let (a, b) = (*b"aaAAbbBBcc", *b"0011223344");
        let mut out = [MaybeUninit::new(b'-'); 10];
        let (first, second) = out.split_at_mut(4);
        let jobs = vec![
            Job {
                a: &a[..4],
                b: &b[..4],
                out: first,
                fresh: false,
            },
            Job {
                a: &a[4..],
                b: &b[4..],
                out: second,
                fresh: false,
            },
        ];
        let elements = [2, 3];
        let mut work = Work::new(
            Chunks::new(&elements, 3, Packing::AcrossJobs),
            jobs,
            2,
            Stores::Cached,
        );
        let chunk = work.next().unwrap();
        assert_eq!(chunk.elements, 3);
        let inputs: Vec<_> = chunk
            .pieces
            .iter()
            .map(|piece| (piece.a, piece.b))
            .collect();
        assert_eq!(inputs, [(&b"aaAA"[..], &b"0011"[..]), (b"bb", b"22")]);
        let lengths: Vec<_> = chunk.pieces.iter().map(|piece| piece.out.len()).collect();
        assert_eq!(lengths, [4, 2]);
        assert_eq!(work.map(|chunk| chunk.elements).sum::<usize>(), 2);
    }
}
