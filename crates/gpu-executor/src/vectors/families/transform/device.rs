//! Transforms on a device: a few passes over the vector, each of which does some levels in
//! shared memory (`shaders/transform.comp`).

use std::sync::Arc;

use field_kernels::vector_kernels::TRANSFORM as KERNEL;
use field_kernels::{Arithmetic, ElementType as _, Fr};
use vk_core::DeviceKind;
use vk_mem_paths::Access;

use super::factors::{Direction, Factors};
use crate::Error;
use crate::vectors::families::Call;
use crate::vectors::runner::internal;
use crate::vectors::tables::TableKey;
use crate::vectors::vulkan::{Steps, Window, count};

/// log2 of the elements of a workgroup, and so of the longest transform of one pass.
pub(super) const TILE: u32 = 9;
/// Workgroups that fill every device there is; below that, a workgroup takes fewer elements.
const FILLS: usize = 256;

/// `LAST`, `FROM_REVERSED` and `TO_NATURAL` of the shader.
const LAST: u32 = 1;
const FROM_REVERSED: u32 = 2;
const TO_NATURAL: u32 = 4;

/// A pass over rows of 2^log2 elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    /// Levels that were done before it.
    pub(super) before: u32,
    /// Levels that it does.
    pub(super) levels: u32,
}

/// The passes of a transform of 2^log2 elements: as few as there can be, of about as many
/// levels each.
pub(super) fn passes(log2: u32) -> Vec<Pass> {
    let number = log2.div_ceil(TILE).max(1);
    let ends = (0..=number).map(|pass| pass * log2 / number);
    let starts = ends.clone();
    let passes = starts.zip(ends.skip(1));
    let passes = passes.map(|(before, end)| Pass {
        before,
        levels: end - before,
    });
    passes.collect()
}

/// Where a pass reads and writes.
struct Places<'w> {
    from: &'w Window,
    to: &'w Window,
    factors: &'w Window,
}

pub(super) fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let [log2, inverse, from_reversed, to_reversed, shift @ ..] = call.parameters else {
        return Err(internal("the parameters of a transform"));
    };
    let shift: [u64; 4] = shift.try_into().map_err(|_| internal("a domain's shift"))?;
    let direction = Direction::new(*inverse == 1);
    let [from_reversed, to_natural] = [*from_reversed == 1, *to_reversed == 0];
    let log2 = u32::try_from(*log2).map_err(|_| internal("log2 of a domain's size"))?;
    let (x, n) = (&call.arguments[0], 1_usize << log2);
    let most = steps.most_bound(Fr::ID, usize::MAX);
    if n > most {
        return Err(internal("a transform that a kernel can bind"));
    }
    if n == 1 {
        let output = steps.take(Fr::ID, x.elements)?;
        steps.copy(x, &(0..x.elements), &output, 0)?;
        steps.set_result(call, 0, output);
        return Ok(());
    }

    expect_shared_memory(steps)?;
    let passes = passes(log2);
    let factors = Factors::new(log2, direction, shift, &passes);
    // They depend on size, direction and shift, not on the orders.
    let key = TableKey {
        name: call.operation.name,
        element: Fr::ID,
        parameters: [&[u64::from(log2), *inverse], shift.as_slice()].concat(),
    };
    let table = steps.table(key, |steps| {
        let bytes = factors.bytes(steps.arithmetic(Fr::ID));
        let storage = steps.take_bytes(bytes.len())?;
        steps.write(&storage, &bytes);
        Ok(storage)
    })?;
    let table = Window::on(&table).to_read();
    // All of the argument is read before any of it is written, unless the first of several
    // passes writes where another workgroup reads.
    let is_in_place = passes.len() == 1 || to_natural || !from_reversed;
    let free = match is_in_place {
        true => steps.free_argument(call.arguments, call.bytes(0)),
        false => None,
    };
    let output = match free {
        Some(storage) => storage,
        None => Arc::new(steps.take(Fr::ID, x.elements)?),
    };
    // Elements change places in the last pass, which then cannot write where it reads.
    let between = match to_natural && passes.len() > 1 {
        true => Arc::new(steps.take(Fr::ID, x.elements)?),
        false => Arc::clone(&output),
    };
    let rows_bound = most / n;
    let rows = x.elements / n;
    for first in (0..rows).step_by(rows_bound) {
        let rows = first..rows.min(first + rows_bound);
        let elements = rows.start * n..rows.end * n;
        for (number, pass) in passes.iter().enumerate() {
            let is_last = number + 1 == passes.len();
            let from = match number {
                0 => steps.input(x, &elements)?,
                _ => steps.window(&between, Fr::ID, &elements, Access::Read),
            };
            let to = if is_last { &output } else { &between };
            let to = steps.window(to, Fr::ID, &elements, Access::Write);
            let mut flags = 0;
            if is_last {
                flags |= LAST | if to_natural { TO_NATURAL } else { 0 };
            }
            if number == 0 && from_reversed {
                flags |= FROM_REVERSED;
            }
            let places = Places {
                from: &from,
                to: &to,
                factors: &table,
            };
            let next = passes.get(number + 1).map_or(0, |next| next.levels);
            let tables = factors.places(number);
            let pass = (log2, *pass, next);
            dispatch(steps, pass, rows.len(), flags, tables, &places)?;
        }
    }
    steps.set_result(call, 0, output);
    Ok(())
}

