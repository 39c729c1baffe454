//! What an engine must do to run programs: once for a device, once for the CPU.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use field_kernels::ElementId;
use vk_mem_paths::Element;

use super::plan::{Fusion, Stage};
use super::program::Program;
use super::report::KernelChoice;
use super::value::Stored;
use crate::canonical::Order;
use crate::{Engine, Error};

/// Runs programs, and keeps the memory that their vectors live in.
pub(crate) trait Runner: Send + Sync {
    /// Where it computes, for reports.
    fn engine(&self) -> Engine;

    /// How far it fuses element-wise neighbours.
    fn fusion(&self) -> Fusion;

    /// Keeps a copy of `bytes`, whole elements of `field` that lie there in an order;
    /// `element` says what they are held to.
    fn upload(
        &self,
        field: ElementId,
        bytes: &[u8],
        order: Order,
        element: Element,
    ) -> Result<Stored, Error>;

    /// Copies elements of `stored`, waiting for what computes them. On `Ok` all
    /// of `out` is written.
    fn download(
        &self,
        field: ElementId,
        stored: &Stored,
        elements: Range<usize>,
        out: &mut [MaybeUninit<u8>],
    ) -> Result<(), Error>;

    /// Has the stages of `program` run after all that was given before, and returns
    /// without waiting for them.
    fn run(&self, program: Program, stages: Vec<Stage>, is_live: Vec<bool>)
    -> Result<Begun, Error>;

    /// Frees memory that no vector uses; how many bytes that was.
    fn trim(&self) -> usize;

    /// Measures which kernels are fastest, where there are several, and uses them.
    fn calibrate(&self) -> Result<(), Error>;
}

/// A program that an engine has taken.
pub(crate) struct Begun {
    /// For each node that a caller holds: where its elements are, or will be.
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
    /// Whether it is over, without waiting.
    fn is_complete(&self) -> Result<bool, Error>;

    /// Waits until it is over.
    fn wait(&self) -> Result<(), Error>;

    /// What it left, once it is over.
    fn left(&self) -> Result<Left, Error>;
}

/// Which numbers a run leaves behind the elements that were to be read.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// Of each read whether it has elements: one without is not copied.
    pub(crate) reads: Vec<bool>,
    /// What each of them says, in their order.
    pub(crate) meanings: Vec<Meaning>,
}

/// What a number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// How many zeros an inverse met.
    Zeros,
    /// Not 0: the vectors of this comparison differ. Comparisons count from 0.
    Differ(usize),
}

/// What a run left on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// The limbs of each read, in their order.
    pub(crate) reads: Vec<Vec<u64>>,
    /// Zeros that inverses met.
    pub(crate) zeros: u64,
    /// For each comparison, whether the vectors were equal.
    pub(crate) equal: Vec<bool>,
    /// On the device, by its clock.
    pub(crate) device_time: Option<Duration>,
}

/// The error for what a runner expects to find and does not: a mistake of this crate.
pub(super) fn internal(expected: &str) -> Error {
    let what = format!("expected {expected}, found none");
    Error::DataPath(vk_mem_paths::Error::Internal { what })
}
