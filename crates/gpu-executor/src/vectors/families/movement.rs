//! Elements in other places: vectors around and around, one after the other, and by turns;
//! every so-manieth element, and elements by their indices. Of any type, as they are.
//!
//! A kernel moves parts of 16 bytes, those of what stays together too: on an H200 a copy by
//! the driver takes five times as long.

use std::borrow::Borrow;

use bytemuck::must_cast_slice;
use field_kernels::vector_kernels::{INDEXED, STRIDED as STRIDED_KERNEL};

use super::prelude::*;
use crate::vectors::cpu::Words;
use crate::vectors::indices::{INDICES_OF_AN_ELEMENT, Indices};

static CONCAT: WholeOperation = WholeOperation::new(
    "concat",
    |steps, call| strides_on_device(steps, call, (1, 1)),
    concat_on_cpu,
)
.without_products();

static INTERLEAVE: WholeOperation = WholeOperation::new(
    "interleave",
    |steps, call| strides_on_device(steps, call, (1, call.arguments.len())),
    |run, call| {
        let vectors = call.arguments.len();
        move_on_cpu(run, call, |place| (place % vectors, place / vectors))
    },
)
.without_products();

static STRIDED: WholeOperation = WholeOperation::new(
    "strided",
    |steps, call| strides_on_device(steps, call, (step(call), 1)),
    |run, call| {
        let step = step(call);
        move_on_cpu(run, call, |place| (0, place * step))
    },
)
.without_products();

static GATHER: WholeOperation =
    WholeOperation::new("gather", gather_on_device, gather_on_cpu).without_products();

impl Queue {
    /// The elements of all `vectors`, one vector after the other.
    ///
    /// # Errors
    /// [`Error::WrongForm`] for vectors of different forms, [`Error::VectorTooLong`] for
    /// more elements than any memory can hold, else as [`Self::add`].
    pub fn concat<F: ElementType>(
        &self,
        vectors: &[impl Borrow<FieldVec<F>>],
    ) -> Result<FieldVec<F>> {
        let (arguments, form) = self.all(CONCAT.name, vectors)?;
        let lengths = arguments.iter().map(|it| it.elements);
        let len = lengths.fold(0_usize, usize::saturating_add);
        expect_possible::<F>(CONCAT.name, len)?;
        Ok(self.whole(&CONCAT, F::ID, arguments).result(len, form))
    }