/// What a workgroup has of it: of each element its words, or five limbs of 64 bits.
fn expect_shared_memory(steps: &Steps<'_>) -> Result<(), Error> {
    let arithmetic = steps.arithmetic(Fr::ID);
    let needed = match arithmetic {
        Arithmetic::F64 => 40 << TILE,
        _ => Fr::BYTES << TILE,
    };
    let found = steps.caps().limits.max_shared_memory;
    match needed <= found as usize {
        true => Ok(()),
        false => Err(Error::Vulkan(vk_core::Error::Unsupported {
            needed: format!("{needed} bytes of shared memory for a transform by {arithmetic}"),
            found: format!("{found} at most on {}", steps.caps().name),
        })),
    }
}

/// The dispatches of one pass over `rows` rows.
fn dispatch(
    steps: &mut Steps<'_>,
    (log2, pass, next): (u32, Pass, u32),
    rows: usize,
    flags: u32,
    tables: [u32; 3],
    places: &Places<'_>,
) -> Result<(), Error> {
    let is_last = flags & LAST != 0;
    let blocks = rows << if is_last { pass.before } else { 0 };
    let columns = match is_last {
        // Each a block of one column.
        true => blocks,
        false => 1 << (log2 - pass.before - pass.levels),
    };
    let fills = match steps.caps().kind {
        DeviceKind::Software => 0,
        _ => FILLS,
    };
    // Columns of a workgroup, as a power of two: as many as fit, unless that leaves parts of
    // the device without work.
    let elements = rows << log2;
    let mut log_c = (TILE - pass.levels).min(columns.next_power_of_two().ilog2());
    while log_c > 0 && elements >> (pass.levels + log_c) < fills {
        log_c -= 1;
    }
    let groups = match is_last {
        true => blocks.div_ceil(1 << log_c),
        false => elements >> (pass.levels + log_c),
    };
    let most = steps.most_groups(1 << TILE);
    for first in (0..groups).step_by(most) {
        let constants = [
            places.from.start,
            places.to.start,
            log2,
            pass.before,
            pass.levels,
            log_c,
            count(blocks)?,
            flags,
            next,
            tables[0],
            tables[1],
            tables[2],
            count(first)?,
        ];
        let buffers = [places.from, places.to, places.factors];
        let groups = most.min(groups - first);
        steps.dispatch_groups(&KERNEL, Fr::ID, &buffers, &constants, groups)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_do_all_levels_in_as_few_as_fit() {
        let levels = |log2| {
            passes(log2)
                .iter()
                .map(|pass| pass.levels)
                .collect::<Vec<_>>()
        };
        assert_eq!(levels(1), [1]);
        assert_eq!(levels(9), [9]);
        assert_eq!(levels(10), [5, 5]);
        assert_eq!(levels(20), [6, 7, 7]);
        assert_eq!(levels(32), [8, 8, 8, 8]);
        for log2 in 1..=32 {
            let mut before = 0;
            for pass in passes(log2) {
                assert_eq!(pass.before, before);
                assert!((1..=TILE).contains(&pass.levels), "{log2}: {pass:?}");
                before += pass.levels;
            }
            assert_eq!(before, log2);
        }
    }
}
