//! The persistent Vulkan backend.

mod calibrate;

use std::sync::Arc;
use std::time::{Duration, Instant};

use field_kernels::Fp;
use vk_core::{ComputePipeline, DeviceCaps, ValidationLog};
use vk_mem_paths::{AllocatedMemory, Packing, PathChoice, Plan, Request, Stats, TransferPath};

use super::opened::Opened;
use crate::canonical::Order;
use crate::device::{Build, Builder, OpenDevice, Settings};
use crate::field_add::{Batch, FieldAdd, Outputs};

use crate::vectors::{Queue, VectorEngine, as_bytes};
use crate::{ChosenBy, Engine, Error, Mode, Result, RunReport, kernels};

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
    pub(super) opened: Opened,
    /// How often the device was lost and opened anew.
    losses: u32,
    pub(super) report: Option<RunReport>,
}

impl PersistentVulkanBackend {
    /// A backend on the best Vulkan device, under the environment variables
    /// `GPU_DEVICE`, `GPU_DEVICE_LOCAL`, `GPU_STREAM_CHUNK_ELEMS` and
    /// `GPU_TIMEOUT_MS`, which are read here and not again. Never falls back to the CPU.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self::builder().build()?)
    }

    /// A builder, for settings other than those of [`Self::new`].
    pub fn builder() -> Builder<Self> {
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
    /// not fit `elements`; [`Error::NotCanonical`] for an element that is not
    /// below the modulus; [`Error::Vulkan`] for SPIR-V that breaks the kernel
    /// interface or needs what the device lacks, and for what the driver
    /// returned; [`Error::DataPath`] and [`Error::OutOfHostMemory`] for
    /// memory. The backend stays usable: after a lost device
    /// ([`vk_core::Error::DeviceLost`]) the next call opens it anew, and while
    /// a kernel that timed out ([`vk_core::Error::Timeout`]) is still running,
    /// calls fail with [`vk_core::Error::Busy`].
    pub fn run_field_add_batch(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        use_device_local: bool,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        Ok(FieldAdd::run_field_add_batch(
            self,
            spirv_bytes,
            jobs,
            elements,
            use_device_local,
        )?)
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
        Ok(FieldAdd::run_field_add_batch_pipelined(
            self,
            spirv_bytes,
            jobs,
            elements,
        )?)
    }

    /// The SPIR-V of the library's field addition for this device.
    #[must_use]
    pub fn field_add_spirv(&self) -> &'static [u8] {
        kernels::field_add_for(self.opened.open.device.caps()).spirv
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
        self.opened.open.device.caps()
    }

    /// Vectors that stay on this backend's device, by its settings: made once, and the same
    /// engine from then on. It shares the backend's memory, and may outlive the backend;
    /// after the loss of the device its vectors are gone, and this returns an engine on the
    /// device that was opened anew.
    ///
    /// # Errors
    /// As [`VectorEngine::new`], and [`Error::Vulkan`](crate::Error::Vulkan) where the
    /// device was lost and cannot be opened anew.
    pub fn vectors(&mut self) -> Result<VectorEngine> {
        self.revive()?;
        if let Some(known) = &self.opened.vectors {
            return Ok(known.clone());
        }
        let lane = self.opened.transfer.lane();
        let made = VectorEngine::with_lane(&self.opened.open, lane)?;
        Ok(self.opened.vectors.insert(made).clone())
    }

    /// A queue for operations on the vectors of [`Self::vectors`].
    ///
    /// # Errors
    /// As [`Self::vectors`].
    pub fn queue(&mut self) -> Result<Queue> {
        Ok(self.vectors()?.queue())
    }

    /// How much memory is allocated through Vulkan now: staging memory, which
    /// is kept from run to run, and host buffers.
    ///
    /// # Errors
    /// What the allocator returned.
    pub fn allocated_memory(&self) -> Result<AllocatedMemory, Error> {
        Ok(self.opened.transfer.allocated_memory()?)
    }

    /// What the validation layer reported; always empty without it.
    #[must_use]
    pub fn validation_log(&self) -> &ValidationLog {
        self.opened.open.device.instance().validation_log()
    }

    /// What a call and the settings ask for together.
    pub(crate) fn request(&self, mode: Mode, device_local: bool) -> Request {
        let settings = self.settings();
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

    pub(crate) fn settings(&self) -> &Settings {
        &self.opened.open.settings
    }

    pub(crate) fn on(open: OpenDevice) -> Result<Self, Error> {
        Ok(Self {
            opened: Opened::new(open)?,
            losses: 0,
            report: None,
        })
    }

    /// How often the device was lost and opened anew, by the call after.
    #[must_use]
    pub fn losses(&self) -> u32 {
        self.losses
    }

    /// Opens the device anew if it was lost. What was measured of it stays.
    pub(super) fn revive(&mut self) -> Result<(), Error> {
        match self.opened.open.device.expect_alive() {
            Ok(()) => return Ok(()),
            Err(vk_core::Error::DeviceLost { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let mut opened = Opened::new(self.opened.open.anew()?)?;
        if let Some(findings) = self.opened.findings.take() {
            opened.take(findings);
        }
        self.opened = opened;
        self.losses += 1;
        let device = &self.opened.open.device.caps().name;
        tracing::warn!("{device} was lost, and is open again");
        Ok(())
    }

    fn run_batch(
        &mut self,
        batch: &Batch<'_>,
        results: Option<&mut [&mut [u64]]>,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let start = Instant::now();
        self.report = None;
        let mut outputs = Outputs::of(batch, results)?;
        self.revive()?;
        let spirv = batch.spirv.unwrap_or_else(|| self.field_add_spirv());
        let (kernel, compile) = self.kernel(spirv)?;
        let request = self.request(batch.mode, batch.device_local);
        let element = self.settings().inputs.element::<Fp>(Order::Limbs);
        let fresh = outputs.are_fresh();
        let jobs = batch.jobs.iter().zip(outputs.limbs());
        let mut jobs: Vec<_> = jobs
            .map(|((a, b), out)| vk_mem_paths::Job {
                a: bytemuck::must_cast_slice(a),
                b: bytemuck::must_cast_slice(b),
                out: as_bytes(out),
                fresh,
            })
            .collect();
        let transfer = &mut self.opened.transfer;
        let ran = transfer.run(&kernel, &request, element, &mut jobs)?;
        self.report = Some(RunReport {
            compile,
            chosen_by: self.chosen_by(ran.0.measured),
            ..report(ran, batch.mode, spirv, &kernel, batch.jobs.len(), start)
        });
        // SAFETY: a run that returns Ok has written every byte of every output (contract
        // of `Transfer::run`).
        Ok(unsafe { outputs.assume_written() })
    }

    /// The kernel of a module, and how long its pipeline took to make.
    pub(super) fn kernel(
        &mut self,
        spirv: &[u8],
    ) -> Result<(Arc<ComputePipeline>, Duration), Error> {
        let start = Instant::now();
        let kernel = self.opened.kernels.get(spirv)?;
        Ok((kernel, start.elapsed()))
    }
}

impl FieldAdd for PersistentVulkanBackend {
    fn run(
        &mut self,
        batch: &Batch<'_>,
        results: Option<&mut [&mut [u64]]>,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let ran = self.run_batch(batch, results);
        self.opened.open.noting_loss(ran)
    }
}

impl Build for PersistentVulkanBackend {
    fn by(settings: Settings) -> Result<Self, Error> {
        OpenDevice::new(settings).and_then(Self::on)
    }
}

impl std::fmt::Debug for PersistentVulkanBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersistentVulkanBackend")
            .field("device", &self.opened.open.device)
            .field("settings", self.settings())
            .finish_non_exhaustive()
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
        path: Some(plan.path),
        path_reason: plan.reason,
        chunk: plan.chunk,
        depth: plan.depth,
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
        None => format!("sha256:{}", kernels::hex(&kernel.hash()[..6])),
    }
}

#[cfg(test)]
mod tests;
