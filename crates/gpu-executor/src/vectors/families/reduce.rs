//! Reductions: sum, product and inner product. Many elements become few by many
//! workgroups, or pieces on the CPU, and those become one.

use field_kernels::vector_kernels::{
    INNER_PRODUCT as INNER_PRODUCT_KERNEL, PRODUCT as PRODUCT_KERNEL, SUM_FINISH, SUM_PARTS,
};

use super::prelude::*;

/// It multiplies in integers.
static SUM: WholeOperation =
    WholeOperation::new("sum", sum_on_device, in_field!(sum_on_cpu)).without_products();

static PRODUCT: WholeOperation = WholeOperation::new(
    "product",
    |steps, call| products_on_device(steps, call, &PRODUCT_KERNEL, MOST_OF_PRODUCT),
    in_field!(product_on_cpu),
);

static INNER_PRODUCT: WholeOperation = WholeOperation::new(
    "inner_product",
    |steps, call| products_on_device(steps, call, &INNER_PRODUCT_KERNEL, MOST_OF_INNER_PRODUCT),
    in_field!(inner_product_on_cpu),
);

impl Queue {
    /// The sum of all elements, as a vector of one; 0 of none.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn sum<F: Field>(&self, x: &FieldVec<F>) -> Result<FieldVec<F>> {
        Ok(self.whole_of(&SUM, F::ID, x)?.result(1, x.form()))
    }

    /// The product of all elements of a vector in Montgomery form, as a vector of one;
    /// 1 of none.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn product<F: Field>(&self, x: &FieldVec<F>) -> Result<FieldVec<F>> {
        self.expect_form(PRODUCT.name, x, Form::Montgomery)?;
        Ok(self.whole_of(&PRODUCT, F::ID, x)?.result(1, x.form()))
    }

    /// The sum of the products of the elements of two vectors in Montgomery form, as a
    /// vector of one; 0 of none.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn inner_product<F: Field>(&self, x: &FieldVec<F>, y: &FieldVec<F>) -> Result<FieldVec<F>> {
        self.expect_form(INNER_PRODUCT.name, x, Form::Montgomery)?;
        let arguments = self.pair(INNER_PRODUCT.name, x, y)?;
        Ok(self
            .whole(&INNER_PRODUCT, F::ID, arguments)
            .result(1, x.form()))
    }
}

/// Workgroups of a sum at most: so many fill every device there is. What each leaves is
/// twice an element, and all of it is added up by one.
const MOST_OF_SUM: usize = 1024;
/// Likewise, of a product: few enough results for one workgroup.
const MOST_OF_PRODUCT: usize = 2048;
/// Likewise, of an inner product: few of these are on a device at once, since each takes
/// many registers, and with many of them the last ones do not keep it waiting. Their
/// results are summed up by many workgroups again.
const MOST_OF_INNER_PRODUCT: usize = 8192;

fn sum_on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, x) = (call.field, &call.arguments[0]);
    let result = steps.take(field, 1)?;
    let mut inputs = Vec::new();
    for piece in steps.pieces(field, x.elements, SUM_PARTS.group_size as usize) {
        inputs.push((steps.input(x, &piece)?, piece.len()));
    }
    add_up(steps, field, &inputs, &result)?;
    steps.only_result(call, result)
}

/// The sum of the elements of several windows, so many each: words by many workgroups,
/// and an element out of theirs.
fn add_up(
    steps: &mut Steps<'_>,
    field: ElementId,
    inputs: &[(Window, usize)],
    result: &Storage,
) -> Result<(), Error> {
    let parts = field.bytes() / PART;
    // Of each word of an element two halves.
    let left_by_group = 2 * field.bytes();
    let groups = inputs.iter();
    let groups = groups.map(|(_, it)| steps.groups(MOST_OF_SUM, it * parts));
    let groups: Vec<usize> = groups.collect();
    let total: usize = groups.iter().sum();
    let halves = steps.take_bytes((total * left_by_group).max(PART))?;
    let halves = Window::on(&halves);
    let mut done = 0;
    for ((input, elements), groups) in inputs.iter().zip(&groups) {
        let (items, first) = (elements * parts, done * left_by_group / PART);
        let constants = [count(items)?, count(*groups)?, input.start, count(first)?];
        steps.dispatch_groups(&SUM_PARTS, field, &[input, &halves], &constants, *groups)?;
        done += groups;
    }
    let (from, to) = (halves.to_read(), steps.output(field, result));
    let constants = [count(total)?, 0, to.start];
    steps.dispatch_groups(&SUM_FINISH, field, &[&from, &to], &constants, 1)
}

