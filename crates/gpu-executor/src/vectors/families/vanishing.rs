//! Quotients by X^n - 1: sums along the columns of a matrix whose rows are n coefficients.

use field_kernels::vector_kernels::COLUMN_SUMS as KERNEL;

use super::prelude::*;

static COLUMN_SUMS: WholeOperation =
    WholeOperation::new("divide_by_vanishing", on_device, in_field!(on_cpu)).without_products();

/// Rows of the matrix at most: the loop of the kernel.
const MOST_ROWS: usize = 256;

impl Queue {
    /// The quotient of the polynomial x by X^n - 1, and the remainder: the first n
    /// coefficients are the remainder's, and so are all where x has no more; the quotient
    /// has as many as are left. Both share memory. Where the remainder is zero, x is zero
    /// on all n-th roots of unity. Takes one pass over x, and past 256 n coefficients
    /// log2(len / n) - 8 before it, rounded up.
    ///
    /// # Errors
    /// [`Error::WrongNumber`] for an n of 0, else as [`Self::add`].
    pub fn divide_by_vanishing<F: Field>(
        &self,
        x: &FieldVec<F>,
        n: usize,
    ) -> Result<(FieldVec<F>, FieldVec<F>)> {
        let operation = COLUMN_SUMS.name;
        if n == 0 {
            return Err(Error::WrongNumber {
                operation,
                expected: "a degree of 1 or more".to_owned(),
                found: 0,
            });
        }
        // X^n is 1 modulo X^n - 1, so each coefficient goes to those n, 2n and so on below:
        // the sums of every n-th from each on. In a matrix of many rows, first of two of them,
        // of four and so on, until those are left that are further apart.
        let (mut sums, mut apart) = (x.clone(), n);
        while x.len().div_ceil(apart) > MOST_ROWS {
            let (low, high) = sums.split_at(x.len() - apart)?;
            let low = self.add(&low, sums.slice(apart..)?)?;
            sums = self.concat(&[low, high])?;
            apart *= 2;
        }
        if apart < x.len() {
            let node = self.whole_of(&COLUMN_SUMS, F::ID, &sums)?;
            sums = node.with(&[apart as u64]).result(x.len(), x.form());
        }
        let (remainder, quotient) = sums.split_at(n.min(x.len()))?;
        Ok((quotient, remainder))
    }
}

/// The columns: elements of a row.
fn width(call: &Call<'_>) -> usize {
    usize::try_from(call.parameters[0]).unwrap_or(usize::MAX)
}

/// The result may be the argument's memory.
fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, x, width) = (call.field, &call.arguments[0], width(call));
    let output = match steps.free_argument(call.arguments, call.bytes(0)) {
        Some(storage) => storage,
        None => steps.take(field, x.elements)?.into(),
    };
    // As many rows as one dispatch takes, or parts of a single one.
    let columns = steps.pieces(field, width, KERNEL.group_size as usize);
    let rows = match columns.as_slice() {
        [_] => steps.most_of_a_dispatch(field, 1) / width,
        _ => 1,
    };
    let each = width * rows.clamp(1, MOST_ROWS);
    for first in (0..x.elements)
        .step_by(each)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        for columns in &columns {
            let at = |first: usize, elements: usize| {
                let [first, end] = [first + columns.start, first + elements];
                first.min(x.elements)..end.min(x.elements)
            };
            let elements = at(first, each - width + columns.end);
            let below = at(first + each, columns.end);
            if elements.is_empty() {
                continue;
            }
            let from = steps.input(x, &elements)?;
            let to = steps.window(&output, field, &elements, Access::Write);
            let sums = match below.is_empty() {
                true => from.clone(),
                false => steps.window(&output, field, &below, Access::Read),
            };
            let counts = [elements.len(), columns.len(), below.len()];
            let [elements, width, below] = counts.map(count);
            let starts = [from.start, sums.start, to.start];
            let constants = [&[elements?, width?, below?], starts.as_slice()].concat();
            let buffers = [&from, &sums, &to];
            steps.dispatch(&KERNEL, field, &buffers, &constants, columns.len())?;
        }
    }
    steps.only_result(call, output)
}

fn on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (x, width) = (run.elements::<F>(&call.arguments[0])?, width(call));
    let mut out = run.take(x.len() * F::LIMBS)?;
    let mut columns = Vec::new();
    columns.resize_with(width.div_ceil(GRAIN), Vec::new);
    let rows = F::elements_mut(out.as_mut_slice())?.chunks_mut(width);
    for (out, x) in rows.zip(x.chunks(width)) {
        let parts = out.chunks_mut(GRAIN).zip(x.chunks(GRAIN));
        let places = columns.iter_mut().zip(parts);
        places.for_each(|(columns, part)| columns.push(part));
    }
    run.for_each(columns, |rows| {
        let mut below: &[F::Limbs] = &[];
        for (out, x) in rows.into_iter().rev() {
            out.copy_from_slice(x);
            for (out, below) in out.iter_mut().zip(below) {
                *out = arithmetic::add::<F>(out, below);
            }
            below = out;
        }
    })?;
    run.only_result(call, out)
}
