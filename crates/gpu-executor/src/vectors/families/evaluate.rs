//! Values of a polynomial at points.

use field_kernels::vector_kernels::EVALUATE as KERNEL;

use super::powers::{Bases, PowerTables, ROW, rows};
use super::prelude::*;
use super::reduce::each_piece;

static EVALUATE: WholeOperation = WholeOperation::new("evaluate", on_device, in_field!(on_cpu));

impl Queue {
    /// The values at `points` of the polynomial with the coefficients x, the constant one
    /// first: a vector of one for a scalar, and of as many as there are for a vector of
    /// points. Reads x once for each point, and multiplies each coefficient once. The
    /// polynomial without coefficients is zero everywhere.
    ///
    /// # Errors
    /// [`Error::WrongForm`] for anything in plain form, else as [`Self::add`].
    pub fn evaluate<F: Field>(
        &self,
        x: &FieldVec<F>,
        points: impl Into<Operand<F>>,
    ) -> Result<FieldVec<F>> {
        let (operation, points) = (EVALUATE.name, points.into());
        self.expect_form(operation, x, Form::Montgomery)?;
        let arguments = vec![
            self.argument(operation, x)?,
            self.operand(operation, &points, Some(Form::Montgomery))?,
        ];
        let len = points.len().unwrap_or(1);
        if x.is_empty() {
            return self.fill(0, len);
        }
        let node = self.whole(&EVALUATE, F::ID, arguments);
        Ok(node.result(len, Form::Montgomery))
    }
}

/// Points of one dispatch at most: so many tables are in memory at a time.
const MOST_POINTS: usize = 256;
/// Rows of a block at most.
const MOST_ROWS: usize = 64;

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, [x, points]) = (call.field, [&call.arguments[0], &call.arguments[1]]);
    let result = steps.take(field, points.elements)?;
    // All points of a dispatch together take no more elements than one dispatch does.
    let together = (steps.most_of_a_dispatch(field, ROW) / x.elements).clamp(1, MOST_POINTS);
    for first in (0..points.elements).step_by(together) {
        let those = first..points.elements.min(first + together);
        let bases = Bases {
            first: steps.input(points, &those)?,
            step: 1,
            count: those.len(),
        };
        let tables = PowerTables::new(steps, field, &bases, ROW.ilog2())?;
        level(
            steps,
            field,
            &Coefficients::Shared(x),
            &tables,
            (&result, first),
        )?;
    }
    steps.only_result(call, result)
}

/// Of polynomials of so many coefficients each, one for each point or one for all.
enum Coefficients<'a> {
    Shared(&'a Argument),
    OfEach(&'a Storage, usize),
}

impl Coefficients<'_> {
    fn count(&self) -> usize {
        match self {
            Self::Shared(x) => x.elements,
            Self::OfEach(_, count) => *count,
        }
    }
}

/// One level of it: the coefficients of each polynomial to those of a shorter one, in a
/// power of its point, whose value is written to the result, from a place on. The tables are
/// those of the points.
fn level(
    steps: &mut Steps<'_>,
    field: ElementId,
    x: &Coefficients<'_>,
    tables: &PowerTables,
    to: (&Storage, usize),
) -> Result<(), Error> {
    let (elements, points) = (x.count(), tables.count());
    let rows = rows(steps, field, elements, MOST_ROWS);
    let block = rows * ROW;
    let blocks = elements.div_ceil(block);
    let next = match blocks {
        1 => None,
        _ => {
            // Made while this level is, whose dispatches do not need them.
            let bases = tables.squares(steps, block.ilog2());
            let tables = PowerTables::new(steps, field, &bases, ROW.ilog2())?;
            Some((steps.take(field, points * blocks)?, tables))
        }
    };
    let (output, first) = next.as_ref().map_or(to, |(left, _)| (left, 0));
    let output = steps.window(
        output,
        field,
        &(first..first + points * blocks),
        Access::Write,
    );
    let table = tables.of(steps, &(0..points));
    // Of several polynomials all are in one piece.
    for piece in steps.blocks(field, elements, block) {
        let from = match x {
            Coefficients::Shared(x) => steps.input(x, &piece)?,
            Coefficients::OfEach(storage, _) if points == 1 => {
                steps.window(storage, field, &piece, Access::Read)
            }
            Coefficients::OfEach(storage, _) => steps.output(field, storage).to_read(),
        };
        let groups = piece.len().div_ceil(block);
        let step = match x {
            Coefficients::Shared(_) => 0,
            Coefficients::OfEach(_, each) => count(*each)?,
        };
        let constants = [
            count(piece.len())?,
            count(rows)?,
            count(points)?,
            from.start,
            step,
            table.start,
            output.start + count(piece.start / block * field.bytes() / PART)?,
            count(blocks)?,
        ];
        let buffers = [&from, &table, &output];
        steps.dispatch_groups(&KERNEL, field, &buffers, &constants, points * groups)?;
    }
    match &next {
        None => Ok(()),
        Some((left, tables)) => {
            let left = Coefficients::OfEach(left, blocks);
            level(steps, field, &left, tables, to)
        }
    }
}

fn on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let points = run.elements::<F>(&call.arguments[1])?;
    let mut out = run.take(points.len() * F::LIMBS)?;
    for (point, out) in points.iter().zip(F::elements_mut(out.as_mut_slice())?) {
        let values = each_piece::<F, _>(run, x.chunks(GRAIN), |x| horner::<F>(x, point))?;
        *out = horner::<F>(&values, &arithmetic::pow::<F>(point, GRAIN as u64));
    }
    run.only_result(call, out)
}

fn horner<F: CpuField>(x: &[F::Limbs], point: &F::Limbs) -> F::Limbs {
    let zero = F::Limbs::default();
    let next = |value, x| arithmetic::add::<F>(&F::mul(&value, point), x);
    x.iter().rev().fold(zero, next)
}
