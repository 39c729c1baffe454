//! Cuts the jobs of a batch into chunks: one stream of work.

use std::mem::MaybeUninit;

use super::slot::OPERANDS;
use crate::Error;

/// One job: two inputs and an output of equal length, a whole number of
/// elements each.
pub struct Job<'a> {
    /// The first input.
    pub a: &'a [u8],
    /// The second input.
    pub b: &'a [u8],
    /// Where the result goes; needs no value before.
    pub out: &'a mut [MaybeUninit<u8>],
    /// Whether `out` is memory that nobody has written yet, whose pages are
    /// better touched before the results are copied in.
    pub fresh: bool,
}

/// Whether one chunk may carry elements of several jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// A chunk belongs to one job: each job is complete before the next
    /// begins.
    PerJob,
    /// A chunk takes from as many jobs as it has room for.
    AcrossJobs,
}

impl<'a> Job<'a> {
    /// Splits `bytes` bytes off the front. Each part holds the only reference to its part of
    /// the results, so no element is written twice.
    fn take(&mut self, bytes: usize) -> Self {
        let (a, b, out);
        (a, self.a) = self.a.split_at(bytes);
        (b, self.b) = self.b.split_at(bytes);
        (out, self.out) = std::mem::take(&mut self.out).split_at_mut(bytes);
        let fresh = self.fresh;
        Self { a, b, out, fresh }
    }
}

/// What one slot carries.
pub(super) struct Chunk<'a> {
    /// Parts of consecutive jobs, one of each, without gaps. Of an empty job there is nothing
    /// in it.
    pub(super) parts: Vec<Job<'a>>,
    /// The first part's job, by its position in the batch.
    pub(super) job: usize,
    /// The element of that job with which its part begins; the others begin with theirs.
    pub(super) element: usize,
    /// Elements in all; never 0.
    pub(super) elements: usize,
}

/// The chunks of a batch, in order. Every element of every job is in exactly
/// one of them.
pub(super) struct Chunks<'a> {
    /// What is left of each.
    jobs: Vec<Job<'a>>,
    element_bytes: usize,
    capacity: usize,
    packing: Packing,
    job: usize,
    element: usize,
}

impl<'a> Chunks<'a> {
    /// Cuts `jobs`, of elements of `element_bytes` bytes, into chunks of `capacity`
    /// elements at most; a capacity of 0 counts as 1.
    pub(super) fn new(
        jobs: &'a mut [Job<'_>],
        element_bytes: usize,
        capacity: usize,
        packing: Packing,
    ) -> Self {
        let whole = jobs.iter_mut().map(|job| Job {
            a: job.a,
            b: job.b,
            out: job.out,
            fresh: job.fresh,
        });
        Self {
            jobs: whole.collect(),
            element_bytes: element_bytes.max(1),
            capacity: capacity.max(1),
            packing,
            job: 0,
            element: 0,
        }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let mut chunk = Chunk {
            parts: Vec::new(),
            job: self.job,
            element: self.element,
            elements: 0,
        };
        while chunk.elements < self.capacity
            && let Some(job) = self.jobs.get_mut(self.job)
        {
            let left = job.a.len() / self.element_bytes;
            let elements = left.min(self.capacity - chunk.elements);
            chunk.parts.push(job.take(elements * self.element_bytes));
            chunk.elements += elements;
            self.element += elements;
            if elements == left {
                (self.job, self.element) = (self.job + 1, 0);
            }
            if self.packing == Packing::PerJob && chunk.elements > 0 {
                break;
            }
        }
        (chunk.elements > 0).then_some(chunk)
    }
}

