//! Programs on the host's processor.

mod arithmetic;
#[cfg(feature = "blst")]
mod blst;
mod chain;
mod families;
mod memory;

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use field_kernels::chain::{MAX_INPUTS, MAX_OUTPUTS};
use field_kernels::{Field, FieldId, Fp, Fr};
use vk_mem_paths::{Crew, Submitted};

use self::arithmetic::Arithmetic;
use super::plan::{ChainStage, Fusion, LastUses, Stage};
use super::program::{Argument, Program, Source, Task};
use super::runner::{Did, Flags, Left, Outcome, Ran, Runner, internal};
use super::value::Stored;
use crate::{Engine, Error, Inputs, canonical};
use memory::Pool;
pub(crate) use memory::Words;

/// Elements that one thread computes at a time: few enough for all values of a chain
/// to stay in its caches.
const GRAIN: usize = 512;
/// Limbs that one thread copies at a time.
const PIECE: usize = 16 << 10;

/// The threads of one engine.
pub(crate) struct CpuRunner {
    pool: Arc<Pool>,
    crew: Mutex<Crew>,
    threads: usize,
}

impl CpuRunner {
    pub(crate) fn new(threads: usize) -> Result<Self, Error> {
        let crew = Crew::new(threads)?;
        Ok(Self {
            pool: Arc::default(),
            threads: crew.threads(),
            crew: Mutex::new(crew),
        })
    }
}

impl Runner for CpuRunner {
    fn engine(&self) -> Engine {
        Engine::Cpu {
            threads: self.threads,
        }
    }

    fn fusion(&self) -> Fusion {
        Fusion {
            buffers: MAX_INPUTS + MAX_OUTPUTS,
            operations: usize::MAX,
            products: u32::MAX,
        }
    }

    fn upload(&self, field: FieldId, words: &[u64], inputs: Inputs) -> Result<Stored, Error> {
        let refused = match (inputs, field) {
            (Inputs::Any, _) => None,
            (Inputs::Canonical, FieldId::Fp) => canonical::first_refused::<Fp>(Fp::elements(words)),
            (Inputs::Canonical, FieldId::Fr) => canonical::first_refused::<Fr>(Fr::elements(words)),
        };
        match refused {
            Some(element) => Err(canonical::refused(field, words, element)),
            None => {
                let mut copy = self.pool.take(words.len())?;
                let pieces = copy.as_mut_slice().chunks_mut(PIECE);
                let pieces: Vec<_> = pieces.zip(words.chunks(PIECE)).collect();
                let copy_one = |(to, from): (&mut [u64], &[u64])| to.copy_from_slice(from);
                crew(&self.crew).for_each(pieces.len(), pieces.into_iter(), copy_one);
                Ok(Stored::Host(Arc::new(copy)))
            }
        }
    }

    fn download(
        &self,
        field: FieldId,
        stored: &Stored,
        elements: Range<usize>,
        out: &mut [MaybeUninit<u64>],
    ) -> Result<(), Error> {
        let limbs = field.limbs();
        let words = host_words(stored)?;
        let wanted = words.get(elements.start * limbs..elements.end * limbs);
        let wanted = wanted.filter(|wanted| wanted.len() == out.len());
        let wanted = wanted.ok_or_else(|| internal("the elements of a vector"))?;
        let pieces: Vec<_> = out.chunks_mut(PIECE).zip(wanted.chunks(PIECE)).collect();
        let copy_one = |(to, from): (&mut [MaybeUninit<u64>], &[u64])| {
            to.write_copy_of_slice(from);
        };
        crew(&self.crew).for_each(pieces.len(), pieces.into_iter(), copy_one);
        Ok(())
    }

    fn run(&self, program: Program, stages: &[Stage], is_live: &[bool]) -> Result<Ran, Error> {
        let mut run = Run {
            results: vec![None; program.nodes.len()],
            program: &program,
            pool: &self.pool,
            crew: &self.crew,
            left: Left::default(),
        };
        let last = LastUses::of(&program, stages);
        for (number, stage) in stages.iter().enumerate() {
            let field = match stage {
                Stage::Chain(stage) => stage.field,
                Stage::Node(node) => program.nodes[*node].field,
            };
            match field {
                FieldId::Fp => run.stage::<Fp>(stage)?,
                FieldId::Fr => run.stage::<Fr>(stage)?,
            }
            let gone = |node: &usize| last.nodes[*node] == Some(number) && !is_live[*node];
            let gone = (0..program.nodes.len()).filter(gone);
            gone.for_each(|node| run.results[node] = None);
        }
        run.read()?;
        let Run { results, left, .. } = run;
        let live = results.into_iter().enumerate();
        let live = live.filter(|(number, _)| is_live[*number]);
        let stored =
            live.map(|(number, result)| (number, result.map_or(Stored::Nowhere, Stored::Host)));
        Ok(Ran {
            stored: stored.collect(),
            did: Did {
                kernels: stages.len(),
                ..Did::default()
            },
            outcome: Outcome::Done(left),
        })
    }

