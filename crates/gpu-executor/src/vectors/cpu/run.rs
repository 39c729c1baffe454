//! A program in work. Its methods are what the families of operations are made of on the
//! CPU.

use std::sync::Arc;

use field_kernels::{ElementType, Field};

use super::blst::CpuField;
use super::memory::Words;
use super::threads::{Shared, Submission};
use super::{chain, limbs_of};
use crate::Error;
use crate::vectors::families::Call;
use crate::vectors::fields::with_field;
use crate::vectors::plan::{ChainWork, Work};
use crate::vectors::program::{Argument, Program, Source};
use crate::vectors::runner::{Elements, Left, internal};
use crate::vectors::tables::TableKey;

/// Computes all of `submission`, and fills the places of its results.
pub(super) fn compute(submission: Submission, shared: &Shared) -> Result<Left, Error> {
    let Submission {
        program,
        stages,
        results,
        ..
    } = submission;
    // What a program before it should have left.
    for input in &program.inputs {
        limbs_of(input, "submit")?;
    }
    let mut run = Run {
        results: program.results.iter().map(|_| None).collect(),
        program: &program,
        shared,
        left: Left::default(),
    };
    for stage in &stages {
        match &stage.work {
            Work::Chain(work) => with_field!(work.field, F => run.chain::<F>(work))?,
            Work::Whole(node) => {
                let call = Call::of(&program, *node);
                let call = call.ok_or_else(|| internal("an operation over whole vectors"))?;
                match call.is_empty() {
                    true => {
                        for result in 0..call.results.len() {
                            let nothing = run.take(0)?;
                            run.set_result(&call, result, nothing);
                        }
                    }
                    false => (call.operation.on_cpu)(&mut run, &call)?,
                }
            }
        }
        for source in &stage.last_uses {
            if let Source::Result(result) = source {
                run.results[*result] = None;
            }
        }
    }
    for read in &program.reads {
        let limbs = run.limbs(read)?.into();
        run.left.reads.push(Elements::Limbs(limbs));
    }
    for (result, place) in results {
        let words = run.results[result].take();
        place.fill(words.ok_or_else(|| internal("a result that somebody holds"))?);
    }
    Ok(run.left)
}

pub(crate) struct Run<'r> {
    program: &'r Program,
    results: Vec<Option<Words>>,
    shared: &'r Shared,
    left: Left,
}

impl<'r> Run<'r> {
    pub(crate) fn elements<F: Field>(&self, argument: &Argument) -> Result<&[F::Limbs], Error> {
        Ok(F::elements(self.limbs(argument)?)?)
    }

    pub(crate) fn limbs(&self, argument: &Argument) -> Result<&[u64], Error> {
        let words: Option<&[u64]> = match argument.source {
            Source::Result(result) => self.results[result].as_ref().map(Words::as_slice),
            Source::Input(input) => Some(limbs_of(&self.program.inputs[input], "submit")?),
            Source::Constant(number) => self.program.constants.get(number).map(Vec::as_slice),
        };
        let limbs = argument.of.limbs();
        let (start, end) = (argument.start, argument.start + argument.elements);
        let found = words.and_then(|words| words.get(start * limbs..end * limbs));
        found.ok_or_else(|| internal("the elements of an argument"))
    }

    /// Memory of so many limbs, which hold anything: for a result, or for as long as it is
    /// held.
    pub(crate) fn take(&self, limbs: usize) -> Result<Words, Error> {
        self.shared.take(limbs)
    }

    /// A table: as it was kept, else as `make` makes it.
    pub(crate) fn table(
        &self,
        key: TableKey,
        make: impl FnOnce(&Self) -> Result<Words, Error>,
    ) -> Result<Arc<Words>, Error> {
        let tables = &self.shared.tables;
        if let Some(known) = tables.get(&key) {
            return Ok(known);
        }
        let made = Arc::new(make(self)?);
        tables.keep(key, Arc::clone(&made));
        Ok(made)
    }

    pub(crate) fn threads(&self) -> usize {
        self.shared.threads()
    }

    /// Calls `task` with each of `pieces`, on all threads.
    pub(crate) fn for_each<T: Send>(
        &self,
        pieces: Vec<T>,
        task: impl Fn(T) + Sync,
    ) -> Result<(), Error> {
        self.shared.for_each(pieces, task)
    }

    pub(crate) fn set_result(&mut self, call: &Call<'_>, result: usize, words: Words) {
        let bytes = size_of_val(words.as_slice());
        debug_assert_eq!(bytes, call.bytes(result), "{:?}", call.operation);
        self.results[call.first_result + result] = Some(words);
    }

    /// The same of an operation that has but one.
    pub(crate) fn only_result(&mut self, call: &Call<'_>, words: Words) -> Result<(), Error> {
        self.set_result(call, 0, words);
        Ok(())
    }

    /// Memory for so many elements, filled on all threads: `fill` is called with pieces of
    /// `piece` elements, each with the place of its first.
    pub(crate) fn filled<E: ElementType>(
        &self,
        elements: usize,
        piece: usize,
        fill: impl Fn(usize, &mut [E::Limbs]) + Sync,
    ) -> Result<Words, Error> {
        let mut out = self.take(elements * E::LIMBS)?;
        let pieces = E::elements_mut(out.as_mut_slice())?.chunks_mut(piece);
        let pieces = (0..).step_by(piece).zip(pieces).collect();
        self.for_each(pieces, |(first, out)| fill(first, out))?;
        Ok(out)
    }

    /// Leaves the number that the operation leaves on the host.
    pub(crate) fn leave(&mut self, call: &Call<'_>, number: u64) {
        if let Some(means) = call.operation.leaves {
            self.left.note(call.node, means, number);
        }
    }

    fn chain<F: CpuField>(&mut self, work: &ChainWork) -> Result<(), Error> {
        let inputs = work.inputs.iter();
        let inputs: Vec<&[F::Limbs]> = inputs
            .map(|argument| self.elements::<F>(argument))
            .collect::<Result<_, _>>()?;
        let mut outputs = Vec::new();
        for _ in &work.outputs {
            outputs.push(self.take(work.elements * F::LIMBS)?);
        }
        chain::compute::<F>(
            &work.chain,
            &inputs,
            &mut outputs,
            work.elements,
            self.shared,
        )?;
        for (result, output) in work.outputs.iter().zip(outputs) {
            self.results[*result] = Some(output);
        }
        Ok(())
    }
}
