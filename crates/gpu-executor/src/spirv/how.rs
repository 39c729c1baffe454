//! How a call wants its jobs run, and the report of how they were.

use std::time::{Duration, Instant};

use vk_core::ComputePipeline;
use vk_mem_paths::{Packing, PathChoice, Plan, Request, Stats, TransferPath};

use crate::calibration::ChosenBy;
use crate::device::Settings;
use crate::kernels;
use crate::{Engine, Mode, RunReport};

/// What a call and the settings ask for together.
pub(super) fn request(mode: Mode, device_local: bool, settings: &Settings) -> Request {
    let (chunk, depth) = (settings.chunk, settings.depth);
    match mode {
        Mode::Sequential => Request {
            path: settings.path(device_local, PathChoice::Fixed(TransferPath::HostVisible)),
            chunk,
            depth: Some(1),
            packing: Packing::PerJob,
        },
        Mode::Pipelined => Request {
            path: settings.path(false, PathChoice::Auto),
            chunk,
            depth,
            packing: Packing::AcrossJobs,
        },
    }
}

/// The report of a run of `jobs` jobs that began at `start` and ends now, of a kernel that
/// was there, by the rules.
pub(super) fn report(
    (plan, stats): (Plan, Stats),
    mode: Mode,
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
        mode,
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
