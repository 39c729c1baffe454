//! What a queue has recorded: operations in their order, what they compute, and what is
//! read of it.

use std::ops::Range;
use std::sync::Weak;

use field_kernels::{ElementId, ElementOperation};

use super::families::{Number, WholeOperation};
use super::value::{Stored, Value};

/// What a node computes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    /// An operation on elements at the same place.
    Element(&'static ElementOperation),
    /// The argument as it is, in memory of its own; repeats a single element.
    Copy,
    /// An operation over whole vectors.
    Whole(&'static WholeOperation),
}

impl Task {
    /// Whether it leaves on the host what its caller asks for, whoever holds its results.
    pub(crate) fn answers(self) -> bool {
        matches!(self, Self::Whole(operation) if operation.leaves == Some(Number::Answer))
    }
}

/// Where an argument's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// What an earlier node computes: a place in [`Program::results`].
    Result(usize),
    /// Elements that were there before: a place in [`Program::inputs`].
    Input(usize),
    /// An element that the host gave: a place in [`Program::constants`].
    Constant(usize),
}

/// Elements that a node takes, or that the host wants at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Argument {
    pub(crate) source: Source,
    pub(crate) of: ElementId,
    /// Its first element there.
    pub(crate) start: usize,
    /// How many there are: 1 of a scalar.
    pub(crate) elements: usize,
    /// Whether it is one element for all.
    pub(crate) scalar: bool,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) task: Task,
    /// Whose arithmetic it takes.
    pub(crate) field: ElementId,
    pub(crate) arguments: Vec<Argument>,
    /// What else an operation over whole vectors goes by.
    pub(crate) parameters: Vec<u64>,
    /// Places in [`Program::results`]: one, unless it is over whole vectors.
    pub(crate) results: Range<usize>,
}

/// A vector that a node computes.
#[derive(Debug)]
pub(crate) struct NodeResult {
    pub(crate) of: ElementId,
    pub(crate) elements: usize,
    /// What callers have of it.
    pub(crate) value: Weak<Value>,
    /// Whether a caller held it when it was asked, once, at the submission.
    pub(crate) is_live: bool,
}

/// Everything between two submissions.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    pub(crate) results: Vec<NodeResult>,
    /// Each storage once.
    pub(crate) inputs: Vec<Stored>,
    /// The limbs of single elements, in the form of what they are used with.
    pub(crate) constants: Vec<Vec<u64>>,
    /// What is to be copied to the host at the end.
    pub(crate) reads: Vec<Argument>,
}

impl Program {
    /// The field and the elements of a node's first result: of all that an element-wise
    /// node takes and computes.
    pub(crate) fn shape(&self, node: &Node) -> (ElementId, usize) {
        let result = self.results.get(node.results.start);
        result.map_or((node.field, 0), |it| (it.of, it.elements))
    }

    /// The place of `stored` among the inputs.
    pub(crate) fn input(&mut self, stored: &Stored) -> usize {
        let known = self.inputs.iter().position(|input| input.is(stored));
        known.unwrap_or_else(|| {
            self.inputs.push(stored.clone());
            self.inputs.len() - 1
        })
    }

    /// The place of an element among the constants.
    pub(crate) fn constant(&mut self, limbs: &[u64]) -> usize {
        let known = self.constants.iter().position(|known| known == limbs);
        known.unwrap_or_else(|| {
            self.constants.push(limbs.to_vec());
            self.constants.len() - 1
        })
    }
}
