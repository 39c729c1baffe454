//! Operations over whole vectors: a file for each family of them, with the methods that
//! record them, their errors, and what they do on either engine.
//!
//! A file has a row for each operation, a [`WholeOperation`]. Recording it makes a node of
//! the program ([`Queue::whole`](super::queue::Queue)), with as many results as it has, of
//! any fields and lengths. The node is a stage of its own, fused with nothing. On a device
//! [`Steps`] gives the row memory, tables and dispatches, and puts barriers between them; on
//! the CPU [`Run`] gives it memory, tables and threads. No other file but this one, and
//! `samples.rs` for tests, names an operation.

mod compare;
mod evaluate;
mod inverse;
mod linear_combination;
mod map_points;
mod movement;
mod msm;
mod multiply_points;
mod normalise;
mod permute;
mod powers;
mod reduce;
mod roots;
#[cfg(test)]
mod samples;
mod scan;
#[cfg(test)]
mod tests;
mod transform;
mod transform_points;
mod vanishing;

/// What the files of families are written with.
mod prelude {
    pub(super) use field_kernels::{
        Curve, ElementId, ElementType, Field, Fr, VectorKernel, arithmetic,
    };
    pub(super) use vk_mem_paths::{Access, Storage};

    pub(super) use super::{Call, Number, WholeOperation};
    pub(super) use crate::vectors::cpu::{BlstCurve, CpuField, GRAIN, Run};
    pub(super) use crate::vectors::field_vec::{FieldVec, Form};
    pub(super) use crate::vectors::fields::{in_field, with_curve, with_field};
    pub(super) use crate::vectors::operand::Operand;
    pub(super) use crate::vectors::points::PointVec;
    pub(super) use crate::vectors::program::Argument;
    pub(super) use crate::vectors::queue::{
        Queue, expect_equal, expect_possible, expect_rows, in_place,
    };
    pub(super) use crate::vectors::runner::internal;
    pub(super) use crate::vectors::tables::TableKey;
    pub(super) use crate::vectors::vulkan::{PART, Steps, Window, count};
    pub(super) use crate::{Error, Result};
}

use super::cpu::Run;
use super::program::{Argument, NodeResult, Program};
use super::vulkan::Steps;
use crate::Error;

pub use compare::Comparison;
pub use msm::{Msm, Scalars};
pub(in crate::vectors) use msm::{Multiples, Shape, bytes_bound};
#[cfg(test)]
pub(crate) use samples::{Sample, generators, samples};
pub use scan::Scan;
pub(in crate::vectors) use transform::{Cut, InParts, in_parts};
pub use transform::{Order, Transform};

/// An operation over whole vectors: a row.
pub(crate) struct WholeOperation {
    /// Its name, as in errors.
    pub(crate) name: &'static str,
    /// Whether it multiplies by the arithmetic of its node's field, which an engine on a
    /// device then holds to the CPU's products first.
    pub(crate) multiplies: bool,
    /// What each of its nodes leaves on the host, beside its results.
    pub(crate) leaves: Option<Number>,
    /// Adds its steps to a batch, and says where the results are. Where all of them are
    /// empty, and no answer is asked for, neither this nor `on_cpu` is called.
    pub(crate) on_device: fn(&mut Steps<'_>, &Call<'_>) -> Result<(), Error>,
    /// Computes it, and keeps the results.
    pub(crate) on_cpu: fn(&mut Run<'_>, &Call<'_>) -> Result<(), Error>,
}

impl WholeOperation {
    /// One that multiplies, and leaves nothing on the host but its results.
    pub(crate) const fn new(
        name: &'static str,
        on_device: fn(&mut Steps<'_>, &Call<'_>) -> Result<(), Error>,
        on_cpu: fn(&mut Run<'_>, &Call<'_>) -> Result<(), Error>,
    ) -> Self {
        Self {
            name,
            multiplies: true,
            leaves: None,
            on_device,
            on_cpu,
        }
    }

    /// The same, by no field's products.
    pub(crate) const fn without_products(self) -> Self {
        Self {
            multiplies: false,
            ..self
        }
    }

    /// The same, with a number that it leaves.
    pub(crate) const fn leaving(self, number: Number) -> Self {
        Self {
            leaves: Some(number),
            ..self
        }
    }
}

impl std::fmt::Debug for WholeOperation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What a number says that a node leaves on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// How many zeros it met; the report adds them up.
    Zeros,
    /// What its caller asks for, by the node.
    Answer,
}

/// One use of an operation: a node of a program.
pub(crate) struct Call<'p> {
    /// The node's number.
    pub(crate) node: usize,
    pub(crate) operation: &'static WholeOperation,
    /// Whose arithmetic it takes.
    pub(crate) field: field_kernels::ElementId,
    pub(crate) arguments: &'p [Argument],
    /// What else it goes by.
    pub(crate) parameters: &'p [u64],
    pub(crate) results: &'p [NodeResult],
    /// The place of the first of them in [`Program::results`].
    pub(crate) first_result: usize,
}

impl<'p> Call<'p> {
    /// The node with this number, where it is over whole vectors.
    pub(crate) fn of(program: &'p Program, number: usize) -> Option<Self> {
        let node = program.nodes.get(number)?;
        let super::program::Task::Whole(operation) = node.task else {
            return None;
        };
        Some(Self {
            node: number,
            operation,
            field: node.field,
            arguments: &node.arguments,
            parameters: &node.parameters,
            results: program.results.get(node.results.clone())?,
            first_result: node.results.start,
        })
    }

    /// Whether all that it is asked for are results without elements.
    pub(crate) fn is_empty(&self) -> bool {
        let mut results = self.results.iter();
        self.operation.leaves != Some(Number::Answer) && results.all(|it| it.elements == 0)
    }

    /// The bytes of its results, by their number.
    pub(crate) fn bytes(&self, result: usize) -> usize {
        let result = &self.results[result];
        result.elements * result.of.bytes()
    }
}
