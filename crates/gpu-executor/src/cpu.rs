//! The same calls on the host's processor.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use field_kernels::Fp;
use vk_mem_paths::{Crew, StageTimes};

use crate::jobs::{self, Job, Outputs};
use crate::kernels::{self, ELEMENT_BYTES, Kernel, LIMBS};
use crate::{ChosenBy, Engine, Error, Inputs, Mode, RunReport, canonical};

/// Elements that one thread computes at a time.
const GRAIN: usize = 4_096;

/// Runs batches of field operations on all cores, by the CPU reference of
/// this library's kernels.
///
/// It runs no SPIR-V: a module is recognised as one of [`kernels::KERNELS`]
/// by its bytes, and any other is an error.
pub struct CpuEngine {
    crew: Crew,
    inputs: Inputs,
    report: Option<RunReport>,
}

impl CpuEngine {
    /// An engine with one thread per core.
    ///
    /// # Errors
    /// [`Error::DataPath`] where the threads cannot be started.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self::with_threads(0)?)
    }

    /// An engine with `threads` threads; 0 means one per core.
    ///
    /// # Errors
    /// [`Error::DataPath`] where the threads cannot be started.
    pub fn with_threads(threads: usize) -> Result<Self, Error> {
        Ok(Self {
            crew: Crew::new(threads)?,
            inputs: Inputs::default(),
            report: None,
        })
    }

    /// The same engine, with another idea of what inputs are held to. Default:
    /// [`Inputs::Canonical`].
    #[must_use]
    pub fn with_inputs(mut self, inputs: Inputs) -> Self {
        self.inputs = inputs;
        self
    }

    /// Runs `jobs` in order; see
    /// [`PersistentVulkanBackend::run_field_add_batch`](crate::spirv::PersistentVulkanBackend::run_field_add_batch).
    /// There is no device memory to prefer here: `use_device_local` changes
    /// nothing, and the report names the CPU.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] and [`Error::TooManyElements`] for `jobs` that do
    /// not fit `elements`, [`Error::NotCanonical`] for an element that is not
    /// below the modulus, [`Error::UnknownKernelOnCpu`] for SPIR-V that is not
    /// this library's.
    pub fn run_field_add_batch(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        _use_device_local: bool,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        Ok(self.run(spirv_bytes, jobs, elements, Mode::Sequential)?)
    }

    /// As [`Self::run_field_add_batch`], with the results written to
    /// `results[i]` for job i: slices of `6 * elements` limbs that the caller
    /// keeps and may use again, which spares the faults of fresh memory.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`], and [`Error::InvalidResults`] and
    /// [`Error::InvalidJob`] for `results` that do not fit.
    pub fn run_field_add_batch_into(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        _use_device_local: bool,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        Ok(self.run_into(spirv_bytes, jobs, elements, Mode::Sequential, results)?)
    }

    /// Runs `jobs`; on the CPU nothing is transferred, so nothing overlaps.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`].
    pub fn run_field_add_batch_pipelined(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        Ok(self.run(spirv_bytes, jobs, elements, Mode::Pipelined)?)
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
        Ok(self.run_into(spirv_bytes, jobs, elements, Mode::Pipelined, results)?)
    }

    /// Runs one job.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`].
    pub fn run_field_add(
        &mut self,
        spirv_bytes: &[u8],
        a: &[u64],
        b: &[u64],
        elements: usize,
        _use_device_local: bool,
    ) -> anyhow::Result<Vec<u64>> {
        let results = self.run(spirv_bytes, &[(a, b)], elements, Mode::Sequential)?;
        Ok(results.into_iter().next().unwrap_or_default())
    }

    /// Adds A and B.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] and [`Error::NotCanonical`]; the length of `a`
    /// says how many elements are expected.
    pub fn field_add(&mut self, a: &[u64], b: &[u64]) -> anyhow::Result<Vec<u64>> {
        let results = self.field_add_batch(&[(a, b)], a.len() / LIMBS)?;
        Ok(results.into_iter().next().unwrap_or_default())
    }

    /// Adds the pairs of `jobs`.
    ///
    /// # Errors
    /// [`Error::InvalidJob`], [`Error::NotCanonical`] and
    /// [`Error::TooManyElements`].
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
    /// [`Error::InvalidJob`], [`Error::InvalidResults`],
    /// [`Error::NotCanonical`] and [`Error::TooManyElements`].
    pub fn field_add_batch_into(
        &mut self,
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        self.run_field_add_batch_pipelined_into(self.field_add_spirv(), jobs, elements, results)
    }

    /// The SPIR-V by which this engine knows field addition.
    #[must_use]
    pub fn field_add_spirv(&self) -> &'static [u8] {
        kernels::BLS12_381_FIELD_ADD_SPV
    }

    /// What the last run did; `None` before the first one and after one that
    /// failed.
    #[must_use]
    pub fn last_report(&self) -> Option<&RunReport> {
        self.report.as_ref()
    }

    fn run(
        &mut self,
        spirv: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        mode: Mode,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let start = Instant::now();
        let (kernel, limbs) = self.prepare(spirv, jobs, elements)?;
        let mut outputs = Outputs::new(jobs.len(), limbs)?;
        compute(&mut self.crew, kernel, self.inputs, jobs, outputs.limbs())?;
        // SAFETY: `compute` returned Ok, so it has written every element of
        // every output.
        let results = unsafe { outputs.assume_written() };
        self.report = Some(self.report(kernel, mode, jobs.len(), elements, start));
        Ok(results)
    }

    pub(crate) fn run_into(
        &mut self,
        spirv: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
        mode: Mode,
        results: &mut [&mut [u64]],
    ) -> Result<(), Error> {
        let start = Instant::now();
        let (kernel, limbs) = self.prepare(spirv, jobs, elements)?;
        jobs::check_results(results, jobs.len(), limbs)?;
        let out = results.iter_mut().map(|out| jobs::as_uninit(out));
        compute(&mut self.crew, kernel, self.inputs, jobs, out)?;
        self.report = Some(self.report(kernel, mode, jobs.len(), elements, start));
        Ok(())
    }

    /// Checks the jobs, finds the kernel, and forgets the last run.
    fn prepare(
        &mut self,
        spirv: &[u8],
        jobs: &[Job<'_>],
        elements: usize,
    ) -> Result<(&'static Kernel, usize), Error> {
        self.report = None;
        let limbs = jobs::check(jobs, elements)?;
        Ok((known(spirv)?, limbs))
    }

    fn report(
        &self,
        kernel: &Kernel,
        mode: Mode,
        jobs: usize,
        elements: usize,
        start: Instant,
    ) -> RunReport {
        let total = elements * jobs;
        let bytes = (total * ELEMENT_BYTES) as u64;
        RunReport {
            engine: Engine::Cpu {
                threads: self.crew.threads(),
            },
            kernel: kernel.name.to_owned(),
            mode,
            path: None,
            path_reason: "",
            chunk: elements,
            depth: 1,
            chunks: jobs,
            jobs,
            elements: total,
            bytes_in: 2 * bytes,
            bytes_out: bytes,
            chosen_by: ChosenBy::Rule,
            total: start.elapsed(),
            compile: Duration::ZERO,
            stages: StageTimes::default(),
            timeline: Vec::new(),
            overlap: None,
        }
    }
}

