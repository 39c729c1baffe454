//! From buckets to sums: folds to a few points of each column, and those joined.

use std::ops::Range;

use field_kernels::ElementId;
use field_kernels::vector_kernels::{MSM_FOLD, MSM_FOLD_FEW, MSM_JOIN};
use vk_mem_paths::{Access, Storage};

use super::super::plan::{FEW_SUMS, Plan};
use super::{Scratch, each_dispatch};
use crate::Error;
use crate::vectors::vulkan::{Steps, Window, count};

/// Folds the buckets of so many columns to the points that are left of them.
pub(super) fn fold(
    steps: &mut Steps<'_>,
    field: ElementId,
    (plan, columns): (&Plan, usize),
    scratch: &Scratch,
    (output, coordinates): (&Storage, Range<usize>),
) -> Result<(), Error> {
    let buckets = &scratch.buckets;
    let bytes = field.bytes();
    if plan.log_buckets() == 0 {
        let from = buckets.region(0..bytes * coordinates.len(), Access::Read);
        let to = bytes * coordinates.start..bytes * coordinates.end;
        steps.copy_region(from, output.region(to, Access::Write));
        return Ok(());
    }
    // Of the buckets and the entries nothing is needed once it was read.
    let between = [&scratch.entries, buckets];
    let mut from = Window::on(buckets).to_read();
    for round in 0..plan.log_buckets() {
        let log_length = plan.log_buckets() - round - 1;
        let all = (columns * (round as usize + 2)) << log_length;
        let to = match log_length {
            0 => steps.window(output, field, &coordinates, Access::Write),
            _ => Window::on(between[round as usize % 2]),
        };
        let buffers = [&from, &to];
        let (kernel, invocations) = match all <= FEW_SUMS {
            true => (&MSM_FOLD_FEW, 4 * all),
            false => (&MSM_FOLD, all),
        };
        each_dispatch(steps, kernel, invocations, |steps, first, groups| {
            let constants = [count(all)?, first, round, log_length, to.start];
            steps.dispatch_groups(kernel, field, &buffers, &constants, groups)
        })?;
        from = to.to_read();
    }
    Ok(())
}

/// Joins what is left of so many columns to the sums, as [`Plan::join`] does.
pub(super) fn join(
    steps: &mut Steps<'_>,
    field: ElementId,
    (plan, columns): (&Plan, usize),
    parts: &Storage,
    (output, coordinates): (&Storage, Range<usize>),
) -> Result<(), Error> {
    let (parts, to) = (
        Window::on(parts).to_read(),
        steps.window(output, field, &coordinates, Access::Write),
    );
    // All buckets and those of bit 0 have the same weight.
    let of_columns = (
        columns,
        plan.bits as usize,
        Doublings {
            each: 1,
            last: 0,
            lasts: 1,
        },
    );
    if plan.columns == 1 {
        return join_rows(steps, field, of_columns, &parts, &to);
    }
    let between = steps.take(field, 4 * columns)?;
    let between = Window::on(&between);
    join_rows(steps, field, of_columns, &parts, &between)?;
    let doublings = Doublings {
        each: plan.bits,
        last: plan.bits - 1,
        lasts: plan.narrow,
    };
    let of_sums = (columns / plan.columns, plan.columns, doublings);
    join_rows(steps, field, of_sums, &between.to_read(), &to)
}

/// Doublings on the way from one point of a row to the one before, and where that is one of the
/// first `lasts`.
#[derive(Clone, Copy)]
pub(in crate::vectors::families) struct Doublings {
    pub(in crate::vectors::families) each: u32,
    pub(in crate::vectors::families) last: u32,
    pub(in crate::vectors::families) lasts: usize,
}

/// Joins each of so many rows of so many points, with doublings between them.
pub(in crate::vectors::families) fn join_rows(
    steps: &mut Steps<'_>,
    field: ElementId,
    (rows, points, doublings): (usize, usize, Doublings),
    from: &Window,
    to: &Window,
) -> Result<(), Error> {
    const ROWS_OF_A_GROUP: usize = 8;
    let most = steps.most_groups(ROWS_OF_A_GROUP);
    for first in (0..rows).step_by(most * ROWS_OF_A_GROUP) {
        let groups = most.min((rows - first).div_ceil(ROWS_OF_A_GROUP));
        let constants = [
            count(rows)?,
            count(first)?,
            count(points)?,
            doublings.each,
            doublings.last,
            count(doublings.lasts)?,
            to.start,
        ];
        steps.dispatch_groups(&MSM_JOIN, field, &[from, to], &constants, groups)?;
    }
    Ok(())
}
