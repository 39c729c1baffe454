//! Element-wise chains: all operations on a few elements, then on the next few.

use field_kernels::chain::{Chain, Input};

use super::GRAIN;
use super::arithmetic::Arithmetic;
use super::memory::Words;
use super::threads::Shared;
use crate::Error;

/// What one thread computes at a time: the first element, and where the results go.
struct Piece<'o> {
    first: usize,
    outputs: Vec<&'o mut [u64]>,
}

/// Computes `chain` over `elements` elements. A scalar input has one element.
pub(super) fn compute<F: Arithmetic>(
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
    let pieces = (0..count).map(|number| Piece {
        first: number * GRAIN,
        outputs: chunks.iter_mut().filter_map(Iterator::next).collect(),
    });
    shared.for_each(pieces.collect(), |piece| {
        let last = elements.min(piece.first + GRAIN);
        compute_piece::<F>(chain, inputs, piece, last);
    })
}

fn compute_piece<F: Arithmetic>(
    chain: &Chain,
    inputs: &[&[F::Limbs]],
    mut piece: Piece<'_>,
    last: usize,
) {
    let elements = last - piece.first;
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
        Input::Vector => &inputs[number][piece.first..last],
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
    for (number, output) in chain.outputs.iter().zip(&mut piece.outputs) {
        let value = match number.checked_sub(inputs.len()) {
            None => input(*number),
            Some(earlier) => results[earlier].as_slice(),
        };
        output.copy_from_slice(F::words(value));
    }
}
