//! What a queue has recorded: operations in their order, and what they read.

use std::sync::Weak;

use field_kernels::{ElementId, ElementOperation};

use super::value::{Stored, Value};

/// A reduction of one or two vectors to a single element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reduction {
    /// The sum of all elements; 0 of none.
    Sum,
    /// The product of all elements; 1 of none.
    Product,
    /// The sum of the products of the elements of two vectors; 0 of none.
    InnerProduct,
}

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// An operation on elements at the same place.
    Element(&'static ElementOperation),
    /// The argument as it is, in memory of its own; repeats a single element.
    Copy,
    /// The inverse of every element; 0 for 0.
    Inverse,
    /// One element out of many.
    Reduce(Reduction),
    /// The elements in bit-reversed order.
    BitReverse,
    /// Whether two vectors are equal; no vector.
    Equal,
}

impl Task {
    /// Its name, as in errors and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Element(operation) => operation.name,
            Self::Copy => "copy",
            Self::Inverse => "inverse",
            Self::Reduce(Reduction::Sum) => "sum",
            Self::Reduce(Reduction::Product) => "product",
            Self::Reduce(Reduction::InnerProduct) => "inner_product",
            Self::BitReverse => "bit_reverse",
            Self::Equal => "equal",
        }
    }
}

/// Where an argument's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The result of an earlier node.
    Node(usize),
    /// Elements that were there before: a place in [`Program::inputs`].
    Input(usize),
    /// An element that the host gave: a place in [`Program::constants`].
    Constant(usize),
}

/// An argument of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Argument {
    pub(crate) source: Source,
    /// Its first element there.
    pub(crate) start: usize,
    /// Whether it is one element for all.
    pub(crate) scalar: bool,
}

/// An operation on vectors.
pub(crate) struct Node {
    pub(crate) task: Task,
    pub(crate) field: ElementId,
    pub(crate) arguments: Vec<Argument>,
    /// Elements of its vector arguments.
    pub(crate) elements: usize,
    /// What hands of it are still held by a caller.
    pub(crate) result: Weak<Value>,
}

/// Everything between two submissions.
#[derive(Default)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    /// Each storage once.
    pub(crate) inputs: Vec<Stored>,
    /// The limbs of single elements, in the form of what they are used with.
    pub(crate) constants: Vec<Vec<u64>>,
    /// What is to be copied to the host at the end.
    pub(crate) reads: Vec<Read>,
}

/// Elements that the host wants at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    pub(crate) source: Source,
    pub(crate) field: ElementId,
    pub(crate) start: usize,
    pub(crate) elements: usize,
}

impl Program {
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
