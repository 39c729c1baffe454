//! Products of points by scalars, and sums of such products, on the host's threads: by blst's
//! functions, the sums by Pippenger's method, cut into digits of the scalars and stretches of
//! the points.

use std::ops::Range;

use field_kernels::curve::Xyzz;
use field_kernels::{ElementType as _, Fr, PrimeField as _, arithmetic};

use super::curve::{BlstCurve, Integer, SCALAR_BITS, bucket_limbs};
use super::{Run, Words};
use crate::Error;
use crate::vectors::Form;

/// Scalars as they lie in memory.
#[derive(Clone, Copy)]
pub(crate) enum HostScalars<'s> {
    Elements(&'s [[u64; 4]], Form),
    /// Integers of so many bits, each in whole bytes from the lowest up.
    Integers(&'s [u8], usize),
}

/// Sums of points of the subgroup, each times its scalar: one for each of `sums` rows of
/// scalars. A row has as many scalars as there are points, or each row has points of its own.
pub(crate) fn msm<C: BlstCurve>(
    run: &Run<'_>,
    points: &[C::Limbs],
    scalars: HostScalars<'_>,
    sums: usize,
) -> Result<Vec<Xyzz<C>>, Error> {
    let mut results = vec![Xyzz::<C>::default(); sums];
    let (integers, bits) = match scalars {
        HostScalars::Elements(elements, form) => (integers(run, elements, form)?, SCALAR_BITS),
        HostScalars::Integers(bytes, bits) => (unpacked(run, bytes, bits)?, bits.min(SCALAR_BITS)),
    };
    let terms = integers.get()?.len() / sums.max(1);
    if terms == 0 {
        return Ok(results);
    }
    let rows = integers.get()?.chunks_exact(terms);
    let rows = rows.zip(points.chunks_exact(terms).cycle());
    let rows: Vec<(&[Integer], &[C::Limbs])> = rows.collect();
    if terms == 1 {
        let pieces = results.iter_mut().zip(&rows).collect();
        run.for_each(pieces, |(sum, (scalars, points))| {
            *sum = C::multiple(&Xyzz::from_affine(&points[0]), &scalars[0]);
        })?;
        return Ok(results);
    }
    let grid = Grid::new((terms, bits), sums, run.threads());
    let at_once = (MOST_TILES / grid.tiles()).max(1);
    for (results, rows) in results.chunks_mut(at_once).zip(rows.chunks(at_once)) {
        let mut tiles = vec![Xyzz::<C>::default(); rows.len() * grid.tiles()];
        run.for_each(tiles.iter_mut().enumerate().collect(), |(number, tile)| {
            let (scalars, points) = rows[number / grid.tiles()];
            let number = number % grid.tiles();
            let (digit, stretch) = (number / grid.stretches, number % grid.stretches);
            let stretch = grid.stretch(stretch);
            let mut buckets = vec![0; bucket_limbs::<C>(grid.window)];
            *tile = C::window(
                &points[stretch.clone()],
                &scalars[stretch],
                digit * grid.window,
                grid.window,
                &mut buckets,
            );
        })?;
        let pieces = results.iter_mut().zip(tiles.chunks(grid.tiles()));
        run.for_each(pieces.collect(), |(sum, tiles)| *sum = grid.sum(tiles))?;
    }
    Ok(results)
}

/// X, Y, ZZ and ZZZ by turns of each point of the subgroup times its scalar, in plain form, or
/// of all times the only one.
pub(crate) fn products<C: BlstCurve>(
    run: &Run<'_>,
    points: &[C::Limbs],
    scalars: &[[u64; 4]],
) -> Result<Words, Error> {
    let integers = integers(run, scalars, Form::Plain)?;
    let scalars = integers.get()?;
    let scalar = |place: usize| match scalars {
        [only] => only,
        _ => &scalars[place],
    };
    run.filled::<C::Field>(4 * points.len(), 4 * PIECE, |first, out| {
        let places = out.as_chunks_mut().0.iter_mut();
        for (at, place) in (first / 4..).zip(places) {
            let Xyzz { x, y, zz, zzz } = C::multiple(&Xyzz::from_affine(&points[at]), scalar(at));
            *place = [x, y, zz, zzz];
        }
    })
}

/// Products that one thread computes at a time.
const PIECE: usize = 32;
/// Tiles whose sums are held at once, about.
const MOST_TILES: usize = 1 << 14;

/// Scalars as integers whose bytes begin with the lowest.
enum Integers<'s> {
    Given(&'s [Integer]),
    Made(Words),
}

impl Integers<'_> {
    fn get(&self) -> Result<&[Integer], Error> {
        match self {
            Self::Given(integers) => Ok(integers),
            Self::Made(words) => Ok(Fr::elements(words.as_slice())?),
        }
    }
}

