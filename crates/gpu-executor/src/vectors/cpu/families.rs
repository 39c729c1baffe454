//! Operations over whole vectors.

use std::sync::{Mutex, PoisonError};

use field_kernels::{Field, arithmetic};

use super::GRAIN;
use super::arithmetic::Arithmetic;
use super::memory::Words;
use super::run::Run;
use crate::Error;
use crate::vectors::program::{Node, Reduction};

/// Elements that share one inversion.
const INVERSE_GRAIN: usize = 4 * GRAIN;

impl Run<'_> {
    /// Each thread reduces a few elements; their results are few, and reduced at last.
    pub(super) fn reduce<F: Arithmetic>(
        &mut self,
        reduction: Reduction,
        node: &Node,
    ) -> Result<Words, Error> {
        let a = self.vector::<F>(node, 0)?;
        let b = match reduction {
            Reduction::InnerProduct => self.vector::<F>(node, 1)?,
            _ => a,
        };
        let count = a.len().div_ceil(GRAIN);
        let mut partial = vec![F::Limbs::default(); count];
        let pieces = a.chunks(GRAIN).zip(b.chunks(GRAIN)).zip(&mut partial);
        let pieces: Vec<_> = pieces.collect();
        self.shared.for_each(pieces, |((a, b), out)| {
            *out = match reduction {
                Reduction::Sum => sum::<F>(a.iter().copied()),
                Reduction::Product => product::<F>(a),
                Reduction::InnerProduct => sum::<F>(a.iter().zip(b).map(|(a, b)| F::mul(a, b))),
            };
        })?;
        let result = match reduction {
            Reduction::Product => product::<F>(&partial),
            Reduction::Sum | Reduction::InnerProduct => sum::<F>(partial.into_iter()),
        };
        let mut out = self.shared.pool.take(F::LIMBS)?;
        out.as_mut_slice().copy_from_slice(result.as_ref());
        Ok(out)
    }

    /// By Montgomery's trick, for so many elements at a time.
    pub(super) fn inverse<F: Arithmetic>(&mut self, node: &Node) -> Result<Words, Error> {
        let x = self.vector::<F>(node, 0)?;
        let mut out = self.shared.pool.take(x.len() * F::LIMBS)?;
        let found = Mutex::new(0);
        let pieces = x.chunks(INVERSE_GRAIN);
        let pieces = pieces.zip(F::elements_mut(out.as_mut_slice())?.chunks_mut(INVERSE_GRAIN));
        let pieces: Vec<_> = pieces.collect();
        self.shared.for_each(pieces, |(x, out)| {
            let zeros = invert::<F>(x, out);
            *found.lock().unwrap_or_else(PoisonError::into_inner) += zeros;
        })?;
        self.left.zeros += found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(out)
    }

    pub(super) fn bit_reverse<F: Field>(&mut self, node: &Node) -> Result<Words, Error> {
        let x = self.vector::<F>(node, 0)?;
        let bits = x.len().ilog2();
        let mut out = self.shared.pool.take(x.len() * F::LIMBS)?;
        let pieces = F::elements_mut(out.as_mut_slice())?
            .chunks_mut(GRAIN)
            .enumerate();
        let pieces: Vec<_> = pieces.collect();
        self.shared.for_each(pieces, |(number, out)| {
            for (inside, out) in out.iter_mut().enumerate() {
                let to = number * GRAIN + inside;
                // A shift by all bits is not defined.
                let from = to.reverse_bits().checked_shr(usize::BITS - bits);
                *out = x[from.unwrap_or(0)];
            }
        })?;
        Ok(out)
    }
}

fn sum<F: Field>(elements: impl Iterator<Item = F::Limbs>) -> F::Limbs {
    let zero = F::Limbs::default();
    elements.fold(zero, |sum, element| arithmetic::add::<F>(&sum, &element))
}

fn product<F: Arithmetic>(elements: &[F::Limbs]) -> F::Limbs {
    let one = F::ONE;
    let multiply = |product, element: &F::Limbs| F::mul(&product, element);
    elements.iter().fold(one, multiply)
}

/// Writes the inverses, and returns how many zeros there were.
fn invert<F: Arithmetic>(x: &[F::Limbs], out: &mut [F::Limbs]) -> u64 {
    let zero = F::Limbs::default();
    let mut product = F::ONE;
    let mut zeros = 0;
    for (x, out) in x.iter().zip(out.iter_mut()) {
        *out = product;
        match *x == zero {
            true => zeros += 1,
            false => product = F::mul(&product, x),
        }
    }
    // A product of what is not zero.
    let mut inverse = F::inverse(&product);
    for (x, out) in x.iter().zip(out).rev() {
        if *x == zero {
            *out = zero;
            continue;
        }
        *out = F::mul(&inverse, out);
        inverse = F::mul(&inverse, x);
    }
    zeros
}
