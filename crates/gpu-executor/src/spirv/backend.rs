//! The persistent Vulkan backend.

use std::sync::Arc;
use std::time::Instant;

use vk_core::{Device, DeviceCaps, Kernel, KernelCache, PhysicalDevice, ValidationLog};
use vk_mem_paths::{Packing, Path, PathChoice, Plan, Request, Stats, Transfer, TransferOptions};

use super::Builder;
use super::builder::Settings;
use crate::jobs::{self, Job, Outputs};
use crate::kernels::{self, ELEMENT_BYTES};
use crate::{Engine, Error, Mode, RunReport};

/// Runs batches of field operations on one Vulkan device.
///
/// Instance, device, queues, pipelines, descriptor sets, command buffers and
/// staging memory are made once and reused by every call; a pipeline is made
/// when its SPIR-V is first seen, and kept.
///
/// The kernel is the caller's: any SPIR-V module that keeps the interface of
/// [`vk_core::spirv`] runs as it is. A SPIR-V module is code and deserves the
/// trust that code gets.
pub struct PersistentVulkanBackend {
    transfer: Transfer,
    kernels: KernelCache,
    device: Arc<Device>,
    settings: Settings,
    report: Option<RunReport>,
}

impl PersistentVulkanBackend {
    /// A backend on the best Vulkan device, under the environment variables
    /// `GPU_DEVICE`, `GPU_DEVICE_LOCAL` and `GPU_STREAM_CHUNK_ELEMS`, which
    /// are read here and not again. Never falls back to the CPU.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new() -> anyhow::Result<Self> {
        Self::builder().build()
    }

    /// A builder, for settings other than those of [`Self::new`].
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Runs `jobs` in order, each complete before the next begins.
    ///
    /// Each job is a pair (A, B) of flat slices of `6 * elements` limbs; the
    /// results come in the same order and form. `use_device_local` asks for
    /// the device-local path; `false` leaves the choice to the builder, then
    /// to `GPU_DEVICE_LOCAL`, then to the host-visible path. Jobs of any size
    /// are streamed in chunks.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] and [`Error::TooManyElements`] for `jobs` that do
    /// not fit `elements`; [`Error::Vulkan`] for SPIR-V that breaks the kernel
    /// interface or needs what the device lacks, and for what the driver
    /// returned; [`Error::DataPath`] and [`Error::OutOfHostMemory`] for
    /// memory. The backend stays usable, except after a lost device
    /// ([`vk_core::Error::DeviceLost`]) and while a kernel that timed out is
    /// still running ([`vk_core::Error::Timeout`]).
    pub fn run_field_add_batch(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        use_device_local: bool,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        let host = PathChoice::Fixed(Path::HostVisible);
        let request = Request {
            path: self.settings.path(use_device_local, host),
            chunk: self.settings.chunk,
            depth: Some(1),
            lanes: None,
            packing: Packing::PerJob,
        };
        Ok(self.run(spirv_bytes, jobs, elements, Mode::Sequential, &request)?)
    }

    /// Runs `jobs` with the transfers and kernels of several chunks
    /// overlapping; small jobs share a chunk. Picks the path by itself unless
    /// the builder or `GPU_DEVICE_LOCAL` names one.
    ///
    /// Inputs, results and errors as [`Self::run_field_add_batch`].
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`].
    pub fn run_field_add_batch_pipelined(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        let request = Request {
            path: self.settings.path(false, PathChoice::Auto),
            chunk: self.settings.chunk,
            depth: self.settings.depth,
            lanes: None,
            packing: Packing::AcrossJobs,
        };
        Ok(self.run(spirv_bytes, jobs, elements, Mode::Pipelined, &request)?)
    }

    /// Runs one job; see [`Self::run_field_add_batch`].
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`].
    pub fn run_field_add(
        &mut self,
        spirv_bytes: &[u8],
        a: &[u64],
        b: &[u64],
        elements: usize,
        use_device_local: bool,
    ) -> anyhow::Result<Vec<u64>> {
        let jobs = [(a, b)];
        let results = self.run_field_add_batch(spirv_bytes, &jobs, elements, use_device_local)?;
        Ok(results.into_iter().next().unwrap_or_default())
    }

    /// Adds A and B with the library's kernel for this device, pipelined.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`]; the length of `a` says how many
    /// elements are expected.
    pub fn field_add(&mut self, a: &[u64], b: &[u64]) -> anyhow::Result<Vec<u64>> {
        let elements = a.len() / kernels::LIMBS;
        let results = self.field_add_batch(&[(a, b)], elements)?;
        Ok(results.into_iter().next().unwrap_or_default())
    }

    /// Runs `jobs` with the library's kernel for this device, pipelined.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`].
    pub fn field_add_batch(
        &mut self,
        jobs: &[(&[u64], &[u64])],
        elements: usize,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        self.run_field_add_batch_pipelined(self.field_add_spirv(), jobs, elements)
    }

    /// The SPIR-V of the library's field addition for this device.
    #[must_use]
    pub fn field_add_spirv(&self) -> &'static [u8] {
        kernels::field_add_for(self.device.caps()).spirv
    }

    /// What the last run did; `None` before the first one and after one that
    /// failed.
    #[must_use]
    pub fn last_report(&self) -> Option<&RunReport> {
        self.report.as_ref()
    }

    /// What the device can do.
    #[must_use]
    pub fn device(&self) -> &DeviceCaps {
        self.device.caps()
    }

    /// What the validation layer reported; always empty without it.
    #[must_use]
    pub fn validation_log(&self) -> &ValidationLog {
        self.device.instance().validation_log()
    }

    pub(super) fn open(
        physical: &PhysicalDevice,
        settings: Settings,
        transfer: TransferOptions,
    ) -> Result<Self, Error> {
        let device = Device::new(physical)?;
        let kernels = KernelCache::new(&device)?;
        Ok(Self {
            transfer: Transfer::new(&device, kernels.set_layout(), transfer)?,
            kernels,
            device,
            settings,
            report: None,
        })
    }

    fn run(
        &mut self,
        spirv: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        mode: Mode,
        request: &Request,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let start = Instant::now();
        self.report = None;
        let limbs = jobs::check(jobs, elements)?;
        let kernel = self.kernels.get(spirv)?;
        let mut outputs = Outputs::new(jobs.len(), limbs)?;
        let mut byte_jobs: Vec<_> = jobs
            .iter()
            .zip(outputs.bytes())
            .map(|((a, b), out)| vk_mem_paths::Job {
                a: bytemuck::must_cast_slice(a),
                b: bytemuck::must_cast_slice(b),
                out,
                fresh: true,
            })
            .collect();
        let (plan, stats) = self
            .transfer
            .run(&kernel, request, ELEMENT_BYTES, &mut byte_jobs)?;
        drop(byte_jobs);
        // SAFETY: a run that returns Ok has written every byte of every
        // output (contract of `Transfer::run`).
        let results = unsafe { outputs.assume_written() };
        self.report = Some(self.report(spirv, &kernel, mode, &plan, jobs.len(), &stats, start));
        Ok(results)
    }

    #[expect(clippy::too_many_arguments, reason = "gathers what one run knows")]
    fn report(
        &self,
        spirv: &[u8],
        kernel: &Kernel,
        mode: Mode,
        plan: &Plan,
        jobs: usize,
        stats: &Stats,
        start: Instant,
    ) -> RunReport {
        let caps = self.device.caps();
        RunReport {
            engine: Engine::Vulkan {
                device: caps.name.clone(),
                driver: caps.driver.clone(),
            },
            kernel: kernel_name(spirv, kernel),
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
            total: start.elapsed(),
            stages: stats.times,
        }
    }
}

impl std::fmt::Debug for PersistentVulkanBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersistentVulkanBackend")
            .field("device", &self.device)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn kernel_name(spirv: &[u8], kernel: &Kernel) -> String {
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
