//! Permutations of a vector's elements.

use field_kernels::arithmetic::bit_reversed;
use field_kernels::vector_kernels::BIT_REVERSE as KERNEL;

use super::prelude::*;

static BIT_REVERSE: WholeOperation =
    WholeOperation::new("bit_reverse", on_device, in_field!(on_cpu)).without_products();

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
        let node = self.whole_of(&BIT_REVERSE, F::ID, x)?;
        Ok(node.result(x.len(), x.form()))
    }

    in_place!(bit_reverse_assign = bit_reverse<F: Field>(FieldVec<F>));
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
    steps.only_result(call, output)
}

fn on_cpu<F: Field>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let bits = x.len().ilog2();
    let out = run.filled::<F>(x.len(), GRAIN, |first, out| {
        for (to, out) in (first..).zip(out) {
            *out = x[bit_reversed(to, bits)];
        }
    })?;
    run.only_result(call, out)
}
