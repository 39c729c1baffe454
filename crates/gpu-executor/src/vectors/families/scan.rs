//! Running sums, running products, and Horner's rule as it runs: what comes of the elements
//! of a vector up to each of them.

use std::ops::Range;

use field_kernels::vector_kernels::{
    SCAN_HORNER_DOWN, SCAN_HORNER_UP, SCAN_PRODUCT_DOWN, SCAN_PRODUCT_UP, SCAN_SUM_DOWN,
    SCAN_SUM_UP,
};

use super::powers::{Bases, PowerTables, ROW, rows};
use super::prelude::*;
use super::reduce::each_piece;

/// It adds in integers.
static RUNNING_SUM: WholeOperation = WholeOperation::new(
    "running_sum",
    |steps, call| on_device(steps, call, &Kernels(&SCAN_SUM_UP, &SCAN_SUM_DOWN, 16)),
    |run, call| {
        with_field!(call.field, F => {
            on_cpu::<F>(run, call, Default::default(), |sum, x, _| arithmetic::add::<F>(sum, x))
        })
    },
)
.without_products();

static RUNNING_PRODUCT: WholeOperation = WholeOperation::new(
    "running_product",
    |steps, call| {
        on_device(
            steps,
            call,
            &Kernels(&SCAN_PRODUCT_UP, &SCAN_PRODUCT_DOWN, 32),
        )
    },
    |run, call| with_field!(call.field, F => on_cpu::<F>(run, call, F::ONE, |product, x, _| F::mul(product, x))),
);

/// Horner's rule, from the last element to the first: y_i = x_i + z y_(i + 1).
static RUNNING_HORNER: WholeOperation = WholeOperation::new(
    "divide_by_linear",
    |steps, call| {
        on_device(
            steps,
            call,
            &Kernels(&SCAN_HORNER_UP, &SCAN_HORNER_DOWN, 32),
        )
    },
    |run, call| {
        with_field!(call.field, F => {
            let join = |value: &_, x: &_, z: &_| arithmetic::add::<F>(&F::mul(value, z), x);
            on_cpu::<F>(run, call, Default::default(), join)
        })
    },
);

/// Which elements each result of a scan is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scan {
    /// Those up to its place, and the one at its place.
    Inclusive,
    /// Those before its place: the first result is 0, or 1 of a product.
    Exclusive,
}

impl Queue {
    /// The sums of the elements up to each: x_0, x_0 + x_1 and so on, or 0, x_0,
    /// x_0 + x_1 and so on.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn running_sum<F: Field>(&self, x: &FieldVec<F>, scan: Scan) -> Result<FieldVec<F>> {
        let node = self.whole_of(&RUNNING_SUM, F::ID, x)?;
        Ok(node.with(&[parameter(scan)]).result(x.len(), x.form()))
    }

    /// The products of the elements up to each, of a vector in Montgomery form: x_0,
    /// x_0 x_1 and so on, or 1, x_0, x_0 x_1 and so on. Takes two products an element, and
    /// a quarter.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn running_product<F: Field>(&self, x: &FieldVec<F>, scan: Scan) -> Result<FieldVec<F>> {
        let operation = RUNNING_PRODUCT.name;
        self.expect_form(operation, x, Form::Montgomery)?;
        let node = self.whole_of(&RUNNING_PRODUCT, F::ID, x)?;
        Ok(node.with(&[parameter(scan)]).result(x.len(), x.form()))
    }

    /// The values that Horner's rule goes through at the point z, from the last of the
    /// coefficients x to the first: y_i = x_i + z y_(i + 1). So y_0 is the value at z, and
    /// the others are the coefficients of the quotient by X - z.
    pub(in crate::vectors) fn running_horner<F: Field>(
        &self,
        x: &FieldVec<F>,
        z: impl Into<Operand<F>>,
    ) -> Result<FieldVec<F>> {
        let operation = RUNNING_HORNER.name;
        self.expect_form(operation, x, Form::Montgomery)?;
        let arguments = vec![
            self.argument(operation, x)?,
            self.operand(operation, &z.into().single()?, Some(Form::Montgomery))?,
        ];
        let node = self.whole(&RUNNING_HORNER, F::ID, arguments);
        let node = node.with(&[parameter(Scan::Inclusive)]);
        Ok(node.result(x.len(), x.form()))
    }
}

