//! How much is measured.

use std::time::Duration;

use field_kernels::ELEMENT_BYTES;

use crate::machine;

/// Sizes and sampling of one run of the suite.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether this is the quick plan, whose figures are not for publishing.
    pub quick: bool,
    /// Elements in the one job of `paths` and `cpu`.
    pub sizes: Vec<usize>,
    /// Elements of each operand of `kernel`.
    pub kernel_sizes: Vec<usize>,
    /// Elements of each operand of `vectors`.
    pub vector_sizes: Vec<usize>,
    /// Elements in each job of `batch`.
    pub batch_sizes: Vec<usize>,
    /// How many jobs `batch` and `auto` run at once.
    pub batch_jobs: Vec<usize>,
    /// Elements in each job of `auto`.
    pub auto_sizes: Vec<usize>,
    /// The most elements of all jobs of `auto` together.
    pub auto_most: usize,
    /// Elements in each job of the run whose stages are drawn.
    pub timeline_elements: usize,
    /// Bytes of one copy when the limits are measured; fewer where memory
    /// runs out.
    pub limit_bytes: usize,
    /// Samples per benchmark; Criterion takes no fewer than 10.
    pub samples: usize,
    /// Time before the first sample of a benchmark.
    pub warm_up: Duration,
    /// Time over which a benchmark's samples are spread, where it is fast enough.
    pub measurement: Duration,
}

/// The largest operands of `kernel` and `vectors`: long enough to show the
/// bandwidth of the fastest memory.
const LARGEST: usize = 1 << 25;

/// Long operands that do not fill their last workgroup, whatever its size.
const TAILS: [usize; 2] = [25_000_003, LARGEST - 1];

/// The most elements of all jobs of one call of `auto`.
const MOST_TOGETHER: usize = 1 << 26;
/// Vectors as long as all jobs of a call together: two inputs, the sums that
/// they must give, and the results. Half of the memory is for those.
const VECTORS: usize = 4;

impl Plan {
    /// The plan for publishing, or the quick one if `GPU_EXECUTOR_BENCH_QUICK`
    /// is set to anything but `0`.
    #[must_use]
    pub fn from_environment() -> Self {
        let quick = std::env::var_os("GPU_EXECUTOR_BENCH_QUICK").is_some_and(|value| value != "0");
        if quick { Self::quick() } else { Self::full() }
    }

    /// The batches of `auto`: how many jobs, and the elements of each.
    pub fn auto_batches(&self) -> impl Iterator<Item = (usize, usize)> {
        self.batches_up_to(self.auto_most)
    }

    /// Elements of each operand of `device` and `peers`: the longest of `vectors`, and
    /// unless it is to be quick the next ones too.
    pub fn longest_vectors(&self) -> impl Iterator<Item = usize> {
        let count = if self.quick { 1 } else { 2 };
        self.vector_sizes.iter().rev().take(count).rev().copied()
    }

    /// How many batches of `auto` this machine has too little memory for.
    #[must_use]
    pub fn auto_left_out(&self) -> usize {
        self.batches_up_to(MOST_TOGETHER).count() - self.auto_batches().count()
    }

    fn batches_up_to(&self, most: usize) -> impl Iterator<Item = (usize, usize)> {
        let sizes = self.auto_sizes.iter();
        let batches = sizes.flat_map(|size| self.batch_jobs.iter().map(move |jobs| (*jobs, *size)));
        batches.filter(move |(jobs, size)| jobs * size <= most)
    }

    fn full() -> Self {
        let every_fourth =
            |logs: std::ops::RangeInclusive<u32>| logs.step_by(2).map(|log| 1 << log);
        Self {
            quick: false,
            sizes: every_fourth(6..=24).collect(),
            kernel_sizes: every_fourth(10..=24)
                .chain(TAILS)
                .chain([LARGEST])
                .collect(),
            vector_sizes: vec![1 << 10, 1 << 14, 1 << 18, 1 << 22, LARGEST],
            batch_sizes: every_fourth(14..=22).collect(),
            batch_jobs: vec![1, 2, 4, 8],
            auto_sizes: every_fourth(6..=24).collect(),
            auto_most: MOST_TOGETHER.min(fitting(machine::available_memory())),
            timeline_elements: 1 << 18,
            limit_bytes: LARGEST * ELEMENT_BYTES,
            samples: 20,
            warm_up: Duration::from_millis(300),
            measurement: Duration::from_secs(1),
        }
    }

    fn quick() -> Self {
        Self {
            quick: true,
            sizes: vec![1 << 6, 1 << 10, 1 << 14, 1 << 18],
            kernel_sizes: vec![1 << 12, 1 << 16, 1 << 20],
            vector_sizes: vec![1 << 10, 1 << 16],
            batch_sizes: vec![1 << 14, 1 << 16],
            batch_jobs: vec![1, 4],
            auto_sizes: vec![1 << 6, 1 << 12, 1 << 18],
            auto_most: MOST_TOGETHER.min(fitting(machine::available_memory())),
            timeline_elements: 1 << 16,
            limit_bytes: (1 << 20) * ELEMENT_BYTES,
            samples: 10,
            warm_up: Duration::from_millis(50),
            measurement: Duration::from_millis(200),
        }
    }
}

/// Elements of a call whose vectors fit into half of `bytes` of memory; any
/// number where nobody knows how much there is.
fn fitting(bytes: Option<usize>) -> usize {
    bytes.map_or(usize::MAX, |bytes| bytes / 2 / (VECTORS * ELEMENT_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_has_no_batch_that_takes_too_much_memory() {
        let mut plan = Plan::full();
        plan.auto_most = MOST_TOGETHER.min(fitting(None));
        // 10 sizes, 4 numbers of jobs; only 8 jobs of 2^24 are too many.
        assert_eq!((plan.auto_batches().count(), plan.auto_left_out()), (39, 0));
        // 1 GiB: half of it is 2,796,202 elements of 192 bytes.
        plan.auto_most = fitting(Some(1 << 30));
        let largest = plan.auto_batches().map(|(jobs, size)| jobs * size).max();
        assert_eq!(largest, Some(1 << 21));
        assert_eq!(plan.auto_batches().count() + plan.auto_left_out(), 39);
    }

    #[test]
    fn both_plans_can_be_sampled() {
        for plan in [Plan::full(), Plan::quick()] {
            assert!(plan.samples >= 10);
            let (one, batch) = (&plan.sizes, &plan.batch_sizes);
            for sizes in [one, &plan.kernel_sizes, &plan.vector_sizes, batch] {
                assert!(sizes.is_sorted());
            }
        }
        let full = Plan::full();
        assert_eq!(full.sizes.last(), Some(&(16 * 1024 * 1024)));
        assert_eq!(full.kernel_sizes.last(), Some(&(32 * 1024 * 1024)));
    }
}
