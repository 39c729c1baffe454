//! From what a loop did to the report of a run.

use std::time::{Duration, Instant};

use vk_core::ComputePipeline;
use vk_mem_paths::{PinnedPlan, Plan, Stats, TransferPath};

use crate::calibration::ChosenBy;
use crate::kernels;
use crate::{Engine, Mode, RunReport};

/// How a run went, whichever loop it took.
pub(super) struct Ran {
    path: TransferPath,
    reason: &'static str,
    chunk: usize,
    depth: usize,
    /// Whether something measured decided.
    measured: bool,
    stats: Stats,
}

impl From<(Plan, Stats)> for Ran {
    fn from((plan, stats): (Plan, Stats)) -> Self {
        Self {
            path: plan.path(),
            reason: plan.reason(),
            chunk: plan.chunk(),
            depth: plan.depth(),
            measured: plan.is_measured(),
            stats,
        }
    }
}

impl From<(PinnedPlan, Stats)> for Ran {
    fn from((plan, stats): (PinnedPlan, Stats)) -> Self {
        Self {
            path: plan.path(),
            reason: plan.reason(),
            chunk: plan.chunk(),
            depth: plan.depth(),
            measured: false,
            stats,
        }
    }
}

impl Ran {
    /// Whether something measured decided how it was done.
    pub(super) fn is_measured(&self) -> bool {
        self.measured
    }

    /// The report of a run of `jobs` jobs that began at `start` and ends now, of a
    /// kernel that was there, by the rules.
    pub(super) fn report(
        self,
        spirv: &[u8],
        kernel: &ComputePipeline,
        mode: Mode,
        jobs: usize,
        start: Instant,
    ) -> RunReport {
        let (caps, stats) = (kernel.device().caps(), self.stats);
        RunReport {
            engine: Engine::Vulkan {
                device: caps.name.clone(),
                driver: caps.driver.clone(),
            },
            kernel: kernel_name(spirv, kernel),
            spirv: kernel.check(),
            mode,
            path: Some(self.path),
            path_reason: self.reason,
            chunk: self.chunk,
            depth: self.depth,
            chunks: stats.chunks,
            jobs,
            elements: stats.elements,
            bytes_in: stats.bytes_in,
            bytes_out: stats.bytes_out,
            chosen_by: ChosenBy::Rule,
            total: start.elapsed(),
            compile: Duration::ZERO,
            stages: stats.times,
            overlap: stats.overlap(),
            timeline: stats.timeline,
        }
    }
}

fn kernel_name(spirv: &[u8], kernel: &ComputePipeline) -> String {
    match kernels::find_by_spirv(spirv) {
        Some(known) => known.name.to_owned(),
        None => {
            let digits = kernel
                .hash()
                .iter()
                .take(6)
                .map(|byte| format!("{byte:02x}"));
            format!("sha256:{}", digits.collect::<String>())
        }
    }
}
