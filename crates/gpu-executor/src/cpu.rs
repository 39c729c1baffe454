//! The same calls on the host's processor.

pub(crate) mod measure;

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use field_kernels::Fp;
use vk_core::spirv::SpirvCheck;
use vk_mem_paths::{Least, StageTimes, ThreadPool};

use crate::field_add::{Batch, FieldAdd, Job, Outputs};

use crate::kernels::{self, ELEMENT_BYTES, Kernel, LIMBS};
use crate::vectors::VectorEngine;
use crate::{ChosenBy, Engine, Error, Inputs, RunReport, canonical};

/// Elements that one thread computes at a time.
const GRAIN: usize = 4_096;

/// Runs batches of field operations on all cores, by the CPU reference of
/// this library's kernels.
///
/// It runs no SPIR-V: a module is recognised as one of [`kernels::KERNELS`]
/// by its bytes, and any other is an error.
pub struct CpuEngine {
    threads: ThreadPool,
    inputs: Inputs,
    report: Option<RunReport>,
    /// Once they were asked for.
    vectors: Option<VectorEngine>,
}

impl CpuEngine {
    /// An engine with one thread per core.
    ///
    /// # Errors
    /// [`Error::DataPath`] where the threads cannot be started.
    pub fn new() -> Result<Self, Error> {
        Self::with_threads(0)
    }

    /// An engine with `threads` threads; 0 means one per core.
    ///
    /// # Errors
    /// [`Error::DataPath`] where the threads cannot be started.
    pub fn with_threads(threads: usize) -> Result<Self, Error> {
        Ok(Self {
            threads: ThreadPool::new(threads)?,
            inputs: Inputs::default(),
            report: None,
            vectors: None,
        })
    }

    /// The same engine, with another idea of what inputs are held to. Default:
    /// [`Inputs::Canonical`].
    #[must_use]
    pub fn with_inputs(mut self, inputs: Inputs) -> Self {
        self.inputs = inputs;
        self.vectors = None;
        self
    }

    /// Vectors that stay in host memory, by the same number of threads and held to the same:
    /// made once, and the same engine from then on.
    ///
    /// # Errors
    /// [`Error::DataPath`] where the threads cannot be started.
    pub fn vectors(&mut self) -> Result<VectorEngine, Error> {
        if let Some(known) = &self.vectors {
            return Ok(known.clone());
        }
        let made = VectorEngine::on_cpu(self.threads.threads(), self.inputs)?;
        Ok(self.vectors.insert(made).clone())
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

    fn report(&self, kernel: &Kernel, batch: &Batch<'_>, start: Instant) -> RunReport {
        let bytes = (batch.total() * ELEMENT_BYTES) as u64;
        RunReport {
            engine: Engine::Cpu {
                threads: self.threads.threads(),
            },
            kernel: kernel.name.to_owned(),
            spirv: SpirvCheck::Own,
            mode: batch.mode,
            path: None,
            path_reason: "",
            chunk: batch.elements,
            depth: 1,
            chunks: batch.jobs.len(),
            jobs: batch.jobs.len(),
            elements: batch.total(),
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

impl FieldAdd for CpuEngine {
    /// There is nothing to transfer and no device memory here: `mode` and `device_local`
    /// change nothing but the report.
    fn run(
        &mut self,
        batch: &Batch<'_>,
        results: Option<&mut [&mut [u64]]>,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let start = Instant::now();
        self.report = None;
        let mut outputs = Outputs::of(batch, results)?;
        let kernel = known(batch.spirv.unwrap_or_else(|| self.field_add_spirv()))?;
        let out = outputs.limbs();
        compute(&mut self.threads, kernel, self.inputs, batch.jobs, out)?;
        self.report = Some(self.report(kernel, batch, start));
        // SAFETY: `compute` returned Ok, so it has written every element of
        // every output.
        Ok(unsafe { outputs.assume_written() })
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
fn compute(
    threads: &mut ThreadPool,
    kernel: &Kernel,
    inputs: Inputs,
    jobs: &[Job<'_>],
    outputs: Vec<&mut [MaybeUninit<u64>]>,
) -> Result<(), Error> {
    let grain = GRAIN * LIMBS;
    let jobs = jobs.iter().zip(outputs).enumerate();
    let pieces = jobs.flat_map(|(job, ((a, b), out))| {
        let inputs = a.chunks(grain).zip(b.chunks(grain));
        let pieces = out.chunks_mut(grain).zip(inputs).enumerate();
        pieces.map(move |(number, piece)| (job, number * GRAIN, piece))
    });
    let least = Least::default();
    threads.for_each(threads.threads(), pieces, |(job, first, (out, (a, b)))| {
        let [a, b] = [a, b].map(|it| it.as_chunks::<LIMBS>().0);
        // Looked at where they are computed, in one pass over memory.
        let mut doubtful = false;
        let places = out.as_chunks_mut::<LIMBS>().0.iter_mut();
        for (out, (a, b)) in places.zip(a.iter().zip(b)) {
            doubtful |= canonical::is_doubtful::<Fp>(a[LIMBS - 1].max(b[LIMBS - 1]));
            out.write_copy_of_slice(&(kernel.reference)(a, b));
        }
        if inputs == Inputs::Any || !doubtful {
            return;
        }
        let refused = [("A", a), ("B", b)].into_iter().find_map(|(operand, it)| {
            let refused = canonical::first_refused::<Fp>(it)?;
            Some(refused.of(job, operand).after(first))
        });
        if let Some(refused) = refused {
            least.note(refused);
        }
    });
    match least.into_inner() {
        None => Ok(()),
        Some(refused) => Err(refused.into()),
    }
}

impl std::fmt::Debug for CpuEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuEngine")
            .field("threads", &self.threads.threads())
            .finish_non_exhaustive()
    }
}