fn parameter(scan: Scan) -> u64 {
    u64::from(scan == Scan::Exclusive)
}

/// The way up, the way down, and elements of a run at most, 32 or fewer: shorter runs hide more
/// of memory's latency, and take more joining.
struct Kernels(&'static VectorKernel, &'static VectorKernel, usize);

/// Elements of a run at least: as many as the kernels have in shared memory at a time.
const LEAST_OF_A_RUN: usize = 2;

/// The result may be the argument's memory.
fn on_device(steps: &mut Steps<'_>, call: &Call<'_>, kernels: &Kernels) -> Result<(), Error> {
    let (field, x) = (call.field, &call.arguments[0]);
    let base = match call.arguments.get(1) {
        Some(z) => Some(Bases {
            first: steps.input(z, &(0..1))?,
            step: 0,
            count: 1,
        }),
        None => None,
    };
    let output = match steps.free_argument(call.arguments, x.elements * field.bytes()) {
        Some(storage) => storage,
        None => steps.take(field, x.elements)?.into(),
    };
    let elements = Elements {
        from: Origin::Argument(x),
        to: &output,
        count: x.elements,
        exclusive: call.parameters[0] != 0,
        backwards: base.is_some(),
    };
    level(steps, field, kernels, &elements, base.as_ref())?;
    steps.only_result(call, output)
}

struct Elements<'a> {
    from: Origin<'a>,
    to: &'a Storage,
    count: usize,
    exclusive: bool,
    backwards: bool,
}

enum Origin<'a> {
    Argument(&'a Argument),
    /// In their own memory.
    There,
}

impl Elements<'_> {
    /// Those that are scanned at these places.
    fn at(&self, places: &Range<usize>) -> Range<usize> {
        match self.backwards {
            true => self.count - places.end..self.count - places.start,
            false => places.clone(),
        }
    }

    fn input(
        &self,
        steps: &Steps<'_>,
        field: ElementId,
        places: &Range<usize>,
    ) -> Result<Window, Error> {
        match self.from {
            Origin::Argument(argument) => steps.input(argument, &self.at(places)),
            Origin::There => Ok(steps.window(self.to, field, &self.at(places), Access::Read)),
        }
    }
}