fn known(spirv: &[u8]) -> Result<&'static Kernel, Error> {
    kernels::find_by_spirv(spirv).ok_or_else(|| {
        let names: Vec<_> = kernels::KERNELS.iter().map(|kernel| kernel.name).collect();
        Error::UnknownKernelOnCpu {
            known: names.join(", "),
            bytes: spirv.len(),
        }
    })
}

/// Writes the result of every job, grain by grain on all threads.
fn compute<'a>(
    crew: &mut Crew,
    kernel: &Kernel,
    inputs: Inputs,
    jobs: &[Job<'_>],
    outputs: impl Iterator<Item = &'a mut [MaybeUninit<u64>]> + Send,
) -> Result<(), Error> {
    let grain = GRAIN * LIMBS;
    let pieces = jobs
        .iter()
        .zip(outputs)
        .enumerate()
        .flat_map(|(job, ((a, b), out))| {
            let inputs = a.chunks(grain).zip(b.chunks(grain));
            let pieces = out.chunks_mut(grain).zip(inputs).enumerate();
            pieces.map(move |(number, (out, (a, b)))| Piece {
                job,
                first: number * GRAIN,
                a,
                b,
                out,
            })
        });
    let first: Mutex<Option<Refused>> = Mutex::new(None);
    crew.for_each(crew.threads(), pieces, |piece| {
        if let Some(refused) = piece.compute(kernel, inputs) {
            // Written as a whole, so a panic elsewhere left it whole.
            let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
            *first = Some(first.map_or(refused, |other| other.min(refused)));
        }
    });
    match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(()),
        Some((job, element, operand)) => Err(canonical::refusal(jobs, job, operand, element)),
    }
}

/// Job, element and operand.
type Refused = (usize, usize, &'static str);

/// What one thread computes at a time.
struct Piece<'a, 'o> {
    job: usize,
    /// Its first element in the job.
    first: usize,
    a: &'a [u64],
    b: &'a [u64],
    out: &'o mut [MaybeUninit<u64>],
}

impl Piece<'_, '_> {
    /// Writes the results, and returns the first element that is refused.
    fn compute(self, kernel: &Kernel, inputs: Inputs) -> Option<Refused> {
        let (a, _) = self.a.as_chunks::<LIMBS>();
        let (b, _) = self.b.as_chunks::<LIMBS>();
        let (out, _) = self.out.as_chunks_mut::<LIMBS>();
        // Looked at where they are computed, in one pass over memory.
        let mut doubtful = false;
        for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
            doubtful |= canonical::is_doubtful::<Fp>(a[LIMBS - 1].max(b[LIMBS - 1]));
            out.write_copy_of_slice(&(kernel.reference)(a, b));
        }
        if inputs == Inputs::Any || !doubtful {
            return None;
        }
        [("A", a), ("B", b)]
            .into_iter()
            .find_map(|(operand, elements)| {
                let inside = canonical::first_refused::<Fp>(elements)?;
                Some((self.job, self.first + inside, operand))
            })
    }
}

impl std::fmt::Debug for CpuEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuEngine")
            .field("threads", &self.crew.threads())
            .finish_non_exhaustive()
    }
}
