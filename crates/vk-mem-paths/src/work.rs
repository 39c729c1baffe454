//! The work of a run: chunks that own their part of the jobs' slices.

use std::mem::MaybeUninit;

use crate::host_copy::Refused;
use crate::transfer::Job;
use crate::{Chunk, Chunks, Element, Error};

/// The bytes of one segment: two inputs and where the result goes.
pub(crate) struct Piece<'a> {
    /// The job that it belongs to, and its first element there.
    pub(crate) job: usize,
    pub(crate) first: usize,
    pub(crate) a: &'a [u8],
    pub(crate) b: &'a [u8],
    pub(crate) out: &'a mut [MaybeUninit<u8>],
}

/// One chunk with the bytes of its segments, in order.
pub(crate) struct ChunkWork<'a> {
    pub(crate) elements: usize,
    pub(crate) pieces: Vec<Piece<'a>>,
    pub(crate) element: Element,
}

impl ChunkWork<'_> {
    /// The error for an element that was refused, where the copies were A and
    /// B of each piece in turn.
    pub(crate) fn refusal(&self, refused: Refused) -> Error {
        match self.pieces.get(refused.copy / 2) {
            Some(piece) => Error::RefusedInput {
                job: piece.job,
                what: ["A", "B"][refused.copy % 2],
                element: piece.first + refused.element,
            },
            None => Error::Internal {
                what: format!(
                    "expected one of {} pieces refused, found {refused:?}",
                    self.pieces.len()
                ),
            },
        }
    }
}

/// The chunks of a run, in order, each with the bytes that it computes.
///
/// Each holds the only reference to its part of the results, so no element is
/// written twice.
pub(crate) struct Work<'a> {
    chunks: Chunks<'a>,
    jobs: Vec<Job<'a>>,
    element: Element,
}

impl<'a> Work<'a> {
    /// The chunks of `jobs`, cut by `chunks`.
    pub(crate) fn new(chunks: Chunks<'a>, jobs: Vec<Job<'a>>, element: Element) -> Self {
        Self {
            chunks,
            jobs,
            element,
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
            let bytes = segment.len * self.element.bytes;
            let (a, b, out);
            (a, job.a) = job.a.split_at(bytes);
            (b, job.b) = job.b.split_at(bytes);
            (out, job.out) = std::mem::take(&mut job.out).split_at_mut(bytes);
            Piece {
                job: segment.job,
                first: segment.first,
                a,
                b,
                out,
            }
        });
        ChunkWork {
            elements: chunk.elements,
            pieces: pieces.collect(),
            element: self.element,
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
            Element::from(2),
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
        let places: Vec<_> = chunk.pieces.iter().map(|p| (p.job, p.first)).collect();
        assert_eq!(places, [(0, 0), (1, 0)]);
        assert_eq!(work.map(|chunk| chunk.elements).sum::<usize>(), 2);
    }
}