/// How many elements each operand of a job has, by the operands' bytes.
///
/// # Errors
/// [`Error::InvalidJob`] for an operand that is not as many whole elements as A.
pub(super) fn elements_of(
    job: usize,
    bytes: [usize; 3],
    element_bytes: usize,
) -> Result<usize, Error> {
    let elements = bytes[0].checked_div(element_bytes).unwrap_or(0);
    let expected = elements * element_bytes;
    let mut named = OPERANDS.into_iter().zip(bytes);
    match named.find(|(_, found)| *found != expected) {
        None => Ok(elements),
        Some((what, found)) => Err(Error::InvalidJob {
            job,
            what,
            expected,
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BYTES: usize = 2;

    /// Of each chunk its elements, and of each of its parts the job, the first element and how
    /// many there are; of no empty one.
    type Cut = Vec<(usize, Vec<(usize, usize, usize)>)>;

    /// Cuts jobs of so many elements, of which each is its own number in A and in B.
    fn cut(sizes: &[usize], capacity: usize, packing: Packing) -> Cut {
        let bytes = |elements: &usize| -> Vec<u8> {
            let numbers = 0..u16::try_from(*elements).unwrap();
            numbers.flat_map(u16::to_ne_bytes).collect()
        };
        let inputs: Vec<_> = sizes.iter().map(bytes).collect();
        let mut outs: Vec<_> = inputs
            .iter()
            .map(|input| vec![MaybeUninit::uninit(); input.len()])
            .collect();
        let mut jobs: Vec<_> = inputs
            .iter()
            .zip(&mut outs)
            .map(|(input, out)| Job {
                a: input,
                b: input,
                out,
                fresh: false,
            })
            .collect();
        let chunks = Chunks::new(&mut jobs, BYTES, capacity, packing);
        let cut = |chunk: Chunk<'_>| {
            let firsts = std::iter::once(chunk.element).chain(std::iter::repeat(0));
            let parts = (chunk.job..).zip(firsts).zip(&chunk.parts);
            let parts = parts.map(|((job, first), part)| {
                let elements = part.a.len() / BYTES;
                let numbers = bytes(&(first + elements)).split_off(BYTES * first);
                assert_eq!((part.a, part.b), (&numbers[..], &numbers[..]));
                assert_eq!(part.out.len(), part.a.len());
                (job, first, elements)
            });
            (chunk.elements, parts.filter(|part| part.2 > 0).collect())
        };
        chunks.map(cut).collect()
    }

    fn sizes(jobs: &[usize], capacity: usize, packing: Packing) -> Vec<usize> {
        let cut = cut(jobs, capacity, packing);
        cut.into_iter().map(|(elements, _)| elements).collect()
    }

    #[test]
    fn a_huge_job_is_cut_and_small_jobs_are_packed() {
        assert_eq!(sizes(&[10], 4, Packing::AcrossJobs), [4, 4, 2]);
        assert_eq!(sizes(&[1, 1, 1], 4, Packing::AcrossJobs), [3]);
        assert_eq!(sizes(&[3, 3, 3], 4, Packing::AcrossJobs), [4, 4, 1]);
        assert_eq!(sizes(&[3, 6, 0, 1], 4, Packing::PerJob), [3, 4, 2, 1]);
    }

    #[test]
    fn nothing_gives_no_chunks() {
        for packing in [Packing::PerJob, Packing::AcrossJobs] {
            assert!(sizes(&[], 4, packing).is_empty());
            assert!(sizes(&[0, 0], 4, packing).is_empty());
        }
    }

    #[test]
    fn the_operand_that_is_not_as_many_whole_elements_as_a_is_named() {
        assert_eq!(elements_of(0, [0; 3], 48), Ok(0));
        assert_eq!(elements_of(0, [144; 3], 48), Ok(3));
        for (bytes, element_bytes, what, expected, found) in [
            ([95, 95, 95], 48, "A", 48, 95),
            ([47, 0, 0], 48, "A", 0, 47),
            ([96, 48, 96], 48, "B", 96, 48),
            ([96, 97, 96], 48, "B", 96, 97),
            ([96, 96, 144], 48, "the output", 96, 144),
            ([96, 96, 0], 48, "the output", 96, 0),
            // Elements of no bytes hold nothing.
            ([1, 1, 1], 0, "A", 0, 1),
        ] {
            let error = Error::InvalidJob {
                job: 1,
                what,
                expected,
                found,
            };
            assert_eq!(
                elements_of(1, bytes, element_bytes),
                Err(error),
                "{bytes:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_element_is_in_exactly_one_chunk(
            jobs in prop::collection::vec(0_usize..40, 0..12),
            capacity in 0_usize..50,
            across in any::<bool>(),
        ) {
            let packing = if across { Packing::AcrossJobs } else { Packing::PerJob };
            let mut seen: Vec<usize> = vec![0; jobs.len()];
            let mut last_job = 0;
            for (elements, parts) in cut(&jobs, capacity, packing) {
                prop_assert!(elements > 0 && elements <= capacity.max(1));
                prop_assert!(across || parts.len() == 1);
                let mut at = 0;
                for (number, (job, first, len)) in parts.into_iter().enumerate() {
                    // In order, without gaps, each job once per chunk.
                    prop_assert_eq!(first, seen[job]);
                    prop_assert!(len > 0);
                    prop_assert!(job >= last_job);
                    prop_assert!(number == 0 || job > last_job);
                    last_job = job;
                    seen[job] += len;
                    at += len;
                }
                prop_assert_eq!(at, elements);
            }
            prop_assert_eq!(seen, jobs);
        }

        #[test]
        fn packed_chunks_are_full_but_for_the_last(
            jobs in prop::collection::vec(0_usize..40, 0..12),
            capacity in 1_usize..50,
        ) {
            let sizes = sizes(&jobs, capacity, Packing::AcrossJobs);
            if let Some((_, full)) = sizes.split_last() {
                prop_assert!(full.iter().all(|&size| size == capacity));
            }
        }
    }
}
