//! A program in work.

use field_kernels::{ElementId, Field};

use super::arithmetic::Arithmetic;
use super::memory::Words;
use super::threads::{Job, Shared};
use super::{chain, limbs_of};
use crate::Error;
use crate::vectors::fields::with_field;
use crate::vectors::plan::{ChainStage, LastUses, Stage};
use crate::vectors::program::{Argument, Node, Program, Source, Task};
use crate::vectors::runner::{Left, internal};

/// Computes all of `job`, and fills the places of its results.
pub(super) fn compute(job: Job, shared: &Shared) -> Result<Left, Error> {
    let Job {
        program,
        stages,
        results,
        ..
    } = job;
    // What a program before it should have left.
    for input in &program.inputs {
        limbs_of(input, "submit")?;
    }
    let mut run = Run {
        results: program.nodes.iter().map(|_| None).collect(),
        program: &program,
        shared,
        left: Left::default(),
    };
    let last = LastUses::of(&program, &stages);
    let mut is_live = vec![false; program.nodes.len()];
    results.iter().for_each(|(node, _)| is_live[*node] = true);
    for (number, stage) in stages.iter().enumerate() {
        let field = match stage {
            Stage::Chain(stage) => stage.field,
            Stage::Node(node) => program.nodes[*node].field,
        };
        with_field!(field, F => run.stage::<F>(stage))?;
        let gone = |node: &usize| last.nodes[*node] == Some(number) && !is_live[*node];
        let gone = (0..program.nodes.len()).filter(gone);
        gone.for_each(|node| run.results[node] = None);
    }
    run.read()?;
    for (node, place) in results {
        if let Some(words) = run.results[node].take() {
            place.fill(words);
        }
    }
    Ok(run.left)
}

/// A program in work.
pub(super) struct Run<'r> {
    program: &'r Program,
    results: Vec<Option<Words>>,
    pub(super) shared: &'r Shared,
    pub(super) left: Left,
}

impl Run<'_> {
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
                self.results[*number] = result;
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
            outputs.push(self.shared.pool.take(stage.elements * F::LIMBS)?);
        }
        chain::compute::<F>(
            &stage.chain,
            &inputs,
            &mut outputs,
            stage.elements,
            self.shared,
        )?;
        for (node, output) in stage.outputs.iter().zip(outputs) {
            self.results[*node] = Some(output);
        }
        Ok(())
    }

    /// The elements of a node's argument that is a vector.
    pub(super) fn vector<F: Field>(
        &self,
        node: &Node,
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
        Ok(F::elements(self.limbs(argument, F::ID, elements)?)?)
    }

    /// Their limbs.
    fn limbs(
        &self,
        argument: &Argument,
        field: ElementId,
        elements: usize,
    ) -> Result<&[u64], Error> {
        let words: Option<&[u64]> = match argument.source {
            Source::Node(node) => self.results[node].as_ref().map(Words::as_slice),
            Source::Input(input) => Some(limbs_of(&self.program.inputs[input], "submit")?),
            Source::Constant(number) => self.program.constants.get(number).map(Vec::as_slice),
        };
        let count = if argument.scalar { 1 } else { elements };
        let range = argument.start * field.limbs()..(argument.start + count) * field.limbs();
        let found = words.and_then(|words| words.get(range));
        found.ok_or_else(|| internal("the elements of an argument"))
    }

    fn read(&mut self) -> Result<(), Error> {
        for read in &self.program.reads {
            let argument = Argument {
                source: read.source,
                start: read.start,
                scalar: false,
            };
            let words = self.limbs(&argument, read.field, read.elements)?;
            self.left.reads.push(words.to_vec());
        }
        Ok(())
    }
}
