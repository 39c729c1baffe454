//! Transforms over points on the CPU, by butterflies.

use std::mem::take;

use field_kernels::arithmetic::{bit_reversed, from_montgomery, inverse, mul, to_montgomery};
use field_kernels::curve::Xyzz;

use super::super::prelude::*;
use super::power;
use crate::vectors::families::{Order, Transform};

/// One transform after the other, and what is done to each row after the first of them.
pub(super) fn on_cpu<C: BlstCurve>(
    run: &mut Run<'_>,
    call: &Call<'_>,
    transforms: &[Transform],
    after_first: impl Fn(&mut [Xyzz<C>]),
) -> Result<(), Error> {
    let points = C::elements(run.limbs(&call.arguments[0])?)?;
    let mut sums: Vec<_> = points.iter().map(Xyzz::<C>::from_affine).collect();
    for (number, transform) in transforms.iter().enumerate() {
        sums = transformed(run, &sums, transform)?;
        if number == 0 {
            let rows = sums.chunks_mut(transform.domain.size());
            rows.for_each(&after_first);
        }
    }
    let out = run.filled::<C>(sums.len(), GRAIN, |first, out| {
        out.copy_from_slice(&Xyzz::to_affine_all(&sums[first..][..out.len()]));
    })?;
    run.only_result(call, out)
}

fn transformed<C: BlstCurve>(
    run: &Run<'_>,
    points: &[Xyzz<C>],
    transform: &Transform,
) -> Result<Vec<Xyzz<C>>, Error> {
    let (log2, row) = (transform.domain.log2(), transform.domain.size());
    let place = |at: usize, is_reversed: bool| match is_reversed {
        true => at - at % row + bit_reversed(at % row, log2),
        false => at,
    };
    let from = |at| points[place(at, transform.from == Order::Natural)];
    let mut sums: Vec<_> = (0..points.len()).map(from).collect();
    let domain = match transform.inverse {
        true => transform.domain.inverted(),
        false => transform.domain,
    };
    let scale = |sums: &mut [Xyzz<C>], factor: [u64; 4], is_reversed: bool| {
        if factor == Fr::ONE && domain.shift() == Fr::ONE {
            return Ok(());
        }
        run.for_each(sums.iter_mut().enumerate().collect(), |(at, sum)| {
            let power = power(&domain.shift(), place(at, is_reversed) % row);
            *sum = times(sum, &mul::<Fr>(&factor, &power));
        })
    };
    if !transform.inverse {
        scale(&mut sums, Fr::ONE, true)?;
    }
    for level in 0..log2 {
        let (half, apart) = (1 << level, row >> (level + 1));
        let blocks = sums.chunks_mut(2 * half);
        let pairs = blocks.flat_map(|block| {
            let (a, b) = block.split_at_mut(half);
            a.iter_mut().zip(b).enumerate()
        });
        run.for_each(pairs.collect(), |(number, (a, b))| {
            let product = match number {
                0 => take(b),
                _ => times(b, &power(&domain.generator(), number * apart)),
            };
            (*a, *b) = (a.add(&product), a.add(&product.neg()));
        })?;
    }
    if transform.inverse {
        let size = to_montgomery::<Fr>(&[row as u64, 0, 0, 0]);
        scale(&mut sums, inverse::<Fr>(&size).unwrap_or_default(), false)?;
    }
    if transform.to == Order::BitReversed {
        sums = (0..sums.len()).map(|at| sums[place(at, true)]).collect();
    }
    Ok(sums)
}

fn times<C: BlstCurve>(point: &Xyzz<C>, factor: &[u64; 4]) -> Xyzz<C> {
    C::multiple(point, &from_montgomery::<Fr>(factor).map(u64::to_le))
}
