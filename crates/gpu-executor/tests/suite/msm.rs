//! Multi-scalar multiplications against arkworks, on random and on degenerate points and
//! scalars.

use ark_bls12_381::Fr as ArkFr;
use ark_ec::VariableBaseMSM as _;
use ark_ec::short_weierstrass::Projective;
use ark_ff::{Field as _, PrimeField as _, Zero as _};
use field_kernels::curve::opposite;
use field_kernels::{Curve, Fr};
use gpu_executor::Error;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Arithmetic, Bases, FieldVec, G1, G2, Integer, MsmPoints, PointCheck, PointVec, Queue,
    TableMemory, VectorEngine, Xyzz,
};

use crate::curves::{CurveOracle, from_ark, points, to_ark};
use crate::engines::{self, error, on_both_engines, refused};
use crate::oracle::{self, Oracle as _};

on_both_engines! {
    lengths_around_every_boundary
    degenerate_points_and_scalars
    scalars_that_share_buckets
    integers_of_every_type
    several_sums
    sums_beside_other_operations
    lengths_that_do_not_fit
    sums_of_chunks
}

// Terms in several parts, whose sums meet in the buckets.
mod in_parts_on_the_device {
    use super::*;

    fn engine(check: fn(&VectorEngine)) {
        engines::on_device(engines::settled().dispatch_elements(64), check);
    }

    #[test]
    fn degenerate() {
        engine(degenerate_points_and_scalars);
    }

    #[test]
    fn several() {
        engine(several_sums);
    }

    #[test]
    fn of_integers() {
        engine(integers_of_every_type);
    }
}

/// As many threads as there are, sums are cut into other digits and stretches.
#[test]
fn sums_by_any_number_of_threads() {
    for threads in [1, 2, 5] {
        let engine = VectorEngine::cpu_with_threads(threads).unwrap();
        degenerate_points_and_scalars(&engine);
        scalars_that_share_buckets(&engine);
        several_sums(&engine);
    }
}

pub(crate) fn on_device(arithmetic: Arithmetic, check: fn(&VectorEngine)) {
    let builder = PersistentVulkanBackend::builder();
    engines::on_device(builder.arithmetic(arithmetic), check);
}

#[test]
fn degenerate_ones_in_limbs_of_30_bits() {
    on_device(Arithmetic::U64, degenerate_points_and_scalars);
}

#[test]
fn integers_in_words_of_32_bits() {
    on_device(Arithmetic::U32, integers_of_every_type);
}

#[test]
fn degenerate_ones_by_the_double_units() {
    let builder = PersistentVulkanBackend::builder().arithmetic(Arithmetic::F64);
    engines::on_device_unless_by_doubles(builder, degenerate_points_and_scalars);
}

pub(crate) fn upload<C: Curve>(
    engine: &VectorEngine,
    points: &[C::Limbs],
    scalars: &[ArkFr],
) -> (PointVec<C>, FieldVec<Fr>) {
    let scalars: Vec<_> = scalars.iter().map(Fr::limbs_of).collect();
    let points = engines::upload_points::<C>(engine, points);
    (points, engines::upload::<Fr>(engine, &scalars))
}

/// arkworks' sum.
pub(crate) fn by_ark<C: CurveOracle>(points: &[C::Limbs], scalars: &[ArkFr]) -> C::Limbs {
    let points: Vec<_> = points.iter().map(to_ark::<C>).collect();
    let sum = Projective::<C::Config>::msm(&points, scalars).unwrap();
    from_ark::<C>(sum)
}

pub(crate) fn affine<C: Curve>(sums: &[Xyzz<C>]) -> Vec<C::Limbs> {
    sums.iter().map(Xyzz::to_affine).collect()
}

/// One sum, of scalars in Montgomery form and of plain ones.
#[track_caller]
fn check<C: CurveOracle>(
    engine: &VectorEngine,
    points: &[C::Limbs],
    scalars: &[ArkFr],
    what: &str,
) {
    let (p, s) = upload::<C>(engine, points, scalars);
    let integers: Vec<u64> = scalars.iter().flat_map(|it| it.into_bigint().0).collect();
    let plain = engine.upload_plain::<Fr>(&integers).unwrap();
    let queue = engine.queue();
    let (one, other) = (queue.msm(&p, &s).unwrap(), queue.msm(&p, &plain).unwrap());
    let joined = queue.msm_rows_as_points(&p, &s).unwrap();
    let joined = queue.read(&joined).unwrap();
    let done = engines::run(queue);
    let expected = by_ark::<C>(points, scalars);
    let found = [done.msm(&one).unwrap(), done.msm(&other).unwrap()];
    assert!(affine(&found) == [expected; 2], "{what}, {}", C::NAME);
    assert!(
        done.elements(&joined).unwrap() == [expected],
        "{what}, {}, joined on the device",
        C::NAME
    );
}

