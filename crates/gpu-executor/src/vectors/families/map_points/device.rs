//! A stage of a map on a device (`shaders/map_points.comp`, `shaders/msm_join.comp`).

use std::ops::Range;

use field_kernels::vector_kernels::{
    MAP_POINTS_MULTIPLES, MAP_POINTS_SUMS, MAP_POINTS_SUMS_OF_AFFINE,
};
use field_kernels::{G1, G2};

use super::super::prelude::*;
use super::stage::{BITS, Stage};
use crate::vectors::families::msm::{Doublings, each_dispatch, join_rows, words};
use crate::vectors::families::normalise::normalise;

/// Bytes of the multiples and of the windows' sums at once, at most, where a row has no more.
const MOST_AT_ONCE: usize = 1 << 28;

/// Words of 4 bytes in a part.
const WORDS_OF_PART: u32 = 4;
/// Bytes that a binding may begin before what it is for: the largest alignment that Vulkan
/// lets a device ask for.
const MOST_ALIGNMENT: usize = 256;

/// Rows of `row` affine points of an argument, as X, Y, ZZ and ZZZ to `to`; in bit-reversed
/// order, if that is wanted.
pub(in crate::vectors::families) fn take_in(
    steps: &mut Steps<'_>,
    field: ElementId,
    points: &Argument,
    (row, is_reversed): (usize, bool),
    to: &Storage,
) -> Result<(), Error> {
    let rows = points.elements / row;
    let reversed = if is_reversed { row.ilog2() } else { 0 };
    let at_once = at_once(steps, rows, [4 * field.bytes() * row])?;
    for first in (0..rows).step_by(at_once) {
        let its = first * row..rows.min(first + at_once) * row;
        let from = steps.input(points, &its)?;
        let to = coordinates(steps, field, to, &its, Access::Write);
        make_multiples(steps, field, its.len(), (&from, true, reversed), (&to, 1))?;
    }
    Ok(())
}

/// All rows to rows of `to`, which may be the same memory where both are as long: of one source
/// or of two, of which the inputs of a stage are first those of the one.
pub(in crate::vectors::families) fn run(
    steps: &mut Steps<'_>,
    field: ElementId,
    (stage, entries): (&Stage, &Window),
    rows: usize,
    (sources, to): (&[&Storage], &Storage),
) -> Result<(), Error> {
    let point = 4 * field.bytes();
    let multiples = sources.len() * stage.inputs * stage.multiples as usize;
    // Of a row too long for one binding some outputs at a time.
    let window_sums = stage.windows * point;
    let outputs_at_once = match stage.windows {
        1 => stage.outputs,
        _ => (most_at_once(steps) / window_sums).clamp(1, stage.outputs),
    };
    let of_row = [multiples, stage.outputs, outputs_at_once * stage.windows];
    let at_once = at_once(steps, rows, of_row.map(|it| it * point))?;
    let scratch = Scratch {
        multiples: steps.take_bytes(at_once * multiples * point)?,
        affine: match stage.multiples {
            1 => None,
            _ => Some(steps.take_bytes(at_once * multiples * point / 2)?),
        },
        sums: match stage.windows {
            1 => None,
            _ => Some(steps.take_bytes(at_once * outputs_at_once * window_sums)?),
        },
    };
    for first in (0..rows).step_by(at_once) {
        let rows = first..rows.min(first + at_once);
        let multiples = scratch.multiples(steps, field, stage, &rows, sources)?;
        let its = rows.start * stage.outputs..rows.end * stage.outputs;
        let to = coordinates(steps, field, to, &its, Access::Write);
        for begin in (0..stage.outputs).step_by(outputs_at_once) {
            let part = Part {
                stage,
                rows: rows.len(),
                outputs: begin..stage.outputs.min(begin + outputs_at_once),
                field,
            };
            let sums = scratch.sums.as_ref().map(Window::on);
            part.sums(steps, &multiples, entries, sums.as_ref().unwrap_or(&to))?;
            if let Some(sums) = sums {
                // Some outputs of one row, or all of several rows.
                let mut to = to.clone();
                to.start += count(begin * point / PART)?;
                let all = part.rows * part.outputs.len();
                let doublings = Doublings {
                    each: BITS,
                    last: BITS,
                    lasts: 0,
                };
                let windows = (all, stage.windows, doublings);
                join_rows(steps, field, windows, &sums.to_read(), &to)?;
            }
        }
    }
    Ok(())
}

/// Memory that all rows take in turn.
struct Scratch {
    multiples: Storage,
    /// The same as affine points, where there are several of each input.
    affine: Option<Storage>,
    /// A sum for each window of each output, where there are several.
    sums: Option<Storage>,
}

