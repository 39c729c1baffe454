//! Additions of base-field elements from host memory to host memory, on any engine.

use std::mem::MaybeUninit;

use crate::kernels::{ELEMENT_BYTES, LIMBS};
use crate::vectors::{as_uninit, room_for};
use crate::{Error, Mode, Result};

/// One job: the inputs A and B, each a flat slice of 6 limbs per element.
pub type Job<'a> = (&'a [u64], &'a [u64]);

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

/// Where the results of a batch go: slices of the caller's, or new vectors, allocated and
/// not yet written: zeroing them first would touch every page twice.
pub(crate) enum Outputs<'r, 's> {
    Kept(&'r mut [&'s mut [u64]]),
    New {
        vectors: Vec<Vec<u64>>,
        limbs: usize,
    },
}

impl<'r, 's> Outputs<'r, 's> {
    /// Checks that the jobs of `batch` fit its elements, and that `results` do, or makes
    /// room for new ones.
    ///
    /// # Errors
    /// [`Error::InvalidJob`], [`Error::InvalidResults`], [`Error::TooManyElements`] and
    /// [`Error::OutOfHostMemory`].
    pub(crate) fn of(
        batch: &Batch<'_>,
        results: Option<&'r mut [&'s mut [u64]]>,
    ) -> Result<Self, Error> {
        let (jobs, limbs) = (batch.jobs.len(), check(batch.jobs, batch.elements)?);
        let Some(results) = results else {
            let vectors =
                (0..jobs).map(|job| room_for(limbs, || format!("the result of job {job}")));
            let vectors = vectors.collect::<Result<_, _>>()?;
            return Ok(Self::New { vectors, limbs });
        };
        if results.len() != jobs {
            return Err(Error::InvalidResults {
                expected: jobs,
                found: results.len(),
            });
        }
        for (job, result) in results.iter().enumerate() {
            check_length(job, "a result", result, limbs)?;
        }
        Ok(Self::Kept(results))
    }

    /// Whether it is memory that nobody has written yet.
    pub(crate) fn are_fresh(&self) -> bool {
        matches!(self, Self::New { .. })
    }

    /// Each result's limbs, to be written.
    pub(crate) fn limbs(&mut self) -> Vec<&mut [MaybeUninit<u64>]> {
        match self {
            Self::Kept(results) => results.iter_mut().map(|it| as_uninit(it)).collect(),
            Self::New { vectors, limbs } => vectors
                .iter_mut()
                .map(|vector| &mut vector.spare_capacity_mut()[..*limbs])
                .collect(),
        }
    }

    /// The results that are new; none where the caller has them.
    ///
    /// # Safety
    /// Every limb that [`Self::limbs`] gave out has been written.
    pub(crate) unsafe fn assume_written(self) -> Vec<Vec<u64>> {
        let Self::New { mut vectors, limbs } = self else {
            return Vec::new();
        };
        for vector in &mut vectors {
            // SAFETY: `of` reserved `limbs`, and the caller says that their
            // bytes are written; every bit pattern is a u64.
            unsafe { vector.set_len(limbs) };
        }
        vectors
    }
}

/// The limbs of `elements` elements, if that many fit a slice.
pub(crate) fn limbs(elements: usize) -> Result<usize, Error> {
    // The largest slice that Rust allows is isize::MAX bytes.
    let most = isize::MAX.unsigned_abs() / ELEMENT_BYTES;
    match elements <= most {
        true => Ok(elements * LIMBS),
        false => Err(Error::TooManyElements { elements, most }),
    }
}

/// Checks that every slice of `jobs` holds exactly `elements` elements, and
/// returns that length in limbs.
fn check(jobs: &[Job<'_>], elements: usize) -> Result<usize, Error> {
    let expected = limbs(elements)?;
    for (job, (a, b)) in jobs.iter().enumerate() {
        for (operand, slice) in [("A", a), ("B", b)] {
            check_length(job, operand, slice, expected)?;
        }
    }
    Ok(expected)
}

fn check_length(
    job: usize,
    operand: &'static str,
    slice: &[u64],
    expected: usize,
) -> Result<(), Error> {
    let found = slice.len();
    match found == expected {
        true => Ok(()),
        false => Err(Error::InvalidJob {
            job,
            operand,
            expected,
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_elements_as_a_slice_can_have_are_counted() {
        let most = isize::MAX.unsigned_abs() / 48;
        assert_eq!(limbs(most), Ok(most * 6));
        for elements in [most + 1, usize::MAX / 6, usize::MAX / 48 + 1, usize::MAX] {
            let error = Error::TooManyElements { elements, most };
            assert_eq!(limbs(elements), Err(error));
        }
    }
}
