//! The persistent Vulkan backend.

mod calibrate;

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::{Duration, Instant};

use field_kernels::FieldId;
use vk_core::{DeviceCaps, Kernel, PhysicalDevice, ValidationLog};
use vk_mem_paths::{AllocatedMemory, PathChoice, TransferOptions};

use super::Builder;
use super::builder::Settings;
use super::how::How;
use super::opened::Opened;
use super::ran::Ran;
use crate::calibration::Keeper;
use crate::jobs::{self, Job, Outputs};
use crate::{Error, Inputs, Mode, RunReport, canonical, kernels};

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
    physical: PhysicalDevice,
    options: TransferOptions,
    pub(super) settings: Settings,
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
        let how = How::sequential(&self.settings, use_device_local);
        let ran = self.run(spirv_bytes, jobs, elements, how);
        Ok(self.noting_loss(ran)?)
    }

    /// As [`Self::run_field_add_batch`], with the results written to
    /// `results[i]` for job i: slices of `6 * elements` limbs that the caller
    /// keeps and may use again, which spares the faults of fresh memory.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`], and [`Error::InvalidResults`] and
    /// [`Error::InvalidJob`] for `results` that do not fit. What `results`
    /// hold after an error is not specified.
    pub fn run_field_add_batch_into(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        use_device_local: bool,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        let how = How::sequential(&self.settings, use_device_local);
        let ran = self.run_into(spirv_bytes, jobs, elements, how, results);
        Ok(self.noting_loss(ran)?)
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
        let how = How::pipelined(&self.settings);
        let ran = self.run(spirv_bytes, jobs, elements, how);
        Ok(self.noting_loss(ran)?)
    }

    /// As [`Self::run_field_add_batch_pipelined`], with the results written
    /// to the caller's slices; see [`Self::run_field_add_batch_into`].
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch_into`].
    pub fn run_field_add_batch_pipelined_into(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        let how = How::pipelined(&self.settings);
        let ran = self.run_into(spirv_bytes, jobs, elements, how, results);
        Ok(self.noting_loss(ran)?)
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

    /// As [`Self::field_add_batch`], with the results written to the caller's
    /// slices; see [`Self::run_field_add_batch_into`].
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch_into`].
    pub fn field_add_batch_into(
        &mut self,
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        self.run_field_add_batch_pipelined_into(self.field_add_spirv(), jobs, elements, results)
    }

    /// The SPIR-V of the library's field addition for this device.
    #[must_use]
    pub fn field_add_spirv(&self) -> &'static [u8] {
        kernels::field_add_for(self.opened.device.caps()).spirv
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
        self.opened.device.caps()
    }

    /// How much memory is allocated through Vulkan now: staging memory, which
    /// is kept from run to run, and host buffers.
    ///
    /// # Errors
    /// What the allocator returned.
    pub fn allocated_memory(&self) -> anyhow::Result<AllocatedMemory> {
        Ok(self.opened.transfer.allocated_memory()?)
    }

    /// What the validation layer reported; always empty without it.
    #[must_use]
    pub fn validation_log(&self) -> &ValidationLog {
        self.opened.device.instance().validation_log()
    }

    /// The path of a call that asks for none.
    pub(crate) fn path_of(&self, mode: Mode) -> PathChoice {
        let how = match mode {
            Mode::Sequential => How::sequential(&self.settings, false),
            Mode::Pipelined => How::pipelined(&self.settings),
        };
        how.request.path
    }

    /// How often the device was lost and opened anew, by the call after.
    #[must_use]
    pub fn losses(&self) -> u32 {
        self.losses
    }

    pub(super) fn open(
        physical: &PhysicalDevice,
        settings: Settings,
        options: TransferOptions,
    ) -> Result<Self, Error> {
        let opened = Opened::new(physical, &settings, options)?;
        Ok(Self {
            opened,
            physical: physical.clone(),
            options,
            settings,
            losses: 0,
            report: None,
        })
    }

    /// What the elements of the inputs are held to.
    pub(crate) fn inputs(&self) -> Inputs {
        self.settings.inputs
    }

    /// Remembers a loss of the device that `result` tells of, so that the next
    /// call opens it anew.
    pub(super) fn noting_loss<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Vulkan(vk_core::Error::DeviceLost { call })) = result {
            self.opened.device.declare_lost(call);
        }
        result
    }

    /// Opens the device anew if it was lost. What was measured of it stays.
    pub(super) fn revive(&mut self) -> Result<(), Error> {
        match self.opened.device.expect_alive() {
            Ok(()) => return Ok(()),
            Err(vk_core::Error::DeviceLost { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let mut opened = Opened::new(&self.physical, &self.settings, self.options)?;
        if let Some(findings) = self.opened.findings.take() {
            opened.take(findings);
        }
        self.opened = opened;
        self.losses += 1;
        let device = &self.opened.device.caps().name;
        tracing::warn!("{device} was lost, and is open again");
        Ok(())
    }

    fn run(
        &mut self,
        spirv: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        how: How,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let start = Instant::now();
        let (kernel, compile, limbs) = self.prepare(spirv, jobs, elements)?;
        let mut outputs = Outputs::new(jobs.len(), limbs)?;
        let out = outputs.limbs().map(|out| (out, true));
        let ran = self.transfer(&kernel, jobs, out, &how)?;
        // SAFETY: a run that returns Ok has written every byte of every
        // output (contract of `Transfer::run`).
        let results = unsafe { outputs.assume_written() };
        self.report = Some(RunReport {
            compile,
            chosen_by: self.chosen_by(ran.is_measured()),
            ..ran.report(spirv, &kernel, how.mode, jobs.len(), start)
        });
        Ok(results)
    }

    fn run_into(
        &mut self,
        spirv: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        how: How,
        results: &mut [&mut [u64]],
    ) -> Result<(), Error> {
        let start = Instant::now();
        let (kernel, compile, limbs) = self.prepare(spirv, jobs, elements)?;
        jobs::check_results(results, jobs.len(), limbs)?;
        let out = results.iter_mut().map(|out| (jobs::as_uninit(out), false));
        let ran = self.transfer(&kernel, jobs, out, &how)?;
        self.report = Some(RunReport {
            compile,
            chosen_by: self.chosen_by(ran.is_measured()),
            ..ran.report(spirv, &kernel, how.mode, jobs.len(), start)
        });
        Ok(())
    }

    /// Checks the jobs, makes or finds the kernel and says how long that took, and
    /// forgets the last run.
    fn prepare(
        &mut self,
        spirv: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
    ) -> Result<(Arc<Kernel>, Duration, usize), Error> {
        self.report = None;
        let limbs = jobs::check(jobs, elements)?;
        self.revive()?;
        let (kernel, compile) = self.kernel(spirv)?;
        Ok((kernel, compile, limbs))
    }

    /// The kernel of a module, and how long its pipeline took to make.
    pub(super) fn kernel(&mut self, spirv: &[u8]) -> Result<(Arc<Kernel>, Duration), Error> {
        let start = Instant::now();
        let kernel = self.opened.kernels.get(spirv)?;
        Ok((kernel, start.elapsed()))
    }

    /// What keeps measurements of its device.
    fn keeper(&self) -> Keeper {
        let threads = self.opened.transfer.threads();
        self.settings.keeper(self.device(), threads)
    }

    /// Runs the jobs into `out`: for each the limbs, and whether they are
    /// fresh memory.
    fn transfer<'a>(
        &mut self,
        kernel: &Arc<Kernel>,
        jobs: &[Job<'a>],
        out: impl Iterator<Item = (&'a mut [MaybeUninit<u64>], bool)>,
        how: &How,
    ) -> Result<Ran, Error> {
        let byte_jobs = jobs.iter().zip(out);
        let mut byte_jobs: Vec<_> = byte_jobs
            .map(|((a, b), (out, fresh))| vk_mem_paths::Job {
                a: bytemuck::must_cast_slice(a),
                b: bytemuck::must_cast_slice(b),
                out: jobs::as_bytes(out),
                fresh,
            })
            .collect();
        let element = self.settings.inputs.element(FieldId::Fp);
        let transfer = &mut self.opened.transfer;
        match transfer.run(kernel, &how.request, element, &mut byte_jobs) {
            Ok(ran) => Ok(Ran::from(ran)),
            Err(vk_mem_paths::Error::RefusedInput { job, what, element }) => {
                Err(canonical::refusal(jobs, job, what, element))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl std::fmt::Debug for PersistentVulkanBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersistentVulkanBackend")
            .field("device", &self.opened.device)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
