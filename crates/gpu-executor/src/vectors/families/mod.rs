//! Operations over whole vectors: a file for each family of them, with the methods that
//! record them, their errors, and what they do on either engine.
//!
//! A file has a row for each operation, a [`WholeOperation`]. Recording it makes a node of
//! the program ([`Queue::whole`](super::queue::Queue)), with as many results as it has, of
//! any fields and lengths. The node is a stage of its own, fused with nothing. On a device
//! [`Steps`] gives the row memory, tables and dispatches, and puts barriers between them; on
//! the CPU [`Run`] gives it memory, tables and threads. No other file names an operation.

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
mod scan;
#[cfg(test)]
mod tests;
mod transform;
mod transform_points;
mod vanishing;

use super::cpu::Run;
use super::program::{Argument, NodeResult, Program};
use super::vulkan::Steps;
use crate::Error;

pub use compare::Comparison;
pub use msm::{Msm, Scalars};
pub(in crate::vectors) use msm::{Multiples, Shape, bytes_bound};
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

impl std::fmt::Debug for WholeOperation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// How an operation is recorded on two vectors of 599 elements, for tests of all of them.
#[cfg(test)]
pub(crate) type Sample<F> = fn(
    &super::Queue,
    &super::FieldVec<F>,
    &super::FieldVec<F>,
) -> crate::Result<super::FieldVec<F>>;

/// Elements that are enough of what takes long: more than one dispatch of the tests.
#[cfg(test)]
const SOME: usize = 260;

/// Those of all families.
#[cfg(test)]
pub(crate) fn samples<F: super::Field>() -> Vec<(&'static str, Sample<F>)> {
    let families = [
        evaluate::samples(),
        inverse::samples(),
        linear_combination::samples(),
        movement::samples(),
        permute::samples(),
        powers::samples(),
        reduce::samples(),
        scan::samples(),
        vanishing::samples(),
    ];
    let mut samples = families.concat();
    samples.extend(of_one_field(msm::samples()));
    samples.extend(of_one_field(multiply_points::samples()));
    samples.extend(of_one_field(normalise::samples()));
    samples.extend(of_one_field(roots::samples()));
    samples.extend(of_one_field(transform::samples()));
    samples.extend(of_one_field(transform_points::samples()));
    samples
}

/// Those of a family of one field, where that is `F`.
#[cfg(test)]
fn of_one_field<G: super::Field, F: super::Field>(
    samples: Vec<(&'static str, Sample<G>)>,
) -> Vec<(&'static str, Sample<F>)> {
    let samples: Box<dyn std::any::Any> = Box::new(samples);
    samples.downcast().map_or(Vec::new(), |its| *its)
}

/// As many points as there are scalars.
#[cfg(test)]
fn generators(
    scalars: &super::FieldVec<field_kernels::Fr>,
) -> crate::Result<super::PointVec<field_kernels::G1>> {
    use field_kernels::{Curve as _, ElementType as _, G1};

    let points = vec![G1::GENERATOR; scalars.len()];
    let check = super::PointCheck::Trusted;
    scalars.engine.upload_points(G1::words(&points), check)
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
