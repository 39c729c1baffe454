//! Transforms over points: of sums of points times roots of unity.
//!
//! On a device a butterfly would be a chain of some 130 doublings and 60 additions, one after
//! the other, at each of log2 n levels, and for rows of 128 points there are too few of them at
//! once to hide that. So it is a few stages ([`Stage`]), each of which does several levels as
//! sums of products by scalars that are known beforehand, all windows of all scalars at once:
//! more additions, of which few wait for one another.

mod cpu;
mod lower_half;
mod plan;

use std::ops::Range;

use field_kernels::arithmetic::{bit_reversed, from_montgomery, inverse, mul, pow, to_montgomery};

use super::map_points::{Integer, Stage, run, take_in};
use super::normalise::normalise;
use super::prelude::*;
use super::{Order, Transform};

static TRANSFORM: WholeOperation =
    WholeOperation::new("transform_points", on_device, |run, call| {
        let transform = Transform::of(call.parameters)?;
        with_curve!(call.arguments[0].of, C => cpu::on_cpu::<C>(run, call, &[transform], |_| ()))
    });

impl Queue {
    /// The transform of each row of points: of the first n, of the next n and so on, where n is
    /// the size of the domain. Point i of the result is the sum of the points of the row times
    /// the powers of point i of the domain, as [`Queue::transform`] has it of elements; inverse
    /// and orders likewise. Points are of the subgroup; they may be equal, opposite and
    /// infinity.
    ///
    /// ```
    /// use gpu_executor::vectors::{Curve, Domain, G1, PointCheck, Transform, VectorEngine};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # let engine = VectorEngine::cpu_with_threads(2)?;
    /// let points = engine.upload_points::<G1>(&[G1::GENERATOR; 8].concat(), PointCheck::Subgroup)?;
    /// let domain = Domain::new(4)?;
    /// let queue = engine.queue();
    /// let there = queue.transform_points(&points, &Transform::forward(&domain))?;
    /// let back = queue.transform_points(&there, &Transform::inverse(&domain))?;
    /// let same = queue.equal(&points, &back)?;
    /// assert!(queue.submit()?.wait()?.equal(&same)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongRows`] for a vector that is not of such rows, one at least, else as
    /// [`Self::add`]. On submission [`Error::Vulkan`] for a row whose sums a device cannot bind
    /// at once: of more than 2^15 points of G1, or 2^14 of G2, where it binds 128 MiB.
    pub fn transform_points<C: Curve>(
        &self,
        points: &PointVec<C>,
        transform: &Transform,
    ) -> Result<PointVec<C>> {
        let (operation, row) = (TRANSFORM.name, transform.size());
        expect_rows(operation, row, points.len())?;
        let node = self.whole_of(&TRANSFORM, C::Field::ID, points)?;
        let node = node.with(&transform.parameters());
        Ok(node.result(points.len(), Form::Montgomery))
    }
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let transform = Transform::of(call.parameters)?;
    let (field, points) = (call.field, &call.arguments[0]);
    let (log2, row) = (transform.domain.log2(), transform.domain.size());
    let rows = points.elements / row;
    let sums = steps.take(field, 4 * points.elements)?;
    let is_natural = transform.from == Order::Natural;
    take_in(steps, field, points, (row, is_natural), &sums)?;
    let mut before = 0;
    for levels in plan::stages(log2, rows) {
        let part = Part { before, levels };
        let end = before + levels;
        let stage = Stage::new(1 << end, 1 << end);
        let which = [before, levels].map(u64::from);
        let words = table(steps, call, &which, || stage.words(terms(&transform, part)))?;
        let rows = rows << (log2 - end);
        run(steps, field, (&stage, &words), rows, (&[&sums], &sums))?;
        before = end;
    }
    finish(steps, call, &sums)
}

/// The words of a stage, kept by what the node goes by and which of its stages it is.
fn table(
    steps: &mut Steps<'_>,
    call: &Call<'_>,
    which: &[u64],
    words: impl FnOnce() -> Result<Vec<u32>, Error>,
) -> Result<Window, Error> {
    let key = TableKey {
        name: call.operation.name,
        element: call.field,
        parameters: [call.parameters, which].concat(),
    };
    let table = steps.table(key, |steps| {
        let bytes: Vec<u8> = words()?.into_iter().flat_map(u32::to_ne_bytes).collect();
        let storage = steps.take_bytes(bytes.len())?;
        steps.write(&storage, &bytes);
        Ok(storage)
    })?;
    Ok(Window::on(&table).to_read())
}

/// Makes sums affine, as the result.
fn finish(steps: &mut Steps<'_>, call: &Call<'_>, sums: &Storage) -> Result<(), Error> {
    let points = &call.results[0];
    let output = steps.take(points.of, points.elements)?;
    let from = |steps: &Steps<'_>, its: &Range<usize>| {
        Ok(steps.window(sums, call.field, its, Access::Read))
    };
    normalise(steps, call.field, from, points.elements, &output)?;
    steps.only_result(call, output)
}

/// Some levels of a transform: blocks of 2^before points, each transformed, become blocks of
/// 2^(before + levels).
#[derive(Clone, Copy)]
struct Part {
    before: u32,
    levels: u32,
}

/// The terms of each output of a block.
///
/// With w the root of a block of n and s its shift, output k is the sum of the blocks
/// before it, each times (s w^k)^r: block r has inputs r, r + R, r + 2 R, ... of R blocks.
/// They lie in bit-reversed order.
fn terms(transform: &Transform, part: Part) -> impl Iterator<Item = Vec<(usize, Integer)>> {
    let Part { before, levels } = part;
    let Transform {
        domain,
        inverse: is_inverse,
        to,
        ..
    } = *transform;
    let end = before + levels;
    let block = 1_usize << end;
    let is_last = end == domain.log2();
    let points = match is_inverse {
        true => domain.inverted(),
        false => domain,
    };
    // The points of a shorter domain are powers of this one's.
    let apart = 1 << (domain.log2() - end);
    let root = power(&points.generator(), apart);
    let shift = match is_inverse {
        true => Fr::ONE,
        false => power(&points.shift(), apart),
    };
    let scale = (is_inverse && is_last).then(|| {
        let size = to_montgomery::<Fr>(&[block as u64, 0, 0, 0]);
        (inverse::<Fr>(&size).unwrap_or_default(), points.shift())
    });
    let is_reversed = is_last && to == Order::BitReversed;
    (0..block).map(move |place| {
        let k = if is_reversed {
            bit_reversed(place, end)
        } else {
            place
        };
        let base = mul::<Fr>(&shift, &power(&root, k));
        let mut factor = scale.map_or(Fr::ONE, |(scale, shift)| {
            mul::<Fr>(&scale, &power(&shift, k))
        });
        let term = |r: usize| {
            let input = (bit_reversed(r, levels) << before) + k % (1 << before);
            let term = (input, from_montgomery::<Fr>(&factor));
            factor = mul::<Fr>(&factor, &base);
            term
        };
        (0..1 << levels).map(term).collect()
    })
}
fn power(x: &[u64; 4], exponent: usize) -> [u64; 4] {
    pow::<Fr>(x, exponent as u64)
}
