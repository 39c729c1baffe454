//! How much is measured.

use std::time::Duration;

use field_kernels::ELEMENT_BYTES;

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

/// The most elements of all jobs of one call of `auto`: with the sums that they must give
/// and the results they take 3 GiB.
const MOST_TOGETHER: usize = 1 << 24;

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
        let sizes = self.auto_sizes.iter();
        let batches = sizes.flat_map(|size| self.batch_jobs.iter().map(move |jobs| (*jobs, *size)));
        batches.filter(|(jobs, size)| jobs * size <= MOST_TOGETHER)
    }

    /// Elements of each operand of `device` and `peers`: the longest of `vectors`, and
    /// unless it is to be quick the next ones too.
    pub fn longest_vectors(&self) -> impl Iterator<Item = usize> {
        let count = if self.quick { 1 } else { 2 };
        self.vector_sizes.iter().rev().take(count).rev().copied()
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
            timeline_elements: 1 << 16,
            limit_bytes: (1 << 20) * ELEMENT_BYTES,
            samples: 10,
            warm_up: Duration::from_millis(50),
            measurement: Duration::from_millis(200),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
