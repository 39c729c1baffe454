//! From stages to the steps of a batch: where each result lives, and what is
//! bound where.

use std::ops::Range;
use std::sync::Arc;

use field_kernels::ElementId;
use vk_core::ComputePipeline;
use vk_mem_paths::{Access, Region, Step, Storage, StoragePool};

use super::kernels::Kernels;
use super::pieces::{Window, window};
use super::{READ, WRITE};
use crate::Error;
use crate::vectors::plan::{LastUses, Stage};
use crate::vectors::program::{Argument, Program, Source, Task};
use crate::vectors::runner::{Flags, Meaning, internal};
use crate::vectors::value::Stored;

/// A batch in the making.
pub(super) struct Steps<'a> {
    pub(super) program: Program,
    pub(super) kernels: &'a mut Kernels,
    pub(super) pool: &'a Arc<StoragePool>,
    pub(super) chunk: Option<usize>,
    is_live: &'a [bool],
    /// Of each node: where its result is, as long as somebody needs it.
    results: Vec<Option<Arc<Storage>>>,
    /// Of each input: likewise.
    inputs: Vec<Option<Arc<Storage>>>,
    last: LastUses,
    constants: Option<Constants>,
    flags: Flags,
    flag_storage: Option<Storage>,
    /// Inverses and comparisons, each of which may leave a number.
    numbers: usize,
    pub(super) steps: Vec<Step>,
    kernel_count: usize,
}

/// The elements that the host gave, in one storage.
struct Constants {
    storage: Storage,
    /// Of each constant its first byte.
    places: Vec<usize>,
}

/// What is to be submitted, and what it leaves.
pub(super) struct Made {
    pub(super) steps: Vec<Step>,
    pub(super) reads: Vec<Region>,
    pub(super) stored: Vec<(usize, Stored)>,
    pub(super) flags: Flags,
    pub(super) kernels: usize,
}

/// Flags of one batch at most: 4 KiB of them.
const MOST_FLAGS: usize = 1024;
/// Bytes that each constant has for itself: an element, and an alignment that
/// every device takes.
const CONSTANT_STRIDE: usize = 256;
/// Bytes of one write by the host at most, by the specification.
const MOST_WRITTEN: usize = 65_536;

impl<'a> Steps<'a> {
    pub(super) fn new(
        program: Program,
        stages: &[Stage],
        is_live: &'a [bool],
        pool: &'a Arc<StoragePool>,
        kernels: &'a mut Kernels,
        chunk: Option<usize>,
    ) -> Result<Self, Error> {
        let mut program = program;
        let last = LastUses::of(&program, stages);
        let inputs = std::mem::take(&mut program.inputs);
        let storages = inputs.iter().map(|stored| match stored {
            Stored::Device(storage) => Ok(Some(Arc::clone(storage))),
            Stored::Nowhere => Ok(None),
            Stored::Host(_) => Err(internal("elements in device memory")),
        });
        let storages: Vec<_> = storages.collect::<Result<_, _>>()?;
        // From here on this batch's are the only copies beside the callers'.
        drop(inputs);
        let mut made = Self {
            results: program.nodes.iter().map(|_| None).collect(),
            last,
            inputs: storages,
            program,
            kernels,
            pool,
            chunk,
            is_live,
            constants: None,
            flags: Flags::default(),
            flag_storage: None,
            numbers: 0,
            steps: Vec::new(),
            kernel_count: 0,
        };
        let leaves_one = |stage: &&Stage| match stage {
            Stage::Node(node) => {
                matches!(made.program.nodes[*node].task, Task::Inverse | Task::Equal)
            }
            Stage::Chain(_) => false,
        };
        made.numbers = stages.iter().filter(leaves_one).count();
        made.write_constants()?;
        Ok(made)
    }