/// Edge elements among them.
pub(crate) fn random_scalars(count: usize, seed: u64) -> Vec<ArkFr> {
    let limbs = oracle::random::<Fr>(count, seed);
    limbs.iter().map(Fr::ark_of).collect()
}

fn lengths_around_every_boundary(engine: &VectorEngine) {
    for count in [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256,
        257, 511, 512, 513, 1000,
    ] {
        let (points, scalars) = (points::<G1>(count, 3), random_scalars(count, count as u64));
        check::<G1>(engine, &points, &scalars, &format!("{count} points"));
    }
    for count in [1, 2, 3, 33, 64, 65] {
        let (points, scalars) = (points::<G2>(count, 3), random_scalars(count, count as u64));
        check::<G2>(engine, &points, &scalars, &format!("{count} points"));
    }
}

fn degenerate_points_and_scalars(engine: &VectorEngine) {
    degenerate::<G1>(engine, 150);
    degenerate::<G2>(engine, 40);
}

fn degenerate<C: CurveOracle>(engine: &VectorEngine, n: usize) {
    // Infinity, equal and opposite ones among them.
    let mixed = points::<C>(n, 5);
    let same = vec![mixed[6]; n];
    let random = random_scalars(n, 4);
    let powers: Vec<_> = (0..n as u64).map(|k| ArkFr::from(2).pow([k])).collect();
    let scalars = [
        ("random", random.clone()),
        ("one random", vec![random[n - 1]; n]),
        ("zeros", vec![ArkFr::zero(); n]),
        ("ones", vec![ArkFr::ONE; n]),
        ("r - 1", vec![-ArkFr::ONE; n]),
        ("powers of two", powers),
    ];
    for (what, scalars) in &scalars {
        check::<C>(engine, &mixed, scalars, &format!("{what}, mixed points"));
        check::<C>(engine, &same, scalars, &format!("{what}, one point"));
    }
    let infinity = vec![C::Limbs::default(); n];
    check::<C>(engine, &infinity, &random, "infinity");
    for n in [2, 3] {
        check::<C>(
            engine,
            &same[..n],
            &vec![random[9]; n],
            "a few that are equal",
        );
    }
}

/// Of buckets with hundreds of stretches, alone in their windows and beside others.
fn scalars_that_share_buckets(engine: &VectorEngine) {
    let n = 1500;
    let points = points::<G1>(n, 7);
    let random = random_scalars(n, 8);
    check::<G1>(engine, &points, &vec![random[9]; n], "one scalar");
    let bits: Vec<_> = (0..n as u64).map(|i| ArkFr::from(i % 5 / 2)).collect();
    check::<G1>(engine, &points, &bits, "0, 1 and 2");
    let half = |(i, scalar)| if i % 3 == 0 { scalar } else { random[9] };
    let half: Vec<_> = random.iter().copied().enumerate().map(half).collect();
    check::<G1>(engine, &points, &half, "one scalar and others");
}

/// Those that any bits are, the least and the largest among them.
fn random_integers<T: Copy>(count: usize, edges: [T; 3], cut: fn(u128) -> T) -> Vec<T> {
    let random = oracle::random::<Fr>(count, 11).into_iter();
    let random = random.map(|it| cut(u128::from(it[0]) | u128::from(it[1]) << 64));
    edges.into_iter().chain(random).take(count).collect()
}

fn low<const N: usize>(it: u128) -> [u8; N] {
    *it.to_le_bytes().first_chunk().unwrap()
}

fn integers_of_every_type(engine: &VectorEngine) {
    let (all, _) = upload::<G1>(engine, &points::<G1>(131, 6), &[]);
    // Multiples 26 bits apart or more: short scalars have no use for all of them.
    let bases = Bases::prepare(&all.slice(..40).unwrap(), 1, TableMemory::Multiples(5)).unwrap();
    by_integers(&all, &bases, [false, true, true], |it| it % 3 == 1);
    by_integers(&all, &bases, [0, 1, u8::MAX], |it| {
        u8::from_le_bytes(low(it))
    });
    by_integers(&all, &bases, [0, 1, u16::MAX], |it| {
        u16::from_le_bytes(low(it))
    });
    by_integers(&all, &bases, [0, 1, u32::MAX], |it| {
        u32::from_le_bytes(low(it))
    });
    by_integers(&all, &bases, [0, 1, u64::MAX], |it| {
        u64::from_le_bytes(low(it))
    });
    by_integers(&all, &bases, [0, 1, u128::MAX], |it| it);
    // 16 bits apart: none is for a carry out of 128 bits.
    let bases = Bases::prepare(&all.slice(..40).unwrap(), 1, TableMemory::Multiples(8)).unwrap();
    by_integers(&all, &bases, [0, 1, u128::MAX], |it| it);
}

