//! Cuts the jobs of a batch into chunks: one stream of work.

/// A run of elements of one job inside a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The job's position in the batch.
    pub job: usize,
    /// The first element of the job that belongs to the chunk.
    pub first: usize,
    /// How many elements.
    pub len: usize,
    /// Where the run starts inside the chunk, in elements.
    pub at: usize,
}

/// What one slot carries: at most one segment of each job, in job order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The segments, in job order, without gaps.
    pub segments: Vec<Segment>,
    /// Elements in all; never 0.
    pub elements: usize,
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

/// The chunks of a batch, in order. Every element of every job is in exactly
/// one of them.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    jobs: &'a [usize],
    capacity: usize,
    packing: Packing,
    job: usize,
    first: usize,
}

impl<'a> Chunks<'a> {
    /// Cuts jobs of `jobs[i]` elements each into chunks of `capacity`
    /// elements at most; a capacity of 0 counts as 1.
    #[must_use]
    pub fn new(jobs: &'a [usize], capacity: usize, packing: Packing) -> Self {
        Self {
            jobs,
            capacity: capacity.max(1),
            packing,
            job: 0,
            first: 0,
        }
    }
}

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut chunk = Chunk {
            segments: Vec::new(),
            elements: 0,
        };
        while self.job < self.jobs.len() && chunk.elements < self.capacity {
            let left = self.jobs[self.job] - self.first;
            let len = left.min(self.capacity - chunk.elements);
            if len > 0 {
                chunk.segments.push(Segment {
                    job: self.job,
                    first: self.first,
                    len,
                    at: chunk.elements,
                });
                chunk.elements += len;
                self.first += len;
            }
            if len == left {
                self.job += 1;
                self.first = 0;
            }
            if self.packing == Packing::PerJob && chunk.elements > 0 {
                break;
            }
        }
        (chunk.elements > 0).then_some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(jobs: &[usize], capacity: usize, packing: Packing) -> Vec<usize> {
        Chunks::new(jobs, capacity, packing)
            .map(|chunk| chunk.elements)
            .collect()
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
            for chunk in Chunks::new(&jobs, capacity, packing) {
                prop_assert!(chunk.elements > 0 && chunk.elements <= capacity.max(1));
                prop_assert!(across || chunk.segments.len() == 1);
                let mut at = 0;
                for (number, segment) in chunk.segments.iter().enumerate() {
                    // In order, without gaps, each job once per chunk.
                    prop_assert_eq!(segment.first, seen[segment.job]);
                    prop_assert_eq!(segment.at, at);
                    prop_assert!(segment.len > 0);
                    prop_assert!(segment.job >= last_job);
                    prop_assert!(number == 0 || segment.job > last_job);
                    last_job = segment.job;
                    seen[segment.job] += segment.len;
                    at += segment.len;
                }
                prop_assert_eq!(at, chunk.elements);
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
