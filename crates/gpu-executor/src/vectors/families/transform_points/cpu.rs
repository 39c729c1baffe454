//! Transforms over points on the CPU, by butterflies.

use std::mem::take;

use field_kernels::arithmetic::{from_montgomery, inverse, mul, to_montgomery};
use field_kernels::curve::Xyzz;
use field_kernels::{Field as _, Fr};

use super::{Parameters, power, reverse};
use crate::Error;
use crate::vectors::cpu::{BlstCurve, GRAIN, Run};
use crate::vectors::families::Call;

/// One transform after the other, and what is done to each row after the first of them.
pub(super) fn on_cpu<C: BlstCurve>(
    run: &mut Run<'_>,
    call: &Call<'_>,
    transforms: &[Parameters],
    after_first: impl Fn(&mut [Xyzz<C>]),
) -> Result<(), Error> {
    let points = C::elements(run.limbs(&call.arguments[0])?)?;
    let mut sums: Vec<_> = points.iter().map(Xyzz::<C>::from_affine).collect();
    for (number, parameters) in transforms.iter().enumerate() {
        sums = transformed(run, &sums, parameters)?;
        if number == 0 {
            let rows = sums.chunks_mut(parameters.domain.size());
            rows.for_each(&after_first);
        }
    }
    let mut out = run.take(call.bytes(0) / size_of::<u64>())?;
    let pieces = C::elements_mut(out.as_mut_slice())?.chunks_mut(GRAIN);
    run.for_each(sums.chunks(GRAIN).zip(pieces).collect(), |(sums, out)| {
        out.copy_from_slice(&Xyzz::to_affine_all(sums));
    })?;
    run.set_result(call, 0, out);
    Ok(())
}

fn transformed<C: BlstCurve>(
    run: &Run<'_>,
    points: &[Xyzz<C>],
    parameters: &Parameters,
) -> Result<Vec<Xyzz<C>>, Error> {
    let (log2, row) = (parameters.domain.log2(), parameters.domain.size());
    let place = |at: usize, is_reversed: bool| match is_reversed {
        true => at - at % row + reverse(at % row, log2),
        false => at,
    };
    let from = |at| points[place(at, !parameters.from_reversed)];
    let mut sums: Vec<_> = (0..points.len()).map(from).collect();
    let domain = match parameters.inverse {
        true => parameters.domain.inverted(),
        false => parameters.domain,
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
    if !parameters.inverse {
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
    if parameters.inverse {
        let size = to_montgomery::<Fr>(&[row as u64, 0, 0, 0]);
        scale(&mut sums, inverse::<Fr>(&size).unwrap_or_default(), false)?;
    }
    if parameters.to_reversed {
        sums = (0..sums.len()).map(|at| sums[place(at, true)]).collect();
    }
    Ok(sums)
}

fn times<C: BlstCurve>(point: &Xyzz<C>, factor: &[u64; 4]) -> Xyzz<C> {
    C::multiple(point, &from_montgomery::<Fr>(factor).map(u64::to_le))
}