impl Scratch {
    /// The multiples of the inputs of some rows.
    fn multiples(
        &self,
        steps: &mut Steps<'_>,
        field: ElementId,
        stage: &Stage,
        rows: &Range<usize>,
        sources: &[&Storage],
    ) -> Result<Window, Error> {
        let its = rows.start * stage.inputs..rows.end * stage.inputs;
        let multiples = its.len() * stage.multiples as usize;
        let point = 4 * field.bytes();
        let mut to = Window::on(&self.multiples);
        for source in sources {
            let from = coordinates(steps, field, source, &its, Access::Read);
            let to_make = (&to, stage.multiples);
            make_multiples(steps, field, its.len(), (&from, false, 0), to_make)?;
            to.start += count(multiples * point / PART)?;
        }
        match &self.affine {
            Some(affine) => {
                let from = |steps: &Steps<'_>, its: &Range<usize>| {
                    Ok(steps.window(&self.multiples, field, its, Access::Read))
                };
                normalise(steps, field, from, sources.len() * multiples, affine)?;
                Ok(Window::on(affine).to_read())
            }
            None => Ok(Window::on(&self.multiples).to_read()),
        }
    }
}

/// What is summed up at once.
struct Part<'s> {
    stage: &'s Stage,
    rows: usize,
    outputs: Range<usize>,
    field: ElementId,
}

impl Part<'_> {
    fn sums(
        &self,
        steps: &mut Steps<'_>,
        multiples: &Window,
        entries: &Window,
        to: &Window,
    ) -> Result<(), Error> {
        let windows = self.outputs.len() * self.stage.windows;
        let all = self.rows * windows;
        let start = entries.start * WORDS_OF_PART;
        let root = match self.field.coordinates() {
            1 => G1::CUBE_ROOT,
            _ => G2::CUBE_ROOT,
        };
        let root = words(root.map(u64::to_le_bytes).as_flattened());
        let kernel = match self.stage.multiples {
            1 => &MAP_POINTS_SUMS,
            _ => &MAP_POINTS_SUMS_OF_AFFINE,
        };
        each_dispatch(steps, kernel, all, |steps, first, groups| {
            let mut constants = root.clone();
            constants.extend([
                count(all)?,
                first,
                count(self.rows)?,
                count(self.stage.inputs)?,
                self.stage.multiples,
                count(windows)?,
                count(self.outputs.start * self.stage.windows)?,
                start,
                start + count(self.stage.starts())?,
                to.start,
            ]);
            let buffers = [multiples, entries, to];
            steps.dispatch_groups(kernel, self.field, &buffers, &constants, groups)
        })
    }
}

/// So many multiples of each of `points` points, which are affine or not, and come in rows of
/// 2^reversed in bit-reversed order, unless that is 0.
fn make_multiples(
    steps: &mut Steps<'_>,
    field: ElementId,
    points: usize,
    (from, affine, reversed): (&Window, bool, u32),
    (to, multiples): (&Window, u32),
) -> Result<(), Error> {
    let mut known = 0;
    while known < multiples {
        let all = points * known.max(1) as usize;
        each_dispatch(steps, &MAP_POINTS_MULTIPLES, all, |steps, first, groups| {
            let constants = [
                count(all)?,
                first,
                from.start,
                multiples,
                known,
                u32::from(affine),
                reversed,
                to.start,
            ];
            steps.dispatch_groups(
                &MAP_POINTS_MULTIPLES,
                field,
                &[from, to],
                &constants,
                groups,
            )
        })?;
        known = (2 * known).max(1);
    }
    Ok(())
}

/// As many rows as every binding has room for, one of which takes so many bytes in each.
fn at_once<const N: usize>(
    steps: &Steps<'_>,
    rows: usize,
    bytes_of_row: [usize; N],
) -> Result<usize, Error> {
    let largest = bytes_of_row.into_iter().max().unwrap_or_default().max(1);
    // A binding begins up to an alignment before its first byte.
    let most = steps.most_bytes().saturating_sub(MOST_ALIGNMENT);
    if largest > most {
        return Err(Error::Vulkan(vk_core::Error::Unsupported {
            needed: format!("storage buffers of {largest} bytes for a row of points"),
            found: format!("{most} at most on {}", steps.caps().name),
        }));
    }
    Ok((most_at_once(steps) / largest).clamp(1, rows))
}

/// Bytes of a binding at most, where a row takes no more.
fn most_at_once(steps: &Steps<'_>) -> usize {
    let most = steps.most_bytes().saturating_sub(MOST_ALIGNMENT);
    most.min(MOST_AT_ONCE)
}

/// So many points of `storage`.
fn coordinates(
    steps: &Steps<'_>,
    field: ElementId,
    storage: &Storage,
    points: &Range<usize>,
    access: Access,
) -> Window {
    steps.window(storage, field, &(4 * points.start..4 * points.end), access)
}
