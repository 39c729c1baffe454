//! The work of a run: chunks that own their part of the jobs' slices.

use std::mem::MaybeUninit;

use crate::fresh::{self, Page};
use crate::host_copy::Stores;
use crate::transfer::Job;
use crate::{Chunk, Chunks};

/// The bytes of one segment: two inputs and where the result goes.
pub(crate) struct Piece<'a> {
    pub(crate) a: &'a [u8],
    pub(crate) b: &'a [u8],
    pub(crate) out: &'a mut [MaybeUninit<u8>],
    /// Up to here its pages were touched, or need not be.
    pub(crate) touched: usize,
}

/// One chunk with the bytes of its segments, in order.
pub(crate) struct ChunkWork<'a> {
    pub(crate) elements: usize,
    pub(crate) pieces: Vec<Piece<'a>>,
    /// How the host copies the results.
    pub(crate) stores: Stores,
}

impl ChunkWork<'_> {
    /// The pages of its results that nobody has touched, to be touched now;
    /// none when called again.
    pub(crate) fn take_untouched(&mut self) -> impl Iterator<Item = Page<'_>> {
        self.pieces.iter_mut().flat_map(|piece| {
            let touched = std::mem::replace(&mut piece.touched, piece.out.len());
            fresh::pages(piece.out, touched).map(|(_, page)| page)
        })
    }
}

/// What is left of a job.
struct Rest<'a> {
    job: Job<'a>,
    /// Up to here the pages of its results were touched, or need not be.
    touched: usize,
}

/// The chunks of a run, in order, each with the bytes that it computes.
///
/// Each holds the only reference to its part of the results, so no element is
/// written twice.
pub(crate) struct Work<'a> {
    chunks: Chunks<'a>,
    jobs: Vec<Rest<'a>>,
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
        let rest = |job: Job<'a>| Rest {
            touched: if job.fresh { 0 } else { job.out.len() },
            job,
        };
        Self {
            chunks,
            jobs: jobs.into_iter().map(rest).collect(),
            element_bytes,
            stores,
        }
    }

    /// The next `count` untouched pages of results that no chunk has taken
    /// yet, to be touched now; fewer at the end.
    pub(crate) fn pages_ahead(&mut self, count: usize) -> Vec<Page<'_>> {
        let mut ahead = Vec::with_capacity(count);
        for rest in &mut self.jobs {
            let left = count - ahead.len();
            if left == 0 {
                break;
            }
            let pages = fresh::pages(rest.job.out, rest.touched).take(left);
            for (place, page) in pages {
                rest.touched = place + 1;
                ahead.push(page);
            }
        }
        ahead
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
            let Rest { job, touched } = &mut self.jobs[segment.job];
            let bytes = segment.len * self.element_bytes;
            let (a, b, out);
            (a, job.a) = job.a.split_at(bytes);
            (b, job.b) = job.b.split_at(bytes);
            (out, job.out) = std::mem::take(&mut job.out).split_at_mut(bytes);
            let of_piece = (*touched).min(bytes);
            *touched -= of_piece;
            Piece {
                a,
                b,
                out,
                touched: of_piece,
            }
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

    #[test]
    fn pages_are_touched_once_ahead_or_by_the_chunk_that_took_them() {
        const PAGE: usize = 2 << 20;
        let inputs = vec![1; 5 * PAGE];
        let mut memory = vec![MaybeUninit::new(1); 5 * PAGE];
        let mut kept = vec![MaybeUninit::new(1); 5 * PAGE];
        let pages = (memory.len() - memory.as_ptr().align_offset(PAGE)).div_ceil(PAGE);
        let job = |out, fresh| Job {
            a: &inputs,
            b: &inputs,
            out,
            fresh,
        };
        let jobs = vec![job(&mut kept, false), job(&mut memory, true)];
        let elements = [5 * PAGE, 5 * PAGE];
        let chunks = Chunks::new(&elements, 4 * PAGE, Packing::AcrossJobs);
        let mut work = Work::new(chunks, jobs, 1, Stores::Cached);
        let touch = |pages: Vec<Page<'_>>| {
            let count = pages.len();
            for page in pages {
                page.write(0);
            }
            count
        };
        assert_eq!(touch(work.next().unwrap().take_untouched().collect()), 0);
        assert_eq!(touch(work.pages_ahead(2)), 2);
        let mut rest = 0;
        while let Some(mut chunk) = work.next() {
            rest += touch(chunk.take_untouched().collect());
            rest += touch(work.pages_ahead(1));
        }
        assert_eq!(rest, pages - 2);
        // SAFETY: all were initialised above.
        let zero = |byte: &&MaybeUninit<u8>| unsafe { byte.assume_init() } == 0;
        assert_eq!(memory.iter().filter(zero).count(), pages);
        assert!(!kept.iter().any(|byte| zero(&byte)));
    }
}
