//! How much is measured.

use std::time::Duration;

/// Sizes and sampling of one run of the suite.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Elements in the one job of `paths` and `cpu`.
    pub sizes: Vec<usize>,
    /// Elements in each job of `batch`.
    pub batch_sizes: Vec<usize>,
    /// How many jobs `batch` runs at once.
    pub batch_jobs: Vec<usize>,
    /// Samples per benchmark; Criterion takes no fewer than 10.
    pub samples: usize,
    /// Time before the first sample of a benchmark.
    pub warm_up: Duration,
    /// Time over which a benchmark's samples are spread, where it is fast enough.
    pub measurement: Duration,
}

impl Plan {
    /// The plan for publishing, or the quick one if `GPU_EXECUTOR_BENCH_QUICK`
    /// is set to anything but `0`.
    #[must_use]
    pub fn from_environment() -> Self {
        let quick = std::env::var_os("GPU_EXECUTOR_BENCH_QUICK").is_some_and(|value| value != "0");
        if quick { Self::quick() } else { Self::full() }
    }

    fn full() -> Self {
        Self {
            sizes: (6..=22).step_by(2).map(|log| 1 << log).collect(),
            batch_sizes: vec![1 << 14, 1 << 16, 1 << 18, 1 << 20],
            batch_jobs: vec![2, 3, 4, 8],
            samples: 20,
            warm_up: Duration::from_millis(500),
            measurement: Duration::from_secs(2),
        }
    }

    fn quick() -> Self {
        Self {
            sizes: vec![1 << 6, 1 << 10, 1 << 14, 1 << 18],
            batch_sizes: vec![1 << 14, 1 << 16],
            batch_jobs: vec![2, 4],
            samples: 10,
            warm_up: Duration::from_millis(100),
            measurement: Duration::from_millis(500),
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
            assert!(plan.sizes.is_sorted());
        }
        assert_eq!(Plan::full().sizes.last(), Some(&(4 * 1024 * 1024)));
    }
}