    /// The elements of x, `by` places to the left and around: element i of the result is
    /// element i + `by` of x, and after the last comes the first. A negative `by` rotates
    /// to the right.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn rotate<F: ElementType>(&self, x: &FieldVec<F>, by: isize) -> Result<FieldVec<F>> {
        let len = x.len().max(1);
        let by = match by {
            0.. => by.unsigned_abs() % len,
            _ => (len - by.unsigned_abs() % len) % len,
        };
        let (first, rest) = x.split_at(by)?;
        let (arguments, form) = self.all("rotate", &[rest, first])?;
        Ok(self.whole(&CONCAT, F::ID, arguments).result(x.len(), form))
    }

    /// The elements of `vectors`, which are of one length, by turns: the first of each, the
    /// second of each, and so on.
    ///
    /// # Errors
    /// As [`Self::concat`], and [`Error::UnequalVectors`].
    pub fn interleave<F: ElementType>(
        &self,
        vectors: &[impl Borrow<FieldVec<F>>],
    ) -> Result<FieldVec<F>> {
        let operation = INTERLEAVE.name;
        let (arguments, form) = self.all(operation, vectors)?;
        let each = arguments.first().map_or(0, |it| it.elements);
        let mut lengths = arguments.iter().map(|it| it.elements);
        lengths.try_for_each(|found| expect_equal(operation, each, found))?;
        let len = each.saturating_mul(arguments.len());
        expect_possible::<F>(operation, len)?;
        Ok(self.whole(&INTERLEAVE, F::ID, arguments).result(len, form))
    }

    /// Every `step`-th element of x from `start` on: `start`, `start` + `step` and so on, as
    /// long as there are any.
    ///
    /// # Errors
    /// [`Error::WrongNumber`] for a step of 0, [`Error::OutOfRange`] for a start past the
    /// end, else as [`Self::add`].
    pub fn strided<F: ElementType>(
        &self,
        x: &FieldVec<F>,
        start: usize,
        step: usize,
    ) -> Result<FieldVec<F>> {
        let operation = STRIDED.name;
        if step == 0 {
            return Err(Error::WrongNumber {
                operation,
                expected: "a step of 1 or more".to_owned(),
                found: 0,
            });
        }
        let x = x.slice(start..)?;
        let node = self.whole_of(&STRIDED, F::ID, &x)?;
        let node = node.with(&[step as u64]);
        Ok(node.result(x.len().div_ceil(step), x.form()))
    }

    /// Elements of x by their indices: element i of the result is element `indices[i]` of x.
    ///
    /// # Errors
    /// [`Error::WrongNumber`] for an index that x has no element at, else as [`Self::add`].
    /// On submission [`Error::VectorTooLong`] for an x that the device cannot bind as a
    /// whole.
    pub fn gather<F: ElementType>(
        &self,
        x: &FieldVec<F>,
        indices: &Indices,
    ) -> Result<FieldVec<F>> {
        let operation = GATHER.name;
        if let Some((largest, place)) = indices.largest {
            let found = usize::try_from(largest).unwrap_or(usize::MAX);
            if found >= x.len() {
                return Err(Error::WrongNumber {
                    operation,
                    expected: format!("an index below {} at place {place}", x.len()),
                    found,
                });
            }
        }
        let arguments = vec![
            self.argument(operation, x)?,
            self.argument(operation, &indices.words)?,
        ];
        let node = self.whole(&GATHER, F::ID, arguments);
        Ok(node.result(indices.len(), x.form()))
    }
}

fn step(call: &Call<'_>) -> usize {
    usize::try_from(call.parameters[0]).unwrap_or(usize::MAX)
}

/// Every `step_in`-th element of each argument, one argument after the other, or by turns to
/// every `step_out`-th place.
fn strides_on_device(
    steps: &mut Steps<'_>,
    call: &Call<'_>,
    (step_in, step_out): (usize, usize),
) -> Result<(), Error> {
    let output = steps.take_bytes(call.bytes(0))?;
    let mut first = 0;
    for argument in call.arguments.iter().filter(|it| it.elements > 0) {
        let elements = argument.elements.div_ceil(step_in);
        let to = (&output, first, step_out);
        stride(steps, (argument, step_in), to, elements)?;
        first += if step_out == 1 { elements } else { 1 };
    }
    steps.only_result(call, output)
}

/// Moves `elements` elements, one or more: of an argument every `step_in`-th, to every
/// `step_out`-th of `output` from the `first`-th on.
fn stride(
    steps: &mut Steps<'_>,
    (argument, step_in): (&Argument, usize),
    (output, first, step_out): (&Storage, usize, usize),
    elements: usize,
) -> Result<(), Error> {
    let (of, parts) = (argument.of, argument.of.bytes() / PART);
    // Whichever spans more is cut; where its steps are long, into pieces of one element or
    // none.
    let step = step_in.max(step_out);
    let span = (elements - 1) * step + 1;
    for piece in steps.pieces(of, span, elements_of_a_group(parts)) {
        let moved = piece.start.div_ceil(step)..piece.end.div_ceil(step);
        let Some(last) = moved.len().checked_sub(1) else {
            continue;
        };
        let spanned = |first: usize, step: usize| {
            first + moved.start * step..first + (moved.start + last) * step + 1
        };
        let from = steps.input(argument, &spanned(0, step_in))?;
        let to = steps.window(output, of, &spanned(first, step_out), Access::Write);
        // Of one element there is no step, which may be of any length.
        let in_parts = |step: usize| count(if last == 0 { 0 } else { step * parts });
        let constants = [
            count(moved.len())?,
            count(parts)?,
            from.start,
            to.start,
            in_parts(step_in)?,
            in_parts(step_out)?,
        ];
        let invocations = (moved.len() * parts).div_ceil(PARTS_OF_AN_INVOCATION);
        steps.dispatch(&STRIDED_KERNEL, of, &[&from, &to], &constants, invocations)?;
    }
    Ok(())
}

