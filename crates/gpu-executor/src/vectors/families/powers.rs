//! Powers of an element, and the tables of powers that other families multiply by.

use std::ops::Range;

use field_kernels::vector_kernels::{POWER_TABLES, POWERS as KERNEL};

use super::prelude::*;

static POWERS: WholeOperation = WholeOperation::new("powers", on_device, in_field!(on_cpu));

impl Queue {
    /// The first `len` powers of an element, a scalar or the only element of a vector: 1,
    /// base, base^2 and so on, in Montgomery form. Takes a product for each.
    ///
    /// # Errors
    /// As [`Self::fill`]; [`Error::WrongForm`] for a base in plain form.
    pub fn powers<F: Field>(&self, base: impl Into<Operand<F>>, len: usize) -> Result<FieldVec<F>> {
        expect_possible::<F>(POWERS.name, len)?;
        let arguments =
            vec![self.operand(POWERS.name, &base.into().single()?, Some(Form::Montgomery))?];
        let node = self.whole(&POWERS, F::ID, arguments);
        Ok(node.result(len, Form::Montgomery))
    }
}

/// Elements of a row, one an invocation.
pub(super) const ROW: usize = 128;

/// The tables of several bases, as `power_tables.comp` makes them: to be held until the last
/// step that reads them was added, since their memory serves others then.
pub(super) struct PowerTables {
    field: ElementId,
    storage: Storage,
}

/// Elements, to be read: the first, and how far the next ones are from each other.
pub(super) struct Bases {
    pub(super) first: Window,
    pub(super) step: usize,
    pub(super) count: usize,
}

impl PowerTables {
    /// Of each table the squares, and twice 128 powers after them.
    const ELEMENTS: usize = 14 + 2 * 128;

    /// For each base its squares, base^(2^k) for k < 14, and its powers base^(j 2^shift)
    /// for j < 128; the shift is 7 at most, and where it is that, base^j too.
    pub(super) fn new(
        steps: &mut Steps<'_>,
        field: ElementId,
        bases: &Bases,
        shift: u32,
    ) -> Result<Self, Error> {
        let storage = steps.take(field, bases.count * Self::ELEMENTS)?;
        let tables = steps.output(field, &storage);
        let step = count(bases.step)?;
        let constants = [bases.first.start, step, tables.start, shift];
        let buffers = [&bases.first, &tables];
        steps.dispatch_groups(&POWER_TABLES, field, &buffers, &constants, bases.count)?;
        Ok(Self { field, storage })
    }

    pub(super) fn count(&self) -> usize {
        self.storage.bytes() / self.field.bytes() / Self::ELEMENTS
    }

    pub(super) fn of(&self, steps: &Steps<'_>, bases: &Range<usize>) -> Window {
        let elements = bases.start * Self::ELEMENTS..bases.end * Self::ELEMENTS;
        steps.window(&self.storage, self.field, &elements, Access::Read)
    }

    /// base^(2^log) for each base, as bases.
    pub(super) fn squares(&self, steps: &Steps<'_>, log: u32) -> Bases {
        let (first, end) = (log as usize, self.count() * Self::ELEMENTS);
        Bases {
            first: steps.window(&self.storage, self.field, &(first..end), Access::Read),
            step: Self::ELEMENTS,
            count: self.count(),
        }
    }
}

/// How many rows of 128 elements a workgroup takes, a power of two: all where those are few,
/// else as many as leave a thousand workgroups something to do, but 4 at least and `most`
/// at most; and never more than one dispatch takes.
pub(super) fn rows(steps: &Steps<'_>, field: ElementId, elements: usize, most: usize) -> usize {
    const FEW: usize = 16;
    const MANY_GROUPS: usize = 1024;
    let all = elements.div_ceil(ROW).next_power_of_two();
    let rows = match all {
        ..=FEW => all,
        _ => (elements / (MANY_GROUPS * ROW)).clamp(4, most),
    };
    let dispatched = steps.most_of_a_dispatch(field, ROW) / ROW;
    1 << rows.min(dispatched).max(1).ilog2()
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (base, elements) = (&call.arguments[0], call.results[0].elements);
    let output = steps.take(call.field, elements)?;
    let base = Bases {
        first: steps.input(base, &(0..1))?,
        step: 0,
        count: 1,
    };
    write_powers(steps, call.field, &base, &output, elements)?;
    steps.only_result(call, output)
}

/// One level of it: the powers that the blocks begin with, and the blocks.
fn write_powers(
    steps: &mut Steps<'_>,
    field: ElementId,
    base: &Bases,
    output: &Storage,
    elements: usize,
) -> Result<(), Error> {
    let rows = rows(steps, field, elements, 32);
    let block = rows * ROW;
    let blocks = elements.div_ceil(block);
    let table = PowerTables::new(steps, field, base, 0)?;
    let firsts = match blocks {
        1 => None,
        _ => {
            let firsts = steps.take(field, blocks)?;
            let base = table.squares(steps, block.ilog2());
            write_powers(steps, field, &base, &firsts, blocks)?;
            Some(firsts)
        }
    };
    let table = table.of(steps, &(0..1));
    for piece in steps.blocks(field, elements, block) {
        let to = steps.window(output, field, &piece, Access::Write);
        let first = match &firsts {
            Some(firsts) => {
                let blocks = piece.start / block..piece.end.div_ceil(block);
                steps.window(firsts, field, &blocks, Access::Read)
            }
            None => table.clone(),
        };
        let constants = [
            count(piece.len())?,
            count(rows)?,
            table.start,
            first.start,
            firsts.is_some().into(),
            to.start,
        ];
        let groups = piece.len().div_ceil(block);
        steps.dispatch_groups(&KERNEL, field, &[&table, &first, &to], &constants, groups)?;
    }
    Ok(())
}

fn on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let base = run.elements::<F>(&call.arguments[0])?[0];
    let mut out = run.take(call.results[0].elements * F::LIMBS)?;
    let next_piece = arithmetic::pow::<F>(&base, GRAIN as u64);
    let mut first = F::ONE;
    let pieces = F::elements_mut(out.as_mut_slice())?.chunks_mut(GRAIN);
    let pieces = pieces.map(|out| {
        let this = first;
        first = F::mul(&first, &next_piece);
        (this, out)
    });
    run.for_each(pieces.collect(), |(mut power, out)| {
        for out in out {
            *out = power;
            power = F::mul(&power, &base);
        }
    })?;
    run.only_result(call, out)
}
