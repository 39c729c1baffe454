//! Chains of element-wise operations, linked into one kernel.
//!
//! The module `elementwise` of a field holds a function for each operation and for
//! each way to memory. [`Template::link`] adds a `main` that calls those of one chain,
//! and leaves out what it does not call. So a chain reads each of its inputs once and
//! writes each of its outputs once, and what is in between stays in registers.

mod link;

use std::fmt;

pub use link::Template;
pub(crate) use link::in_groups_of;

use crate::ElementOperation;
use crate::operations::MAX_ARITY;

/// Inputs of one chain at most.
pub const MAX_INPUTS: usize = 8;
/// Outputs of one chain at most.
pub const MAX_OUTPUTS: usize = 4;
/// Invocations of a workgroup that every device takes.
pub const GROUP_SIZE: u32 = 128;
/// Words of its push constant block: the count, then where each binding's elements
/// begin, in parts of 16 bytes.
pub const CONSTANT_WORDS: usize = 1 + MAX_INPUTS + MAX_OUTPUTS;

/// What an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// An element for each result.
    Vector,
    /// One element for all results.
    Scalar,
}

/// How a kernel reads and writes memory.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemoryAccess {
    /// Each invocation its own element.
    Direct,
    /// Through shared memory, neighbouring invocations at neighbouring addresses:
    /// faster for what memory alone limits, slower where there is much to compute.
    Staged,
    /// Reads directly, and writes through shared memory.
    StagedStores,
}

/// How a chain becomes a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// How it reads and writes memory.
    pub access: MemoryAccess,
    /// Invocations of one workgroup, one for each element.
    pub group_size: u32,
}

impl Layout {
    /// The fastest or near it for chains of every kind on an H200, where `Direct` takes up to
    /// 1.6 times as long, and a workgroup of 32 leaves a fifth of the memory's bandwidth idle
    /// in chains that only read and write (benches/records/nvidia-h200/2026-11-26-vectors.csv).
    pub const OF_A_GPU: Self = Self {
        access: MemoryAccess::StagedStores,
        group_size: 64,
    };
}

/// The most field products of one kernel, counted for each coordinate of the field's
/// elements. Memory does not limit so many any more, more gained nothing, and a driver takes
/// half a second for four and two for twelve of the base field (an H100, NVIDIA 580).
pub const MOST_PRODUCTS: u32 = 4;

/// One operation of a chain. Its arguments are values by number: the inputs come
/// first, then the results of the operations in their order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// What is computed.
    pub operation: &'static ElementOperation,
    /// The values it takes; those that are more than its arguments are ignored.
    pub arguments: [usize; MAX_ARITY],
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = &self.arguments[..self.operation.arity];
        write!(f, "{}{arguments:?}", self.operation.name)
    }
}

/// Operations on elements at the same place of their vectors, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chain {
    /// What is read.
    pub inputs: Vec<Input>,
    /// What is computed.
    pub links: Vec<Link>,
    /// The values that are written, by number.
    pub outputs: Vec<usize>,
}

/// Why a chain cannot be linked: a mistake of whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlinkable(String);

impl fmt::Display for Unlinkable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unlinkable {}

impl Chain {
    /// One operation by itself, on `inputs` in its arguments' order.
    #[must_use]
    pub fn of(operation: &'static ElementOperation, inputs: &[Input]) -> Self {
        Self {
            inputs: inputs.to_vec(),
            links: vec![Link {
                operation,
                arguments: std::array::from_fn(|it| it.min(operation.arity - 1)),
            }],
            outputs: vec![inputs.len()],
        }
    }

    /// Storage buffers that its kernel binds: the inputs, then the outputs.
    #[must_use]
    pub fn bindings(&self) -> usize {
        self.inputs.len() + self.outputs.len()
    }

    /// Field products of one element, about: what it costs to compute.
    #[must_use]
    pub fn products(&self) -> u32 {
        self.links.iter().map(|link| link.operation.products).sum()
    }

    /// Checks that inputs and outputs are few enough, and that every value that is
    /// used is there when it is.
    ///
    /// # Errors
    ///
    /// What was expected and what was found.
    pub fn check(&self) -> Result<(), Unlinkable> {
        let within = |what: &str, most: usize, found: usize| match (1..=most).contains(&found) {
            true => Ok(()),
            false => Err(Unlinkable(format!(
                "expected 1 to {most} {what} of a chain, found {found}"
            ))),
        };
        within("inputs", MAX_INPUTS, self.inputs.len())?;
        within("outputs", MAX_OUTPUTS, self.outputs.len())?;
        let known = |value: usize, values: usize| match value < values {
            true => Ok(()),
            false => Err(Unlinkable(format!(
                "expected one of {values} values, found number {value}"
            ))),
        };
        for (number, link) in self.links.iter().enumerate() {
            let arguments = link.arguments.iter().take(link.operation.arity);
            let values = self.inputs.len() + number;
            arguments.copied().try_for_each(|it| known(it, values))?;
        }
        let values = self.inputs.len() + self.links.len();
        let mut outputs = self.outputs.iter().copied();
        outputs.try_for_each(|it| known(it, values))
    }
}