fn by_integers<T: Integer + Into<ArkFr>>(
    all: &PointVec<G1>,
    bases: &Bases<G1>,
    edges: [T; 3],
    cut: fn(u128) -> T,
) {
    let engine = all.engine();
    let what = std::any::type_name::<T>();
    let integers = random_integers(131, edges, cut);
    let resident = engine.upload_integers(&integers).unwrap();
    assert_eq!((resident.len(), resident.is_empty()), (131, false));
    let scalars: Vec<ArkFr> = integers.iter().map(|it| (*it).into()).collect();
    let (pairs, _) = upload::<G2>(engine, &points::<G2>(9, 6), &[]);
    let queue = engine.queue();
    let ranges = [0..0, 0..1, 1..2, 2..3, 0..131, 3..130, 77..131];
    let sums = ranges.clone().map(|range| {
        let some = all.slice(range.clone()).unwrap();
        queue.msm(&some, &resident.slice(range).unwrap()).unwrap()
    });
    let of_pairs = queue.msm(&pairs, &resident.slice(1..10).unwrap());
    let prepared = queue.msm(bases, &resident.slice(1..41).unwrap());
    let row = all.slice(5..18).unwrap();
    let rows = queue.msm_rows(&row, &resident.slice(1..131).unwrap());
    let each = queue.msm_each(
        &all.slice(..130).unwrap(),
        &resident.slice(1..).unwrap(),
        65,
    );
    let done = engines::run(queue);
    let (points, of_g2) = (points::<G1>(131, 6), points::<G2>(9, 6));
    for (range, sum) in ranges.into_iter().zip(sums) {
        let expected = by_ark::<G1>(&points[range.clone()], &scalars[range.clone()]);
        let found = done.msm(&sum).unwrap().to_affine();
        assert!(found == expected, "{what}, {range:?}");
    }
    let found = done.msm(&of_pairs.unwrap()).unwrap().to_affine();
    assert!(found == by_ark::<G2>(&of_g2, &scalars[1..10]), "{what}, G2");
    let found = done.msm(&prepared.unwrap()).unwrap().to_affine();
    let expected = by_ark::<G1>(&points[..40], &scalars[1..41]);
    assert!(found == expected, "{what}, prepared");
    let expected = scalars[1..]
        .chunks(13)
        .map(|row| by_ark::<G1>(&points[5..18], row));
    let found = affine(&done.msm_rows(&rows.unwrap()).unwrap());
    assert!(found == expected.collect::<Vec<_>>(), "{what}, rows");
    let expected = points.chunks(65).zip(scalars[1..].chunks(65));
    let expected = expected.map(|(points, scalars)| by_ark::<G1>(points, scalars));
    let found = affine(&done.msm_rows(&each.unwrap()).unwrap());
    assert!(found == expected.collect::<Vec<_>>(), "{what}, each");
}

fn several_sums(engine: &VectorEngine) {
    fn over<C: CurveOracle>(engine: &VectorEngine, terms: usize, sums: usize) {
        let all = |p: PointVec<C>| (p.slice(..terms).unwrap(), p);
        several::<C, _>(engine, terms, sums, all);
    }
    for (terms, sums) in [(1, 17), (3, 4), (64, 3), (100, 2)] {
        over::<G1>(engine, terms, sums);
    }
    over::<G2>(engine, 20, 3);
    over::<G2>(engine, 64, 2);
}

/// Over the first of points, and over all of them, which `over` makes of all.
pub(crate) fn several<C: CurveOracle, P: MsmPoints<Curve = C>>(
    engine: &VectorEngine,
    terms: usize,
    sums: usize,
    over: impl Fn(PointVec<C>) -> (P, P),
) {
    let (points, scalars) = (
        points::<C>(terms * sums, 8),
        random_scalars(terms * sums, 2),
    );
    let (p, s) = upload::<C>(engine, &points, &scalars);
    let (first, all) = over(p);
    let queue = engine.queue();
    let over_the_same = queue.msm_rows(&first, &s).unwrap();
    let each = queue.msm_each(&all, &s, terms).unwrap();
    // What comes of them is used by the same submission.
    let as_points = queue.msm_each_as_points(&all, &s, terms).unwrap();
    let opposites = queue.neg_points(&as_points).unwrap();
    let opposites = queue.read(&opposites).unwrap();
    let done = engines::run(queue);
    let rows = scalars.chunks(terms);
    let expected: Vec<_> = rows.map(|row| by_ark::<C>(&points[..terms], row)).collect();
    assert!(
        affine(&done.msm_rows(&over_the_same).unwrap()) == expected,
        "{terms} x {sums}"
    );
    let rows = points.chunks(terms).zip(scalars.chunks(terms));
    let expected: Vec<_> = rows.map(|(points, row)| by_ark::<C>(points, row)).collect();
    assert!(
        affine(&done.msm_rows(&each).unwrap()) == expected,
        "{terms} x {sums}, each"
    );
    let expected: Vec<_> = expected.iter().map(opposite::<C>).collect();
    assert!(
        done.elements(&opposites).unwrap() == expected,
        "{terms} x {sums}, each, as points"
    );
    refused!(done.msm(&each) => Error::WrongLength { .. });
}