    /// Adds the steps of the stage with this number.
    pub(super) fn add(&mut self, number: usize, stage: &Stage) -> Result<(), Error> {
        match stage {
            Stage::Chain(stage) => self.chain(number, stage)?,
            Stage::Node(node) => self.node(number, *node)?,
        }
        self.let_go(number);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Made, Error> {
        let mut reads = Vec::with_capacity(self.program.reads.len());
        for read in self.program.reads.clone() {
            self.flags.reads.push(read.elements > 0);
            if read.elements == 0 {
                continue;
            }
            let elements = read.start..read.start + read.elements;
            let bytes = elements.start * read.field.bytes()..elements.end * read.field.bytes();
            let storage = self.source(read.source)?;
            reads.push(storage.region(bytes, READ));
        }
        if let Some(storage) = &self.flag_storage {
            reads.push(storage.region(0..4 * self.flags.meanings.len(), READ));
        }
        let is_live = self.is_live;
        let mut stored = Vec::new();
        for (number, result) in self.results.iter_mut().enumerate() {
            if is_live[number] {
                let place = result.take().map_or(Stored::Nowhere, Stored::Device);
                stored.push((number, place));
            }
        }
        Ok(Made {
            steps: self.steps,
            reads,
            stored,
            flags: self.flags,
            kernels: self.kernel_count,
        })
    }

    /// A dispatch.
    pub(super) fn dispatch(
        &mut self,
        operation: Arc<ComputePipeline>,
        buffers: Vec<Region>,
        constants: Vec<u32>,
        invocations: usize,
    ) -> Result<(), Error> {
        let group = operation.shape().workgroup_size as usize;
        let workgroups = u32::try_from(invocations.div_ceil(group));
        self.steps.push(Step::Dispatch {
            operation,
            buffers,
            constants,
            workgroups: workgroups.map_err(|_| internal("workgroups in 32 bits"))?,
        });
        self.kernel_count += 1;
        Ok(())
    }

    /// The storage of a source.
    pub(super) fn source(&self, source: Source) -> Result<&Storage, Error> {
        let found = match source {
            Source::Node(number) => self.results.get(number).and_then(Option::as_deref),
            Source::Input(number) => self.inputs.get(number).and_then(Option::as_deref),
            Source::Constant(_) => self.constants.as_ref().map(|all| &all.storage),
        };
        found.ok_or_else(|| internal("the elements of an argument"))
    }

    /// `elements` of an argument (of a scalar its one element), to be read: what
    /// to bind, and where they begin in it.
    pub(super) fn reading(
        &self,
        argument: &Argument,
        field: ElementId,
        elements: &Range<usize>,
    ) -> Result<(Region, u32), Error> {
        let storage = self.source(argument.source)?;
        if let (Source::Constant(number), Some(constants)) = (argument.source, &self.constants) {
            let first = constants.places.get(number).copied().unwrap_or_default();
            return Ok((storage.region(first..first + field.bytes(), READ), 0));
        }
        let elements = match argument.scalar {
            true => argument.start..argument.start + 1,
            false => argument.start + elements.start..argument.start + elements.end,
        };
        Ok(self.window(storage, field, &elements, READ))
    }

    /// `elements` of `storage`: what to bind, and where they begin in it.
    pub(super) fn window(
        &self,
        storage: &Storage,
        field: ElementId,
        elements: &Range<usize>,
        access: Access,
    ) -> (Region, u32) {
        let alignment = self.kernels.caps().limits.storage_buffer_alignment;
        let Window { bytes, start } = window(elements, field.bytes(), alignment);
        (storage.region(bytes, access), start)
    }

    /// New memory for `elements` elements.
    pub(super) fn take(&self, field: ElementId, elements: usize) -> Result<Storage, Error> {
        Ok(self.pool.take(elements * field.bytes())?)
    }

    /// Memory of an argument that nobody needs after stage `number`, to be
    /// overwritten by the result at the same place: the argument begins at the
    /// start of its memory, and no other argument of the stage is in it.
    pub(super) fn reuse(
        &self,
        number: usize,
        arguments: &[Argument],
        bytes: usize,
    ) -> Option<Arc<Storage>> {
        arguments.iter().find_map(|argument| {
            let (last, storage) = match argument.source {
                Source::Node(node) if !self.is_live[node] => {
                    (self.last.nodes[node], self.results[node].as_ref())
                }
                Source::Input(input) => (self.last.inputs[input], self.inputs[input].as_ref()),
                _ => return None,
            };
            let mut same = arguments.iter().filter(|it| it.source == argument.source);
            let at_its_place = same.all(|it| it.start == 0 && !it.scalar);
            // One count: this batch's own.
            let fits = |storage: &&Arc<Storage>| {
                Arc::strong_count(storage) == 1 && storage.bytes() == bytes
            };
            let storage = storage.filter(fits)?;
            (last == Some(number) && at_its_place).then(|| Arc::clone(storage))
        })
    }

    /// Says where a node's result is.
    pub(super) fn set_result(&mut self, node: usize, storage: Arc<Storage>) {
        self.results[node] = Some(storage);
    }

    /// Comparisons so far.
    pub(super) fn comparisons(&self) -> usize {
        let differ = |meaning: &&Meaning| matches!(meaning, Meaning::Differ(_));
        self.flags.meanings.iter().filter(differ).count()
    }

    /// A number that the batch leaves on the host, at first 0: what to bind, and
    /// which it is.
    pub(super) fn flag(&mut self, meaning: Meaning) -> Result<(Region, u32), Error> {
        let number = self.flags.meanings.len();
        if number == MOST_FLAGS {
            return Err(Error::TooMany {
                operation: "inverses and comparisons of one submission",
                most: MOST_FLAGS,
                found: self.numbers,
            });
        }
        self.flags.meanings.push(meaning);
        let storage = match &self.flag_storage {
            Some(storage) => storage,
            None => {
                let storage = self.pool.take(4 * MOST_FLAGS)?;
                self.steps.push(Step::Write {
                    to: storage.region(0..4 * MOST_FLAGS, WRITE),
                    bytes: vec![0; 4 * MOST_FLAGS],
                });
                self.flag_storage.insert(storage)
            }
        };
        let region = storage.region(0..4 * MOST_FLAGS, WRITE);
        Ok((region, u32::try_from(number).unwrap_or(u32::MAX)))
    }

    /// Gives back what nobody needs after stage `number`.
    fn let_go(&mut self, number: usize) {
        for (node, last) in self.last.nodes.iter().enumerate() {
            if *last == Some(number) && !self.is_live[node] {
                self.results[node] = None;
            }
        }
        for (input, last) in self.last.inputs.iter().enumerate() {
            if *last == Some(number) {
                self.inputs[input] = None;
            }
        }
    }

    fn write_constants(&mut self) -> Result<(), Error> {
        let count = self.program.constants.len();
        if count == 0 {
            return Ok(());
        }
        let storage = self.pool.take(count * CONSTANT_STRIDE)?;
        let mut bytes = Vec::with_capacity(count * CONSTANT_STRIDE);
        let mut places = Vec::with_capacity(count);
        for limbs in &self.program.constants {
            places.push(bytes.len());
            bytes.extend(limbs.iter().flat_map(|limb| limb.to_ne_bytes()));
            bytes.resize(places.len() * CONSTANT_STRIDE, 0);
        }
        for (number, part) in bytes.chunks(MOST_WRITTEN).enumerate() {
            let first = number * MOST_WRITTEN;
            self.steps.push(Step::Write {
                to: storage.region(first..first + part.len(), WRITE),
                bytes: part.to_vec(),
            });
        }
        self.constants = Some(Constants { storage, places });
        Ok(())
    }
}