fn integers<'s>(run: &Run<'_>, scalars: &'s [[u64; 4]], form: Form) -> Result<Integers<'s>, Error> {
    if form == Form::Plain && cfg!(target_endian = "little") {
        return Ok(Integers::Given(scalars));
    }
    let words = run.filled::<Fr>(scalars.len(), super::GRAIN, |first, to| {
        for (to, from) in to.iter_mut().zip(&scalars[first..]) {
            let integer = match form {
                Form::Montgomery => arithmetic::from_montgomery::<Fr>(from),
                Form::Plain => *from,
            };
            *to = integer.map(u64::to_le);
        }
    })?;
    Ok(Integers::Made(words))
}

/// Integers of so many bits in so few bytes, modulo the order of the subgroup.
fn unpacked<'s>(run: &Run<'_>, bytes: &[u8], bits: usize) -> Result<Integers<'s>, Error> {
    let each = bits.div_ceil(8);
    let words = run.filled::<Fr>(bytes.len() / each, super::GRAIN, |first, to| {
        let from = bytes[first * each..].chunks_exact(each);
        for (to, from) in to.iter_mut().zip(from) {
            *to = integer(from, bits).map(u64::to_le);
        }
    })?;
    Ok(Integers::Made(words))
}

/// The lowest `bits` bits of little-endian bytes, modulo the order of the subgroup.
fn integer(bytes: &[u8], bits: usize) -> [u64; 4] {
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    if let (Some(last), used @ 1..) = (padded[..bytes.len()].last_mut(), bits % 8) {
        *last &= (1 << used) - 1;
    }
    let limbs = padded.as_chunks::<8>().0.iter();
    let mut integer = [0; 4];
    for (limb, bytes) in integer.iter_mut().zip(limbs) {
        *limb = u64::from_le_bytes(*bytes);
    }
    // Below 2^256, so twice at most.
    while let Some(less) = minus_order(&integer) {
        integer = less;
    }
    integer
}

/// The integer less the order of the subgroup, where it is not below that.
fn minus_order(integer: &[u64; 4]) -> Option<[u64; 4]> {
    let (mut less, mut borrow) = ([0; 4], false);
    for limb in 0..4 {
        (less[limb], borrow) = integer[limb].borrowing_sub(Fr::MODULUS[limb], borrow);
    }
    (!borrow).then_some(less)
}

/// How a sum is cut into tiles: digits of the scalars, and stretches of the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    points: usize,
    /// Bits of the scalars.
    bits: usize,
    /// Bits of a digit.
    window: usize,
    stretches: usize,
}

impl Grid {
    /// The one that is fastest, about, on so many threads, of so many sums of two points or
    /// more.
    fn new((points, bits): (usize, usize), sums: usize, threads: usize) -> Self {
        let grids = (2..=MOST_BITS).flat_map(|window| {
            (1..=threads.min(points / 2)).map(move |stretches| Self {
                points,
                bits,
                window,
                stretches,
            })
        });
        let time = |grid: &Self| {
            let rounds = (grid.tiles() * sums).div_ceil(threads);
            // In field products: a point is added to a bucket, each bucket to two sums.
            rounds * (10 * points.div_ceil(grid.stretches) + (28 << (grid.window - 1)))
        };
        grids.min_by_key(time).unwrap_or(Self {
            points,
            bits,
            window: 2,
            stretches: 1,
        })
    }

    /// One more than there are whole digits: it takes what is left, or a carry.
    fn digits(&self) -> usize {
        self.bits / self.window + 1
    }

    fn tiles(&self) -> usize {
        self.digits() * self.stretches
    }

    /// The points of a stretch: two or more.
    fn stretch(&self, number: usize) -> Range<usize> {
        let (each, more) = (self.points / self.stretches, self.points % self.stretches);
        let start = |number: usize| number * each + number.min(more);
        start(number)..start(number + 1)
    }

    /// The sum of all tiles, those of the lowest digit first.
    fn sum<C: BlstCurve>(&self, tiles: &[Xyzz<C>]) -> Xyzz<C> {
        let digits = tiles.chunks(self.stretches).rev();
        digits.fold(Xyzz::default(), |sum, digit| {
            let raised = (0..self.window).fold(sum, |sum, _| sum.double());
            digit.iter().fold(raised, |sum, tile| sum.add(tile))
        })
    }
}

/// Bits of a digit at most: its buckets are 1.5 MiB of G1, 3 of G2.
const MOST_BITS: usize = 14;

#[cfg(test)]
mod tests;
