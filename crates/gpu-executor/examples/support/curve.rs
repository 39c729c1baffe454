//! Points of G1 by blst: random ones, and their sums.

use blst::{blst_p1, blst_p1_affine};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Points that are brought to affine coordinates by one inversion: few enough for the
/// caches of a core.
const BATCH: usize = 1024;

/// `count` different points: a random multiple of the generator, and on from there by
/// another one.
pub(crate) fn walk(count: usize, seed: u64) -> Vec<blst_p1_affine> {
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut point, step) = (multiple(&mut random), multiple(&mut random));
    let mut affine_step = blst_p1_affine::default();
    to_affine(&[step], std::slice::from_mut(&mut affine_step));
    let points = std::iter::repeat_with(|| {
        let here = point;
        point = plus(&here, &affine_step);
        here
    });
    let points: Vec<_> = points.take(count).collect();
    let mut affine = vec![blst_p1_affine::default(); count];
    to_affine(&points, &mut affine);
    affine
}

/// P + Q for each pair, on so many threads.
pub(crate) fn sums(
    p: &[blst_p1_affine],
    q: &[blst_p1_affine],
    threads: usize,
) -> Vec<blst_p1_affine> {
    let mut sums = vec![blst_p1_affine::default(); p.len()];
    let share = p.len().div_ceil(threads).max(1);
    let shares = p.chunks(share).zip(q.chunks(share));
    let mut shares = shares.zip(sums.chunks_mut(share));
    let mine = shares.next();
    std::thread::scope(|scope| {
        for ((p, q), sums) in shares {
            scope.spawn(|| sums_of_share(p, q, sums));
        }
        if let Some(((p, q), sums)) = mine {
            sums_of_share(p, q, sums);
        }
    });
    sums
}

/// In Jacobian coordinates, which need no inversion, and from there in batches.
fn sums_of_share(p: &[blst_p1_affine], q: &[blst_p1_affine], sums: &mut [blst_p1_affine]) {
    let pairs = p.chunks(BATCH).zip(q.chunks(BATCH));
    let mut batch = Vec::with_capacity(BATCH);
    for ((p, q), sums) in pairs.zip(sums.chunks_mut(BATCH)) {
        batch.clear();
        batch.extend(p.iter().zip(q).map(|(p, q)| plus(&from_affine(p), q)));
        to_affine(&batch, sums);
    }
}

/// A random multiple of the generator.
fn multiple(random: &mut SmallRng) -> blst_p1 {
    // Below the order, which has 255 bits.
    let scalar: [u8; 31] = std::array::from_fn(|_| random.next_u64().to_le_bytes()[0]);
    let mut point = blst_p1::default();
    // SAFETY: takes nothing, and returns a constant of the library.
    let generator = unsafe { blst::blst_p1_generator() };
    // SAFETY: reads the generator and 248 bits of `scalar`, which has as many, and writes
    // to a point that is exclusively borrowed.
    unsafe { blst::blst_p1_mult(&raw mut point, generator, scalar.as_ptr(), 248) };
    point
}

fn plus(p: &blst_p1, q: &blst_p1_affine) -> blst_p1 {
    let mut sum = blst_p1::default();
    // SAFETY: reads two borrowed points, and writes to one that is exclusively borrowed.
    unsafe { blst::blst_p1_add_or_double_affine(&raw mut sum, p, q) };
    sum
}

fn from_affine(p: &blst_p1_affine) -> blst_p1 {
    let mut point = blst_p1::default();
    // SAFETY: reads a borrowed point, and writes to one that is exclusively borrowed.
    unsafe { blst::blst_p1_from_affine(&raw mut point, p) };
    point
}

/// Writes `points`, none of them at infinity, to `affine`, which is as long.
fn to_affine(points: &[blst_p1], affine: &mut [blst_p1_affine]) {
    assert_eq!(points.len(), affine.len());
    if points.is_empty() {
        return;
    }
    // No further pointer: the points lie one after the other.
    let first = [points.as_ptr(), std::ptr::null()];
    // SAFETY: reads as many points as there are, one after the other from the first, and
    // writes as many to a slice of that length which is exclusively borrowed.
    unsafe { blst::blst_p1s_to_affine(affine.as_mut_ptr(), first.as_ptr(), points.len()) };
}
