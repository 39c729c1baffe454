//! Additions of base-field elements from host memory to host memory, on any engine.

use crate::jobs::Job;
use crate::kernels::LIMBS;
use crate::{Mode, Result};

/// A batch of additions, and how it is to be run.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The kernel's SPIR-V; `None` for the library's own.
    pub spirv: Option<&'a [u8]>,
    /// The inputs A and B of each job, of `6 * elements` limbs each.
    pub jobs: &'a [Job<'a>],
    /// Elements of each job.
    pub elements: usize,
    /// One job after the other, or with transfers and kernels overlapping.
    pub mode: Mode,
    /// Whether device memory was asked for.
    pub device_local: bool,
}

impl<'a> Batch<'a> {
    /// `jobs` of `elements` elements each by the library's kernel, overlapping.
    #[must_use]
    pub fn new(jobs: &'a [Job<'a>], elements: usize) -> Self {
        Self {
            spirv: None,
            jobs,
            elements,
            mode: Mode::Pipelined,
            device_local: false,
        }
    }

    /// The same by the kernel in `spirv`.
    #[must_use]
    pub fn by(self, spirv: &'a [u8]) -> Self {
        let spirv = Some(spirv);
        Self { spirv, ..self }
    }

    /// The same, one job after the other, in device memory if `device_local`.
    #[must_use]
    pub fn sequential(self, device_local: bool) -> Self {
        Self {
            mode: Mode::Sequential,
            device_local,
            ..self
        }
    }

    /// Elements of all jobs.
    pub(crate) fn total(&self) -> usize {
        self.jobs.len().saturating_mul(self.elements)
    }
}

/// An engine that adds vectors of the base field from host memory to host memory:
/// [`PersistentVulkanBackend`](crate::spirv::PersistentVulkanBackend),
/// [`CpuEngine`](crate::cpu::CpuEngine) and [`Executor`](crate::Executor).
///
/// An element is 6 little-endian `u64` limbs, a job a pair of flat slices (A, B) of equally
/// many elements. Every method but [`Self::run`] is that one with some of its arguments
/// chosen.
///
/// # Errors
/// All of them: [`Error::InvalidJob`](crate::Error::InvalidJob),
/// [`InvalidResults`](crate::Error::InvalidResults) and
/// [`TooManyElements`](crate::Error::TooManyElements) for slices that do not fit,
/// [`NotCanonical`](crate::Error::NotCanonical) for an element that is not below the modulus.
/// On a device [`Vulkan`](crate::Error::Vulkan) for SPIR-V that breaks the kernel interface or
/// needs what the device lacks, and for what the driver returned,
/// [`DataPath`](crate::Error::DataPath) and
/// [`OutOfHostMemory`](crate::Error::OutOfHostMemory) for memory; on the CPU
/// [`UnknownKernelOnCpu`](crate::Error::UnknownKernelOnCpu) for SPIR-V that is not this
/// library's.
#[expect(
    clippy::missing_errors_doc,
    reason = "they are the same for all methods, and stand above"
)]
pub trait FieldAdd {
    /// Runs `batch`. Writes to `results[i]` for job i, slices of `6 * elements` limbs that
    /// the caller keeps, and returns nothing; without `results` returns new vectors. What
    /// `results` hold after an error is not specified.
    fn run(
        &mut self,
        batch: &Batch<'_>,
        results: Option<&mut [&mut [u64]]>,
    ) -> Result<Vec<Vec<u64>>>;

    /// Runs the kernel in `spirv_bytes` over `jobs`, each complete before the next begins.
    fn run_field_add_batch(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        use_device_local: bool,
    ) -> Result<Vec<Vec<u64>>> {
        let batch = Batch::new(jobs, elements).by(spirv_bytes);
        self.run(&batch.sequential(use_device_local), None)
    }

    /// As [`Self::run_field_add_batch`], into slices that may be used again, which spares
    /// the faults of fresh memory.
    fn run_field_add_batch_into(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        use_device_local: bool,
        results: &mut [&mut [u64]],
    ) -> Result<()> {
        let batch = Batch::new(jobs, elements).by(spirv_bytes);
        self.run(&batch.sequential(use_device_local), Some(results))
            .map(drop)
    }

    /// Runs the kernel in `spirv_bytes` over `jobs` with transfers and kernels overlapping,
    /// where that is faster; small jobs share a chunk.
    fn run_field_add_batch_pipelined(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
    ) -> Result<Vec<Vec<u64>>> {
        self.run(&Batch::new(jobs, elements).by(spirv_bytes), None)
    }

    /// As [`Self::run_field_add_batch_pipelined`], into slices.
    fn run_field_add_batch_pipelined_into(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        results: &mut [&mut [u64]],
    ) -> Result<()> {
        let batch = Batch::new(jobs, elements).by(spirv_bytes);
        self.run(&batch, Some(results)).map(drop)
    }

    /// Runs the kernel in `spirv_bytes` over one job.
    fn run_field_add(
        &mut self,
        spirv_bytes: &[u8],
        a: &[u64],
        b: &[u64],
        elements: usize,
        use_device_local: bool,
    ) -> Result<Vec<u64>> {
        let jobs = [(a, b)];
        let ran = self.run_field_add_batch(spirv_bytes, &jobs, elements, use_device_local)?;
        Ok(ran.into_iter().next().unwrap_or_default())
    }

    /// Adds A and B with the library's kernel; the length of `a` says how many elements are
    /// expected.
    fn field_add(&mut self, a: &[u64], b: &[u64]) -> Result<Vec<u64>> {
        let sums = self.field_add_batch(&[(a, b)], a.len() / LIMBS)?;
        Ok(sums.into_iter().next().unwrap_or_default())
    }

    /// Adds the pairs of `jobs` with the library's kernel, overlapping.
    fn field_add_batch(&mut self, jobs: &[Job<'_>], elements: usize) -> Result<Vec<Vec<u64>>> {
        self.run(&Batch::new(jobs, elements), None)
    }

    /// As [`Self::field_add_batch`], into slices.
    fn field_add_batch_into(
        &mut self,
        jobs: &[Job<'_>],
        elements: usize,
        results: &mut [&mut [u64]],
    ) -> Result<()> {
        self.run(&Batch::new(jobs, elements), Some(results))
            .map(drop)
    }
}
