//! From stages to the steps of a batch: where each result lives, and which memory, tables
//! and numbers a family of operations is given.

use std::sync::Arc;

use field_kernels::{Arithmetic, ElementId};
use vk_mem_paths::{Access, BatchMemory, Region, Step, Storage};

use super::dispatch::{Window, count};
use super::flight::Readbacks;
use super::kernels::Kernels;
use super::{DeviceTables, is_full};
use crate::Error;
use crate::vectors::families::Call;
use crate::vectors::plan::{Stage, Work};
use crate::vectors::program::{Argument, Program, Source};
use crate::vectors::runner::internal;
use crate::vectors::tables::TableKey;
use crate::vectors::value::Stored;

/// A batch in the making, to be dropped once its steps are submitted: it has their memory.
pub(crate) struct Steps<'a> {
    program: &'a Program,
    stages: &'a [Stage],
    pub(super) kernels: &'a mut Kernels,
    pub(super) memory: BatchMemory,
    kept: &'a DeviceTables,
    pub(super) chunk: Option<usize>,
    /// Where each result is, as long as somebody needs it.
    results: Vec<Option<Arc<Storage>>>,
    /// Likewise, each input.
    inputs: Vec<Option<Arc<Storage>>>,
    /// What nobody needs after the stage in the making.
    last_uses: &'a [Source],
    /// Of that, whose memory a result of the stage has.
    overwritten: Option<Source>,
    constants: Option<Storage>,
    numbers: Option<Storage>,
    pub(super) readbacks: Readbacks,
    /// Tables that it makes.
    pub(super) tables: Vec<((TableKey, Arithmetic), Arc<Storage>)>,
    pub(super) steps: Vec<Step>,
    pub(super) kernel_count: usize,
}

/// What is read at the end of a batch, and results by their numbers.
type Finished = (Vec<Region>, Vec<(usize, Stored)>);

/// Numbers that one batch leaves at most: 4 KiB of them.
const MOST_NUMBERS: usize = 1024;
/// Bytes that each constant has for itself: an element, and an alignment that every device
/// takes.
pub(super) const CONSTANT_STRIDE: usize = 256;