/// One level of it: runs on the way up, what workgroups came to by the next level, and the
/// elements on the way down.
fn level(
    steps: &mut Steps<'_>,
    field: ElementId,
    kernels @ Kernels(up, down, most_of_a_run): &Kernels,
    elements: &Elements<'_>,
    base: Option<&Bases>,
) -> Result<(), Error> {
    let run = rows(steps, field, elements.count, *most_of_a_run).max(LEAST_OF_A_RUN);
    let block = run * ROW;
    let blocks = elements.count.div_ceil(block);
    let tables = match base {
        Some(base) => Some(PowerTables::new(steps, field, base, run.ilog2())?),
        None => None,
    };
    let table = tables.as_ref().map(|it| it.of(steps, &(0..1)));
    let before = steps.take(field, blocks * ROW)?;
    let groups = steps.take(field, blocks)?;
    let windows = |steps: &Steps<'_>, piece: &Range<usize>, access| {
        let blocks = piece.start / block..piece.end.div_ceil(block);
        let runs = blocks.start * ROW..blocks.end * ROW;
        (
            steps.window(&before, field, &runs, access),
            steps.window(&groups, field, &blocks, access),
        )
    };
    let pieces = steps.blocks(field, elements.count, block);
    let constants = |piece: &Range<usize>, x: &Window, before: &Window, groups: &Window| {
        let backwards = u32::from(elements.backwards);
        let table = table.as_ref().map_or(0, |it| it.start);
        let starts = [x.start, before.start, groups.start, table];
        let counts = [count(piece.len())?, run.ilog2(), backwards];
        Ok::<_, Error>([counts.as_slice(), &starts].concat())
    };
    for piece in &pieces {
        let x = elements.input(steps, field, piece)?;
        let (before, groups) = windows(steps, piece, Access::Write);
        let constants = constants(piece, &x, &before, &groups)?;
        let mut buffers = vec![&x, &before, &groups];
        buffers.extend(&table);
        let workgroups = piece.len().div_ceil(block);
        steps.dispatch_groups(up, field, &buffers, &constants, workgroups)?;
    }
    if blocks > 1 {
        let base = tables.as_ref().map(|it| it.squares(steps, block.ilog2()));
        let elements = Elements {
            from: Origin::There,
            to: &groups,
            count: blocks,
            exclusive: true,
            backwards: false,
        };
        level(steps, field, kernels, &elements, base.as_ref())?;
    }
    for piece in &pieces {
        let x = elements.input(steps, field, piece)?;
        let (before, groups) = windows(steps, piece, Access::Read);
        let to = steps.window(elements.to, field, &elements.at(piece), Access::Write);
        let mut constants = constants(piece, &x, &before, &groups)?;
        let flags = [blocks > 1, elements.exclusive].map(u32::from);
        constants.extend([to.start, flags[0], flags[1]]);
        let mut buffers = vec![&x, &before, &groups, &to];
        buffers.extend(&table);
        let workgroups = piece.len().div_ceil(block);
        steps.dispatch_groups(down, field, &buffers, &constants, workgroups)?;
    }
    Ok(())
}

/// By what `join` makes of that which comes before an element, the element, and z; or of
/// several, that which comes of them, and z to the power of their number.
fn on_cpu<F: CpuField>(
    run: &mut Run<'_>,
    call: &Call<'_>,
    nothing: F::Limbs,
    join: impl Fn(&F::Limbs, &F::Limbs, &F::Limbs) -> F::Limbs + Sync,
) -> Result<(), Error> {
    let x = run.elements::<F>(&call.arguments[0])?;
    let z = call
        .arguments
        .get(1)
        .map(|z| Ok::<_, Error>(run.elements::<F>(z)?[0]));
    let (backwards, z) = (z.is_some(), z.unwrap_or(Ok(F::ONE))?);
    let exclusive = call.parameters[0] != 0;
    let mut out = run.take(x.len() * F::LIMBS)?;
    // Each piece by itself, then what comes before each, and each again.
    let totals = each_piece::<F, _>(run, in_order(backwards, x.chunks(GRAIN)), |x| {
        in_order(backwards, x.iter()).fold(nothing, |before, x| join(&before, x, &z))
    })?;
    let mut before = nothing;
    let pieces = F::elements_mut(out.as_mut_slice())?.chunks_mut(GRAIN);
    let pieces = in_order(backwards, x.chunks(GRAIN).zip(pieces)).zip(&totals);
    let pieces = pieces.map(|((x, out), total)| {
        let this = before;
        let power = match backwards {
            true => arithmetic::pow::<F>(&z, x.len() as u64),
            false => z,
        };
        before = join(&before, total, &power);
        (this, x, out)
    });
    run.for_each(pieces.collect(), |(mut before, x, out)| {
        for (x, out) in in_order(backwards, x.iter().zip(out)) {
            let next = join(&before, x, &z);
            *out = if exclusive { before } else { next };
            before = next;
        }
    })?;
    run.only_result(call, out)
}

/// The items as a scan goes through them.
fn in_order<T>(
    backwards: bool,
    mut items: impl DoubleEndedIterator<Item = T>,
) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || match backwards {
        true => items.next_back(),
        false => items.next(),
    })
}