fn gather_on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let [x, indices] = [&call.arguments[0], &call.arguments[1]];
    let (elements, parts) = (call.results[0].elements, x.of.bytes() / PART);
    // An element may come from anywhere, so that the vector is bound as a whole.
    let most = steps.most_bound(x.of, usize::MAX);
    if x.elements > most {
        return Err(Error::VectorTooLong {
            operation: GATHER.name,
            most,
            found: x.elements,
        });
    }
    let output = steps.take_bytes(call.bytes(0))?;
    let from = steps.input(x, &(0..x.elements))?;
    for piece in steps.pieces(x.of, elements, elements_of_a_group(parts)) {
        let each = INDICES_OF_AN_ELEMENT;
        let words = piece.start / each..piece.end.div_ceil(each);
        let numbers = steps.input(indices, &words)?;
        let to = steps.window(&output, x.of, &piece, Access::Write);
        let words_of_a_part = PART / size_of::<u32>();
        let constants = [
            count(piece.len())?,
            count(parts)?,
            from.start,
            to.start,
            numbers.start * count(words_of_a_part)? + count(piece.start % each)?,
        ];
        let invocations = (piece.len() * parts).div_ceil(PARTS_OF_AN_INVOCATION);
        let buffers = [&from, &to, &numbers];
        steps.dispatch(&INDEXED, x.of, &buffers, &constants, invocations)?;
    }
    steps.only_result(call, output)
}

/// Parts that an invocation moves.
const PARTS_OF_AN_INVOCATION: usize = 4;

/// Elements that a workgroup moves, of so many parts each.
fn elements_of_a_group(parts: usize) -> usize {
    STRIDED_KERNEL.group_size as usize * PARTS_OF_AN_INVOCATION / parts
}

fn concat_on_cpu(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let mut out = run.take(limbs_of_result(call))?;
    let (mut rest, mut pieces) = (out.as_mut_slice(), Vec::new());
    for argument in call.arguments {
        let from = run.limbs(argument)?;
        let (to, after) = rest.split_at_mut(from.len());
        rest = after;
        let piece = GRAIN * argument.of.limbs();
        pieces.extend(to.chunks_mut(piece).zip(from.chunks(piece)));
    }
    run.for_each(pieces, |(to, from)| to.copy_from_slice(from))?;
    run.only_result(call, out)
}

fn gather_on_cpu(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let indices: &[u32] = must_cast_slice(run.limbs(&call.arguments[1])?);
    let out = moved(run, call, |place| (0, indices[place] as usize))?;
    run.only_result(call, out)
}

fn move_on_cpu(
    run: &mut Run<'_>,
    call: &Call<'_>,
    from: impl Fn(usize) -> (usize, usize) + Sync,
) -> Result<(), Error> {
    let out = moved(run, call, from)?;
    run.only_result(call, out)
}

/// The result, where `from` says for each place which argument and which element of it.
fn moved(
    run: &Run<'_>,
    call: &Call<'_>,
    from: impl Fn(usize) -> (usize, usize) + Sync,
) -> Result<Words, Error> {
    let limbs = call.results[0].of.limbs();
    let arguments = call.arguments.iter().map(|it| run.limbs(it));
    let arguments: Vec<&[u64]> = arguments.collect::<Result<_, _>>()?;
    let mut out = run.take(limbs_of_result(call))?;
    let pieces = out.as_mut_slice().chunks_mut(GRAIN * limbs).enumerate();
    run.for_each(pieces.collect(), |(number, out)| {
        for (place, out) in (number * GRAIN..).zip(out.chunks_exact_mut(limbs)) {
            let (argument, element) = from(place);
            out.copy_from_slice(&arguments[argument][element * limbs..][..limbs]);
        }
    })?;
    Ok(out)
}

fn limbs_of_result(call: &Call<'_>) -> usize {
    call.bytes(0) / size_of::<u64>()
}
