//! How a call wants its jobs run, and the report of how they were.

use std::time::{Duration, Instant};

use vk_core::ComputePipeline;
use vk_mem_paths::{Packing, PathChoice, Plan, Request, Stats, TransferPath};

use crate::calibration::ChosenBy;
use crate::device::Settings;
use crate::field_add::Batch;
use crate::kernels;
use crate::{Engine, Mode, RunReport};

/// What a call and the settings ask for together.
pub(super) struct How {
    pub(super) mode: Mode,
    pub(super) request: Request,
}

impl How {
    /// What `batch` and the settings ask for.
    pub(super) fn of(batch: &Batch<'_>, settings: &Settings) -> Self {
        match batch.mode {
            Mode::Sequential => Self::sequential(settings, batch.device_local),
            Mode::Pipelined => Self::pipelined(settings),
        }
    }

    /// Job by job.
    fn sequential(settings: &Settings, device_local: bool) -> Self {
        let host = PathChoice::Fixed(TransferPath::HostVisible);
        Self {
            mode: Mode::Sequential,
            request: Request {
                path: settings.path(device_local, host),
                chunk: settings.chunk,
                depth: Some(1),
                packing: Packing::PerJob,
            },
        }
    }

    /// With chunks that overlap.
    pub(super) fn pipelined(settings: &Settings) -> Self {
        Self {
            mode: Mode::Pipelined,
            request: Request {
                path: settings.path(false, PathChoice::Auto),
                chunk: settings.chunk,
                depth: settings.depth,
                packing: Packing::AcrossJobs,
            },
        }
    }

    /// The report of a run of `jobs` jobs that began at `start` and ends now, of a
    /// kernel that was there, by the rules.
    pub(super) fn report(
        &self,
        (plan, stats): (Plan, Stats),
        spirv: &[u8],
        kernel: &ComputePipeline,
        jobs: usize,
        start: Instant,
    ) -> RunReport {
        let caps = kernel.device().caps();
        RunReport {
            engine: Engine::Vulkan {
                device: caps.name.clone(),
                driver: caps.driver.clone(),
            },
            kernel: kernel_name(spirv, kernel),
            spirv: kernel.check(),
            mode: self.mode,
            path: Some(plan.path()),
            path_reason: plan.reason(),
            chunk: plan.chunk(),
            depth: plan.depth(),
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
