//! Permutations of a vector's elements.

use field_kernels::vector_kernels::BIT_REVERSE as KERNEL;
use field_kernels::{ElementId, Field};

use super::{Call, WholeOperation};
use crate::vectors::cpu::{GRAIN, Run};
use crate::vectors::field_vec::FieldVec;
use crate::vectors::fields::with_field;
use crate::vectors::queue::Queue;
use crate::vectors::vulkan::{PART, Steps};
use crate::{Error, Result};

static BIT_REVERSE: WholeOperation = WholeOperation {
    name: "bit_reverse",
    multiplies: false,
    leaves: None,
    on_device,
    on_cpu,
};

impl Queue {
    /// The elements in bit-reversed order: element i of the result is element rev(i) of
    /// x, the bits of i from the last to the first.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a length that is not a power of two, else as
    /// [`Self::add`]. On submission [`Error::VectorTooLong`] for a vector that the
    /// device cannot bind as a whole.
    pub fn bit_reverse<F: Field>(&self, x: &FieldVec<F>) -> Result<FieldVec<F>> {
        let operation = BIT_REVERSE.name;
        if !x.len().is_power_of_two() {
            return Err(Error::WrongLength {
                operation,
                expected: "a power of two",
                found: x.len(),
            });
        }
        let arguments = vec![self.argument(operation, x)?];
        let node = self.whole(&BIT_REVERSE, F::ID, arguments);
        Ok(node.result(x.len(), x.form()))
    }

    /// x, in bit-reversed order.
    ///
    /// # Errors
    /// As [`Self::bit_reverse`].
    pub fn bit_reverse_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.bit_reverse(x)?;
        Ok(())
    }
}

/// Elements that a workgroup brings into bit-reversed order, which its shared memory holds;
/// shorter vectors are moved by one invocation a part.
const fn tile(field: ElementId) -> usize {
    match field.bytes() {
        ..=48 => 256,
        _ => 64,
    }
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, x) = (call.field, &call.arguments[0]);
    let elements = x.elements;
    // An element may go anywhere, so that the vector is bound as a whole.
    let most = steps.most_bound(field, tile(field));
    if elements > most {
        return Err(Error::VectorTooLong {
            operation: BIT_REVERSE.name,
            most,
            found: elements,
        });
    }
    let output = steps.take(field, elements)?;
    let from = steps.input(x, &(0..elements))?;
    let to = steps.output(field, &output);
    let constants = [elements.ilog2(), from.start, to.start];
    match elements / tile(field) {
        0 => {
            let parts = elements * field.bytes() / PART;
            steps.dispatch(&KERNEL, field, &[&from, &to], &constants, parts)?;
        }
        tiles => steps.dispatch_groups(&KERNEL, field, &[&from, &to], &constants, tiles)?,
    }
    steps.set_result(call, 0, output);
    Ok(())
}

fn on_cpu(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    with_field!(call.field, F => reverse::<F>(run, call))
}

fn reverse<F: Field>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let bits = x.len().ilog2();
    let mut out = run.take(x.len() * F::LIMBS)?;
    let pieces = F::elements_mut(out.as_mut_slice())?.chunks_mut(GRAIN);
    run.for_each(pieces.enumerate().collect(), |(number, out)| {
        for (inside, out) in out.iter_mut().enumerate() {
            let to = number * GRAIN + inside;
            // A shift by all bits is not defined.
            let from = to.reverse_bits().checked_shr(usize::BITS - bits);
            *out = x[from.unwrap_or(0)];
        }
    })?;
    run.set_result(call, 0, out);
    Ok(())
}

#[cfg(test)]
pub(super) fn samples<F: Field>() -> Vec<(&'static str, super::Sample<F>)> {
    vec![(BIT_REVERSE.name, |q, x, _| q.bit_reverse(&x.slice(1..513)?))]
}