    fn wait(&self, _: &Submitted) -> Result<(), Error> {
        Ok(())
    }

    fn collect(&self, _: &Submitted, _: &Flags) -> Result<Left, Error> {
        Err(internal("a run that was over when it began"))
    }

    fn trim(&self) -> usize {
        self.pool.trim()
    }

    fn calibrate(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A program in work.
pub(super) struct Run<'r> {
    program: &'r Program,
    results: Vec<Option<Arc<Words>>>,
    pub(super) pool: &'r Arc<Pool>,
    crew: &'r Mutex<Crew>,
    left: Left,
}

impl Run<'_> {
    pub(super) fn crew(&self) -> MutexGuard<'_, Crew> {
        crew(self.crew)
    }

    fn stage<F: Arithmetic>(&mut self, stage: &Stage) -> Result<(), Error> {
        match stage {
            Stage::Chain(stage) => self.chain::<F>(stage),
            Stage::Node(number) => {
                let node = &self.program.nodes[*number];
                let result = match node.task {
                    Task::Reduce(reduction) => Some(self.reduce::<F>(reduction, node)?),
                    Task::Inverse => Some(self.inverse::<F>(node)?),
                    Task::BitReverse => Some(self.bit_reverse::<F>(node)?),
                    Task::Equal => {
                        let (a, b) = (self.vector::<F>(node, 0)?, self.vector::<F>(node, 1)?);
                        let equal = a == b;
                        self.left.equal.push(equal);
                        None
                    }
                    Task::Element(_) | Task::Copy => None,
                };
                self.results[*number] = result.map(Arc::new);
                Ok(())
            }
        }
    }

    fn chain<F: Arithmetic>(&mut self, stage: &ChainStage) -> Result<(), Error> {
        let inputs = stage.inputs.iter();
        let inputs: Vec<&[F::Limbs]> = inputs
            .map(|argument| self.elements::<F>(argument, stage.elements))
            .collect::<Result<_, _>>()?;
        let mut outputs = Vec::new();
        for _ in &stage.outputs {
            outputs.push(self.pool.take(stage.elements * F::LIMBS)?);
        }
        chain::compute::<F>(
            &stage.chain,
            &inputs,
            &mut outputs,
            stage.elements,
            &mut self.crew(),
        );
        for (node, output) in stage.outputs.iter().zip(outputs) {
            self.results[*node] = Some(Arc::new(output));
        }
        Ok(())
    }

    /// The elements of a node's argument that is a vector.
    fn vector<F: Field>(
        &self,
        node: &super::program::Node,
        number: usize,
    ) -> Result<&[F::Limbs], Error> {
        let argument = node.arguments.get(number);
        let argument = argument.ok_or_else(|| internal("an argument"))?;
        self.elements::<F>(argument, node.elements)
    }

    /// The elements of an argument of an operation over `elements`.
    fn elements<F: Field>(
        &self,
        argument: &Argument,
        elements: usize,
    ) -> Result<&[F::Limbs], Error> {
        let words: Option<&[u64]> = match argument.source {
            Source::Node(node) => self.results[node].as_deref().map(Words::as_slice),
            Source::Input(input) => Some(host_words(&self.program.inputs[input])?),
            Source::Constant(number) => self.program.constants.get(number).map(Vec::as_slice),
        };
        let count = if argument.scalar { 1 } else { elements };
        let range = argument.start..argument.start + count;
        let found = words.and_then(|words| F::elements(words).get(range));
        found.ok_or_else(|| internal("the elements of an argument"))
    }

    fn read(&mut self) -> Result<(), Error> {
        for read in &self.program.reads {
            let argument = Argument {
                source: read.source,
                start: read.start,
                scalar: false,
            };
            let words = match read.field {
                FieldId::Fp => Fp::words(self.elements::<Fp>(&argument, read.elements)?).to_vec(),
                FieldId::Fr => Fr::words(self.elements::<Fr>(&argument, read.elements)?).to_vec(),
            };
            self.left.reads.push(words);
        }
        Ok(())
    }
}

fn host_words(stored: &Stored) -> Result<&[u64], Error> {
    match stored {
        Stored::Host(words) => Ok(words.as_slice()),
        Stored::Nowhere => Ok(&[]),
        Stored::Device(_) => Err(internal("elements in host memory")),
    }
}

fn crew(crew: &Mutex<Crew>) -> MutexGuard<'_, Crew> {
    // A crew waits for its calls, also where one of them panics.
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}
