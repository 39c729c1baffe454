//! What an engine must do to run programs: once for a device, once for the CPU.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use field_kernels::ElementId;
use vk_mem_paths::ElementFormat;

use super::families::{Number, Transform};
use super::plan::{Fusion, Stage};
use super::program::Program;
use super::report::KernelChoice;
use super::value::Stored;
use crate::{Engine, Error};

/// Runs programs, and keeps the memory that their vectors live in.
pub(crate) trait Runner: Send + Sync {
    fn engine(&self) -> Engine;

    /// How far it fuses element-wise neighbours.
    fn fusion(&self) -> Fusion;

    /// The most elements of a vector that a kernel takes as a whole.
    fn most_bound(&self, _of: ElementId) -> usize {
        usize::MAX
    }

    /// Keeps a copy of `parts`, one after the other, in memory for whole elements: of one that
    /// the last part ends in the rest is anything; the others are whole. The first that `element`
    /// refuses is an error.
    fn upload(&self, parts: &[&[u8]], element: ElementFormat) -> Result<Stored, Error>;

    /// Copies bytes of `stored`, from the byte `first` on, waiting for what computes them.
    /// On `Ok` all of `out` is written.
    fn download(
        &self,
        stored: &Stored,
        first: usize,
        out: &mut [MaybeUninit<u8>],
    ) -> Result<(), Error>;

    /// Has the stages of `program` run after all that was given before, and returns
    /// without waiting for them.
    fn run(&self, program: Program, stages: Vec<Stage>) -> Result<Begun, Error>;

    /// Begins to transform one row of elements, limbs in Montgomery form, where its passes can
    /// overlap with the ways there and back. `None` where they cannot, and where `element`
    /// refuses one, which [`Self::upload`] names.
    fn transform(
        &self,
        _row: &[u8],
        _element: ElementFormat,
        _transform: &Transform,
    ) -> Result<Option<ComeDown<'_>>, Error> {
        Ok(None)
    }

    /// Calls `task` with each number below `count`, on the host's threads that the engine has.
    fn on_host(&self, count: usize, task: &(dyn Fn(usize) + Sync)) -> Result<(), Error>;

    /// Whether it is sooner done with so many points than the host's threads are.
    fn is_for_points(&self, points: usize) -> bool;

    /// Frees memory that no vector uses, and tables; how many bytes that was.
    fn trim(&self) -> usize;

    /// Measures which kernels are fastest and uses them, where there are several.
    fn calibrate(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Copies a row that is being transformed to the host, as long as it was: on `Ok` all of it is
/// written.
pub(crate) type ComeDown<'a> = Box<dyn FnOnce(&mut [MaybeUninit<u8>]) -> Result<(), Error> + 'a>;

/// A program that an engine has taken.
pub(crate) struct Begun {
    /// For each result that a caller holds: where its elements are, or will be.
    pub(crate) stored: Vec<(usize, Stored)>,
    pub(crate) did: Did,
    pub(crate) flight: Arc<dyn Flight>,
}

/// What a run did, for its report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Did {
    /// Kernels, or passes over memory on the CPU.
    pub(crate) kernels: usize,
    /// How long kernels were made.
    pub(crate) compile: Duration,
    /// Which kernels were used; `None` where there is only one for each operation.
    pub(crate) choice: Option<KernelChoice>,
}

/// A program in flight, or one that is over.
pub(crate) trait Flight: Send + Sync {
    fn is_complete(&self) -> Result<bool, Error>;

    fn wait(&self) -> Result<(), Error>;

    /// What it left, once it is over.
    fn left(&self) -> Result<Left, Error>;
}

/// What a run left on the host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Left {
    /// What was read, in the order of the reads.
    pub(crate) reads: Vec<Elements>,
    /// Zeros that inverses met.
    pub(crate) zeros: u64,
    /// Of the nodes that answer their caller: the node, and what it says.
    pub(crate) answers: Vec<(usize, u64)>,
    /// On the device, by its clock.
    pub(crate) device_time: Option<Duration>,
}

/// Elements on the host, where a run left them.
#[derive(Clone, Debug)]
pub(crate) enum Elements {
    /// Their limbs.
    Limbs(Arc<[u64]>),
    /// The same as a device wrote them.
    Device(vk_mem_paths::Read),
}

impl Elements {
    /// Their limbs, or what else was put in the place of these, as bytes.
    pub(crate) fn bytes(&self) -> Result<&[u8], Error> {
        match self {
            Self::Limbs(limbs) => Ok(bytemuck::must_cast_slice(limbs)),
            Self::Device(read) => Ok(read.bytes()?),
        }
    }
}

impl Left {
    /// Notes a number that the node `node` leaves.
    pub(crate) fn note(&mut self, node: usize, means: Number, number: u64) {
        match means {
            Number::Zeros => self.zeros += number,
            Number::Answer => self.answers.push((node, number)),
        }
    }
}

/// The error for what a runner expects to find and does not: a mistake of this crate.
pub(super) fn internal(expected: &str) -> Error {
    let what = format!("expected {expected}, found none");
    Error::DataPath(vk_mem_paths::Error::Internal { what })
}
