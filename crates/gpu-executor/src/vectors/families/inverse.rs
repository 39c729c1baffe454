//! The batched inverse, by Montgomery's trick: products on the way up, inverses on the
//! way down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use field_kernels::operations;
use field_kernels::vector_kernels::{INVERSE_DOWN, INVERSE_UP};

use super::prelude::*;

static INVERSE: WholeOperation =
    WholeOperation::new("inverse", on_device, in_field!(on_cpu)).leaving(Number::Zeros);

impl Queue {
    /// x^-1 for each element of a vector in Montgomery form, and 0 for 0; the report
    /// counts the zeros. By Montgomery's trick: three products an element.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn inverse<F: Field>(&self, x: &FieldVec<F>) -> Result<FieldVec<F>> {
        self.expect_form(INVERSE.name, x, Form::Montgomery)?;
        let node = self.whole_of(&INVERSE, F::ID, x)?;
        Ok(node.result(x.len(), Form::Montgomery))
    }

    in_place!(inverse_assign = inverse<F: Field>(FieldVec<F>));
}

/// Elements that an invocation has.
const ROUNDS: usize = 32;
/// So many elements are inverted one by one: that takes as long for one as for all of them.
const ALONE: usize = 2048;

/// The result may be the argument's memory.
fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, x) = (call.field, &call.arguments[0]);
    let free = steps.free_argument(call.arguments, x.elements * field.bytes());
    let in_place = free.is_some();
    let output = match free {
        Some(storage) => storage,
        None => Arc::new(steps.take(field, x.elements)?),
    };
    let zeros = steps.number(call)?;
    for piece in steps.pieces(field, x.elements, INVERSE_UP.group_size as usize) {
        // The products before each element: in the output, unless that still holds the
        // elements.
        let before = match in_place {
            true => Some(steps.take(field, piece.len())?),
            false => None,
        };
        let to = steps.window(&output, field, &piece, Access::Write);
        let before = match &before {
            Some(storage) => steps.output(field, storage),
            None => to.clone(),
        };
        let x = steps.input(x, &piece)?;
        let stride = count(field.bytes() / PART)?;
        let buffers = [&x, &before, &to, &zeros];
        level(steps, field, (piece.len(), stride), buffers)?;
    }
    steps.only_result(call, output)
}

/// One level of it: products on the way up, their inverses by the next level, inverses on
/// the way down. From one element of x to the next are so many parts; the products before
/// each may be where the inverses are to be, and zeros are counted.
pub(super) fn level(
    steps: &mut Steps<'_>,
    field: ElementId,
    (elements, stride): (usize, u32),
    [x, before, to, zeros]: [&Window; 4],
) -> Result<(), Error> {
    let threads = elements.div_ceil(ROUNDS);
    let storage = steps.take(field, threads)?;
    let products = steps.output(field, &storage);
    let counts = [count(elements)?, count(threads)?];
    let constants = |last: &Window| {
        let starts = [x, before, &products, last].map(|it| it.start);
        [counts.as_slice(), &starts, &[stride]].concat()
    };
    let buffers = [x, before, &products, zeros];
    steps.dispatch(&INVERSE_UP, field, &buffers, &constants(zeros), threads)?;

    // In their own memory.
    let read = products.to_read();
    if threads <= ALONE {
        steps.each_in_place(&operations::INVERSE, field, threads, &products)?;
    } else {
        let scratch = steps.take(field, threads)?;
        let scratch = steps.output(field, &scratch);
        let stride = count(field.bytes() / PART)?;
        let buffers = [&read, &scratch, &products, zeros];
        level(steps, field, (threads, stride), buffers)?;
    }

    let buffers = [x, &before.to_read(), &read, to];
    steps.dispatch(&INVERSE_DOWN, field, &buffers, &constants(to), threads)
}

/// Elements that share one inversion on the CPU.
const SHARE: usize = 4 * GRAIN;

fn on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let found = AtomicU64::new(0);
    let out = run.filled::<F>(x.len(), SHARE, |first, out| {
        let zeros = invert::<F>(&x[first..][..out.len()], out);
        found.fetch_add(zeros, Ordering::Relaxed);
    })?;
    run.leave(call, found.into_inner());
    run.only_result(call, out)
}

/// Writes the inverses, and returns how many zeros there were.
fn invert<F: CpuField>(x: &[F::Limbs], out: &mut [F::Limbs]) -> u64 {
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
