//! Sums of points, as X, Y, ZZ and ZZZ, to affine points by one batched inverse.

use std::ops::Range;

use field_kernels::curve::Xyzz;
use field_kernels::vector_kernels::NORMALISE as KERNEL;

use super::inverse;
use super::prelude::*;

static NORMALISE: WholeOperation = WholeOperation::new(
    "normalise",
    on_device,
    |run, call| with_curve!(call.results[0].of, C => on_cpu::<C>(run, call)),
);

impl Queue {
    /// The affine points of those whose X, Y, ZZ and ZZZ are by turns in `sums`; of infinity,
    /// whose ZZZ is zero, infinity.
    pub(in crate::vectors) fn normalise<C: Curve>(
        &self,
        sums: &FieldVec<C::Field>,
    ) -> Result<PointVec<C>> {
        let node = self.whole_of(&NORMALISE, C::Field::ID, sums)?;
        Ok(node.result(sums.len() / 4, Form::Montgomery))
    }
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let points = &call.results[0];
    let output = steps.take(points.of, points.elements)?;
    let from = |steps: &Steps<'_>, its: &Range<usize>| steps.input(&call.arguments[0], its);
    normalise(steps, call.field, from, points.elements, &output)?;
    steps.only_result(call, output)
}

/// Writes `points` affine points to the start of `to`: those of the sums whose coordinates in
/// `field` are where `from` says. For families whose kernels leave such sums.
pub(super) fn normalise(
    steps: &mut Steps<'_>,
    field: ElementId,
    from: impl Fn(&Steps<'_>, &Range<usize>) -> Result<Window, Error>,
    points: usize,
    to: &Storage,
) -> Result<(), Error> {
    let parts = count(field.bytes() / PART)?;
    // The inverses count zeros: here nobody asks.
    let zeros = steps.take_bytes(PART)?;
    for piece in pieces(steps, field, points, KERNEL.group_size as usize) {
        let sums = from(steps, &(4 * piece.start..4 * piece.end))?;
        let mut zzz = sums.clone();
        zzz.start += 3 * parts;
        let inverses = steps.take(field, piece.len())?;
        let inverses = steps.output(field, &inverses);
        let buffers = [&zzz, &inverses, &inverses, &Window::on(&zeros)];
        inverse::level(steps, field, (piece.len(), 4 * parts), buffers)?;

        let coordinates = 2 * piece.start..2 * piece.end;
        let to = steps.window(to, field, &coordinates, Access::Write);
        let constants = [count(piece.len())?, sums.start, inverses.start, to.start];
        let buffers = [&sums, &inverses.to_read(), &to];
        steps.dispatch(&KERNEL, field, &buffers, &constants, piece.len())?;
    }
    Ok(())
}

/// So many points, as [`Steps::pieces`] would have them, where a sum of them has four
/// coordinates in `field`, and a workgroup takes `group` of them.
pub(super) fn pieces(
    steps: &Steps<'_>,
    field: ElementId,
    points: usize,
    group: usize,
) -> Vec<Range<usize>> {
    let pieces = steps.pieces(field, 4 * points, 4 * group).into_iter();
    let pieces = pieces.map(|it| it.start.div_ceil(4)..it.end.div_ceil(4));
    pieces.filter(|it| !it.is_empty()).collect()
}

/// Points that share one inversion on the CPU.
const SHARE: usize = GRAIN;

fn on_cpu<C: BlstCurve>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (sums, _) = run.elements::<C::Field>(&call.arguments[0])?.as_chunks();
    let out = run.filled::<C>(sums.len(), SHARE, |first, out| {
        let sums = sums[first..][..out.len()].iter();
        let sums = sums.map(|&[x, y, zz, zzz]| Xyzz { x, y, zz, zzz });
        out.copy_from_slice(&Xyzz::<C>::to_affine_all(&sums.collect::<Vec<_>>()));
    })?;
    run.only_result(call, out)
}