/// A product or an inner product: every workgroup leaves a result, and those become one.
fn products_on_device(
    steps: &mut Steps<'_>,
    call: &Call<'_>,
    kernel: &'static VectorKernel,
    most: usize,
) -> Result<(), Error> {
    let (field, elements) = (call.field, call.arguments[0].elements);
    let result = steps.take(field, 1)?;
    let pieces = match elements {
        // One workgroup leaves the neutral element.
        0 => std::iter::once(0..0).collect(),
        _ => steps.pieces(field, elements, kernel.group_size as usize),
    };
    let groups = pieces.iter().map(|piece| steps.groups(most, piece.len()));
    let groups: Vec<usize> = groups.collect();
    let total: usize = groups.iter().sum();
    let partial = match total {
        1 => None,
        _ => Some(steps.take(field, total)?),
    };
    let mut done = 0;
    for (piece, groups) in pieces.iter().zip(&groups) {
        let mut inputs = Vec::new();
        for argument in call.arguments {
            inputs.push(match elements {
                // Any memory: nothing of it is read.
                0 => steps.output(field, &result).to_read(),
                _ => steps.input(argument, piece)?,
            });
        }
        let to = partial.as_ref().unwrap_or(&result);
        let output = steps.window(to, field, &(done..done + groups), Access::Write);
        let size = (piece.len(), *groups);
        multiply(steps, kernel, field, size, &inputs, &output)?;
        done += groups;
    }
    if let Some(partial) = partial {
        let input = steps.output(field, &partial).to_read();
        if call.arguments.len() == 1 {
            let output = steps.output(field, &result);
            multiply(steps, kernel, field, (total, 1), &[input], &output)?;
        } else {
            add_up(steps, field, &[(input, total)], &result)?;
        }
    }
    steps.only_result(call, result)
}

/// One dispatch of a product or an inner product.
fn multiply(
    steps: &mut Steps<'_>,
    kernel: &'static VectorKernel,
    field: ElementId,
    (elements, groups): (usize, usize),
    inputs: &[Window],
    output: &Window,
) -> Result<(), Error> {
    let (a, b) = (&inputs[0], inputs.last().unwrap_or(&inputs[0]));
    let counts = [count(elements)?, count(groups)?];
    let constants = [counts[0], counts[1], a.start, b.start, output.start];
    steps.dispatch_groups(kernel, field, &[a, b, output], &constants, groups)
}

fn sum_on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let partial = each_piece::<F, _>(run, x.chunks(GRAIN), |x| sum::<F>(x.iter().copied()))?;
    keep::<F>(run, call, sum::<F>(partial.into_iter()))
}

fn product_on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let partial = each_piece::<F, _>(run, x.chunks(GRAIN), product::<F>)?;
    keep::<F>(run, call, product::<F>(&partial))
}

fn inner_product_on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let y = run.elements::<F>(&call.arguments[1])?;
    let pairs = x.chunks(GRAIN).zip(y.chunks(GRAIN));
    let partial = each_piece::<F, _>(run, pairs, |(x, y)| {
        sum::<F>(x.iter().zip(y).map(|(x, y)| F::mul(x, y)))
    })?;
    keep::<F>(run, call, sum::<F>(partial.into_iter()))
}

/// What becomes of each of `pieces`.
pub(super) fn each_piece<F: Field, T: Send>(
    run: &Run<'_>,
    pieces: impl Iterator<Item = T>,
    reduce: impl Fn(T) -> F::Limbs + Sync,
) -> Result<Vec<F::Limbs>, Error> {
    let pieces: Vec<T> = pieces.collect();
    let mut partial = vec![F::Limbs::default(); pieces.len()];
    let pieces = pieces.into_iter().zip(&mut partial).collect();
    run.for_each(pieces, |(piece, out)| *out = reduce(piece))?;
    Ok(partial)
}

fn keep<F: Field>(run: &mut Run<'_>, call: &Call<'_>, result: F::Limbs) -> Result<(), Error> {
    let mut out = run.take(F::LIMBS)?;
    out.as_mut_slice().copy_from_slice(result.as_ref());
    run.only_result(call, out)
}

fn sum<F: Field>(elements: impl Iterator<Item = F::Limbs>) -> F::Limbs {
    let zero = F::Limbs::default();
    elements.fold(zero, |sum, element| arithmetic::add::<F>(&sum, &element))
}

fn product<F: CpuField>(elements: &[F::Limbs]) -> F::Limbs {
    let multiply = |product, element: &F::Limbs| F::mul(&product, element);
    elements.iter().fold(F::ONE, multiply)
}