/// Of slices at odd offsets, and of scalars that the same submission computes.
fn sums_beside_other_operations(engine: &VectorEngine) {
    let (points, scalars) = (points::<G1>(75, 9), random_scalars(75, 6));
    let (p, s) = upload::<G1>(engine, &points, &scalars);
    let queue = engine.queue();
    let squares = queue.square(&s).unwrap();
    let msm = msm_of_slices(&queue, &p, &squares, 3..74);
    let done = engines::run(queue);
    let squares: Vec<_> = scalars[3..74].iter().map(|it| it.square()).collect();
    let expected = by_ark::<G1>(&points[3..74], &squares);
    assert!(done.msm(&msm).unwrap().to_affine() == expected);
}

fn msm_of_slices(
    queue: &Queue,
    points: &PointVec<G1>,
    scalars: &FieldVec<Fr>,
    range: std::ops::Range<usize>,
) -> gpu_executor::vectors::Msm<G1> {
    let points = points.slice(range.clone()).unwrap();
    queue.msm(&points, &scalars.slice(range).unwrap()).unwrap()
}

fn sums_of_chunks(engine: &VectorEngine) {
    let (points, scalars) = (points::<G1>(200, 3), random_scalars(200, 5));
    for chunk in [7, 64, 200] {
        let chunks = points.chunks(chunk).zip(scalars.chunks(chunk));
        let chunks = chunks.map(|(points, scalars)| Ok(upload::<G1>(engine, points, scalars)));
        let sum = engine.msm_of_chunks(chunks).unwrap();
        let expected = by_ark::<G1>(&points, &scalars);
        assert!(sum.to_affine() == expected, "{chunk}");
    }
    let none: [gpu_executor::Result<(PointVec<G1>, FieldVec<Fr>)>; 0] = [];
    assert!(engine.msm_of_chunks(none).unwrap().is_infinity());
    // Integers of a type with an odd number in each chunk.
    let integers: Vec<u16> = (0..200).map(|number| number * 329).collect();
    let chunks = points.chunks(67).zip(integers.chunks(67));
    let chunks = chunks.map(|(points, integers)| {
        let points = engine.upload_points::<G1>(points.as_flattened(), PointCheck::Subgroup)?;
        Ok((points, engine.upload_integers(integers)?))
    });
    let sum = engine.msm_of_chunks(chunks).unwrap();
    let integers: Vec<_> = integers.into_iter().map(ArkFr::from).collect();
    assert!(sum.to_affine() == by_ark::<G1>(&points, &integers));
    // An error of whoever makes chunks, and one of a sum, end it.
    let good = || Ok(upload::<G1>(engine, &points[..9], &scalars[..9]));
    let failed = Error::OtherProcess;
    let chunks = [good(), good(), good(), Err(failed.clone()), good()];
    assert_eq!(error(engine.msm_of_chunks(chunks)), failed);
    let unequal = Ok(upload::<G1>(engine, &points[..9], &scalars[..8]));
    refused!(engine.msm_of_chunks([good(), unequal]) => Error::UnequalVectors { .. });
    let few = engine.upload_integers(&[1_u8; 8]).unwrap();
    refused!(engine.msm_of_chunks([Ok((good().unwrap().0, few))]) => Error::UnequalVectors { .. });
}

fn lengths_that_do_not_fit(engine: &VectorEngine) {
    let (p, s) = upload::<G1>(engine, &points::<G1>(6, 1), &random_scalars(5, 1));
    let queue = engine.queue();
    refused!(queue.msm(&p, &s) => Error::UnequalVectors { left: 6, right: 5, .. });
    refused!(queue.msm_rows(&p, &s) => Error::WrongRows { row: 6, found: 5, .. });
    let five = p.slice(0..5).unwrap();
    let few = engine.upload_integers(&[7_u8; 5]).unwrap();
    refused!(queue.msm(&p, &few) => Error::UnequalVectors { .. });
    refused!(few.slice(3..6) => Error::OutOfRange { .. });
    for terms in [0, 2, 10] {
        refused!(queue.msm_each(&five, &s, terms) => Error::WrongRows { found: 5, .. });
    }
    let foreign = engines::cpu();
    let (other, _) = upload::<G1>(&foreign, &points::<G1>(5, 1), &[]);
    refused!(queue.msm(&other, &s) => Error::ForeignVector { .. });
}
