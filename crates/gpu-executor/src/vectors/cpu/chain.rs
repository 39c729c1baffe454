//! Element-wise chains: all operations on a few elements, then on the next few.

use std::ops::Range;

use field_kernels::chain::{Chain, Input};

use super::GRAIN;
use super::blst::CpuField;
use super::memory::Words;
use super::threads::Shared;
use crate::Error;

/// Computes `chain` over `elements` elements. A scalar input has one element.
pub(super) fn compute<F: CpuField>(
    chain: &Chain,
    inputs: &[&[F::Limbs]],
    outputs: &mut [Words],
    elements: usize,
    shared: &Shared,
) -> Result<(), Error> {
    let count = elements.div_ceil(GRAIN);
    let mut chunks: Vec<_> = outputs
        .iter_mut()
        .map(|output| output.as_mut_slice().chunks_mut(GRAIN * F::LIMBS))
        .collect();
    let pieces = (0..count).map(|number| {
        let outputs = chunks.iter_mut().filter_map(Iterator::next);
        (number * GRAIN, outputs.collect::<Vec<_>>())
    });
    shared.for_each(pieces.collect(), |(first, outputs)| {
        let range = first..elements.min(first + GRAIN);
        compute_some::<F>(chain, inputs, range, outputs);
    })
}

/// What one thread computes at a time: the elements of `range`.
fn compute_some<F: CpuField>(
    chain: &Chain,
    inputs: &[&[F::Limbs]],
    range: Range<usize>,
    mut outputs: Vec<&mut [u64]>,
) {
    let elements = range.len();
    let kinds = chain.inputs.iter();
    // A scalar is repeated, so that operations see slices of equal length.
    let repeated: Vec<Vec<F::Limbs>> = kinds
        .zip(inputs)
        .map(|(kind, input)| match kind {
            Input::Scalar => vec![input[0]; elements],
            Input::Vector => Vec::new(),
        })
        .collect();
    let input = |number: usize| match chain.inputs[number] {
        Input::Scalar => repeated[number].as_slice(),
        Input::Vector => &inputs[number][range.clone()],
    };
    let mut results: Vec<Vec<F::Limbs>> = Vec::with_capacity(chain.links.len());
    for link in &chain.links {
        let mut result = vec![F::Limbs::default(); elements];
        let value = |number: usize| match number.checked_sub(inputs.len()) {
            None => input(number),
            Some(earlier) => results[earlier].as_slice(),
        };
        let arity = link.operation.arity;
        let arguments = std::array::from_fn(|it| match it < arity {
            true => value(link.arguments[it]),
            false => &[],
        });
        F::bulk(link.operation)(arguments, &mut result);
        results.push(result);
    }
    for (number, output) in chain.outputs.iter().zip(&mut outputs) {
        let value = match number.checked_sub(inputs.len()) {
            None => input(*number),
            Some(earlier) => results[earlier].as_slice(),
        };
        output.copy_from_slice(F::words(value));
    }
}