impl<'a> Steps<'a> {
    /// None yet. `inputs` are those of `program`: from here on the batch's are the only
    /// ones beside the callers'.
    pub(super) fn new(
        program: &'a Program,
        stages: &'a [Stage],
        inputs: Vec<Stored>,
        (memory, kept): (BatchMemory, &'a DeviceTables),
        kernels: &'a mut Kernels,
        chunk: Option<usize>,
    ) -> Result<Self, Error> {
        let storages = inputs.into_iter().map(|stored| match stored {
            Stored::Device(storage) => Ok(Some(storage)),
            Stored::Nowhere => Ok(None),
            Stored::Host(_) => Err(internal("elements in device memory")),
        });
        let mut made = Self {
            results: program.results.iter().map(|_| None).collect(),
            inputs: storages.collect::<Result<_, _>>()?,
            program,
            stages,
            kernels,
            memory,
            kept,
            chunk,
            last_uses: &[],
            overwritten: None,
            constants: None,
            numbers: None,
            readbacks: Readbacks::default(),
            tables: Vec::new(),
            steps: Vec::new(),
            kernel_count: 0,
        };
        made.write_constants()?;
        Ok(made)
    }

    /// Adds the steps of all stages.
    pub(super) fn add_all(&mut self) -> Result<(), Error> {
        for stage in self.stages {
            self.last_uses = &stage.last_uses;
            match &stage.work {
                Work::Chain(work) => self.chain(work)?,
                Work::Whole(node) => {
                    let call = Call::of(self.program, *node);
                    let call = call.ok_or_else(|| internal("an operation over whole vectors"))?;
                    if !call.is_empty() {
                        (call.operation.on_device)(self, &call)?;
                    }
                }
            }
            let overwritten = self.overwritten.take();
            for source in self.last_uses {
                let unneeded = match source {
                    Source::Result(result) => self.results[*result].take(),
                    Source::Input(input) => self.inputs[*input].take(),
                    Source::Constant(_) => None,
                };
                if let Some(storage) = unneeded.filter(|_| overwritten != Some(*source)) {
                    self.memory.let_go(storage);
                }
            }
        }
        Ok(())
    }

    /// What is read of it, and where the results are that somebody holds.
    pub(super) fn finish(&mut self) -> Result<Finished, Error> {
        let mut reads = Vec::with_capacity(self.program.reads.len());
        for read in &self.program.reads {
            self.readbacks.reads.push(read.elements > 0);
            if read.elements > 0 {
                let elements = read.start..read.start + read.elements;
                let bytes = elements.start * read.of.bytes()..elements.end * read.of.bytes();
                reads.push(self.source(read.source)?.region(bytes, Access::Read));
            }
        }
        if let Some(storage) = &self.numbers {
            let bytes = 4 * self.readbacks.numbers.len();
            reads.push(storage.region(0..bytes, Access::Read));
        }
        let mut stored = Vec::new();
        for (number, result) in self.program.results.iter().enumerate() {
            if result.is_live {
                let place = match self.results[number].take() {
                    Some(storage) => Stored::Device(storage),
                    None if result.elements == 0 => Stored::Nowhere,
                    None => return Err(internal("a result that somebody holds")),
                };
                stored.push((number, place));
            }
        }
        let left = self.results.drain(..).chain(self.inputs.drain(..));
        left.flatten()
            .for_each(|storage| self.memory.let_go(storage));
        Ok((reads, stored))
    }

    /// The steps that were added since this was last asked, for a batch of their own.
    pub(crate) fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// New memory for `elements` elements, 1 or more: for a result, or for as long as it
    /// is held.
    pub(crate) fn take(&self, of: ElementId, elements: usize) -> Result<Storage, Error> {
        self.take_bytes(elements * of.bytes())
    }

    /// Likewise, for bytes.
    pub(crate) fn take_bytes(&self, bytes: usize) -> Result<Storage, Error> {
        Ok(self.kept.make_room(is_full, || self.memory.take(bytes))?)
    }

    /// A table, by the arithmetic of its elements: as it was kept, else as `make` makes it,
    /// by steps of this batch. It is kept once the batch is submitted.
    pub(crate) fn table(
        &mut self,
        key: TableKey,
        make: impl FnOnce(&mut Self) -> Result<Storage, Error>,
    ) -> Result<Arc<Storage>, Error> {
        let arithmetic = self.kernels.arithmetic(key.element);
        let key = (key, arithmetic);
        if let Some((_, known)) = self.tables.iter().find(|(new, _)| *new == key) {
            return Ok(Arc::clone(known));
        }
        if let Some(known) = self.kept.get(&key) {
            // Whoever lets go of tables meanwhile: it stays for this batch.
            self.memory.let_go(Arc::clone(&known));
            return Ok(known);
        }
        let made = Arc::new(make(self)?);
        self.tables.push((key, Arc::clone(&made)));
        Ok(made)
    }

    /// Memory of an argument that nobody needs after this stage, to be overwritten by a
    /// result of as many bytes at the same place: the argument begins at the start of its
    /// memory, and no other argument of the stage is in it.
    pub(crate) fn free_argument(
        &mut self,
        arguments: &[Argument],
        bytes: usize,
    ) -> Option<Arc<Storage>> {
        let (source, storage) = arguments.iter().find_map(|argument| {
            let storage = match argument.source {
                Source::Result(result) => self.results[result].as_ref()?,
                Source::Input(input) => self.inputs[input].as_ref()?,
                Source::Constant(_) => return None,
            };
            let mut same = arguments.iter().filter(|it| it.source == argument.source);
            let at_its_place = same.all(|it| it.start == 0 && !it.scalar);
            // One count: this batch's own.
            let fits = Arc::strong_count(storage) == 1 && storage.bytes() == bytes;
            let is_last = self.last_uses.contains(&argument.source);
            let free = fits && at_its_place && is_last;
            free.then(|| (argument.source, Arc::clone(storage)))
        })?;
        self.overwritten = Some(source);
        Some(storage)
    }

    /// Says where a result is.
    pub(crate) fn set_result(
        &mut self,
        call: &Call<'_>,
        result: usize,
        to: impl Into<Arc<Storage>>,
    ) {
        let storage = to.into();
        debug_assert_eq!(storage.bytes(), call.bytes(result), "{:?}", call.operation);
        self.set(call.first_result + result, storage);
    }

    /// The same of an operation that has but one.
    pub(crate) fn only_result(
        &mut self,
        call: &Call<'_>,
        to: impl Into<Arc<Storage>>,
    ) -> Result<(), Error> {
        self.set_result(call, 0, to);
        Ok(())
    }

    pub(super) fn set(&mut self, result: usize, storage: Arc<Storage>) {
        self.results[result] = Some(storage);
    }

    /// The number that a node leaves on the host, at first 0: what to bind, and in
    /// `start` which 32-bit word of it.
    pub(crate) fn number(&mut self, call: &Call<'_>) -> Result<Window, Error> {
        let number = self.readbacks.numbers.len();
        if number == MOST_NUMBERS {
            return Err(self.too_many_numbers());
        }
        let means = call.operation.leaves;
        let means = means.ok_or_else(|| internal("an operation that leaves a number"))?;
        self.readbacks.numbers.push((call.node, means));
        let storage = match self.numbers.take() {
            Some(storage) => storage,
            None => {
                let storage = self.take_bytes(4 * MOST_NUMBERS)?;
                self.write(&storage, &[0; 4 * MOST_NUMBERS]);
                storage
            }
        };
        let region = storage.region(0..4 * MOST_NUMBERS, Access::Write);
        self.numbers = Some(storage);
        let start = count(number)?;
        Ok(Window { region, start })
    }

    fn too_many_numbers(&self) -> Error {
        let leaves = |stage: &&Stage| match stage.work {
            Work::Whole(node) => {
                Call::of(self.program, node).is_some_and(|call| call.operation.leaves.is_some())
            }
            Work::Chain(_) => false,
        };
        Error::TooMany {
            operation: "inverses and comparisons of one submission",
            most: MOST_NUMBERS,
            found: self.stages.iter().filter(leaves).count(),
        }
    }

    /// The storage of a source.
    pub(super) fn source(&self, source: Source) -> Result<&Storage, Error> {
        let found = match source {
            Source::Result(number) => self.results.get(number).and_then(Option::as_deref),
            Source::Input(number) => self.inputs.get(number).and_then(Option::as_deref),
            Source::Constant(_) => self.constants.as_ref(),
        };
        found.ok_or_else(|| internal("the elements of an argument"))
    }

    /// All constants in one storage, each at a multiple of [`CONSTANT_STRIDE`].
    fn write_constants(&mut self) -> Result<(), Error> {
        let constants = &self.program.constants;
        if constants.is_empty() {
            return Ok(());
        }
        let storage = self.take_bytes(constants.len() * CONSTANT_STRIDE)?;
        let mut bytes = Vec::with_capacity(storage.bytes());
        for (number, limbs) in constants.iter().enumerate() {
            bytes.extend(limbs.iter().flat_map(|limb| limb.to_ne_bytes()));
            bytes.resize((number + 1) * CONSTANT_STRIDE, 0);
        }
        self.write(&storage, &bytes);
        self.constants = Some(storage);
        Ok(())
    }
}
