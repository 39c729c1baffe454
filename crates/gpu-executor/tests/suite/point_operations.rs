//! Sums and products of points against arkworks: all pairs of infinity, equal, opposite and other points,
//! of the subgroup and outside of it, on both engines.

use ark_bls12_381::Fr as ArkFr;
use ark_ec::short_weierstrass::Projective;
use ark_ff::Field as _;
use field_kernels::curve::Z_SQUARED;
use field_kernels::{Curve, Field as _};
use gpu_executor::Error;
use gpu_executor::vectors::{Arithmetic, Fr, G1, G2, PointCheck, PointVec, Scalar, VectorEngine};

use crate::curves::{CurveOracle, all_from_ark, all_to_ark, outside, points};
use crate::engines::{self, on_both_engines, refused, run};
use crate::oracle::{Oracle as _, random};

on_both_engines! {
    all_pairs_of_points<G1, G2>
    sums_of_many_points<G1, G2>
    results_are_arguments_of_the_next<G1, G2>
    products_by_scalars<G1, G2>
    lengths_must_be_equal
}

fn upload<C: Curve>(engine: &VectorEngine, points: &[C::Limbs]) -> PointVec<C> {
    let check = PointCheck::OnCurve;
    engine.upload_points(C::words(points), check).unwrap()
}

#[track_caller]
fn expect<C: CurveOracle>(found: &PointVec<C>, expected: Vec<Projective<C::Config>>, what: &str) {
    engines::expect(found, &all_from_ark::<C>(&expected), what);
}

/// Every pair of some points; more than one workgroup of them.
fn pairs<C: CurveOracle>() -> (Vec<C::Limbs>, Vec<C::Limbs>) {
    let mut some = points::<C>(14, 2);
    let outside: Vec<C::Limbs> = outside::<C>().take(2).collect();
    some.extend(&outside);
    some.extend(outside.iter().map(field_kernels::curve::opposite::<C>));
    let pairs = some.iter().flat_map(|p| some.iter().map(|q| (*p, *q)));
    pairs.unzip()
}

fn all_pairs_of_points<C: CurveOracle>(engine: &VectorEngine) {
    let (p, q) = pairs::<C>();
    let (x, y) = (upload::<C>(engine, &p), upload::<C>(engine, &q));
    let (p, q) = (all_to_ark::<C>(&p), all_to_ark::<C>(&q));
    for range in [0..p.len(), 0..0, 0..1, 3..4, 5..7, 7..p.len() - 1] {
        let (x, y) = (
            x.slice(range.clone()).unwrap(),
            y.slice(range.clone()).unwrap(),
        );
        let (p, q) = (&p[range.clone()], &q[range]);
        let queue = engine.queue();
        let sum = queue.add_points(&x, &y).unwrap();
        let difference = queue.sub_points(&x, &y).unwrap();
        let opposite = queue.neg_points(&x).unwrap();
        let double = queue.double_points(&x).unwrap();
        let equal = queue.equal_points(&x, &y).unwrap();
        let done = run(queue);
        assert_eq!(done.report().zeros, 0);
        let pairs = || p.iter().zip(q);
        expect(&sum, pairs().map(|(p, q)| *p + q).collect(), "add_points");
        expect(
            &difference,
            pairs().map(|(p, q)| *p - q).collect(),
            "sub_points",
        );
        expect(&opposite, p.iter().map(|p| -*p).collect(), "neg_points");
        expect(&double, p.iter().map(|p| *p + p).collect(), "double_points");
        let number = |(p, q): (&Projective<_>, _)| match p == q {
            true => C::Field::ONE,
            false => Default::default(),
        };
        let expected: Vec<_> = pairs().map(number).collect();
        engines::expect(&equal, &expected, "equal_points");
    }
}

fn sums_of_many_points<C: CurveOracle>(engine: &VectorEngine) {
    let (p, _) = pairs::<C>();
    let others = points::<C>(331, 9);
    let equal = vec![others[9]; 65];
    for points in [&p[..], &others, &equal] {
        let vector = upload::<C>(engine, points);
        let ark = all_to_ark::<C>(points);
        for (start, len) in [
            (0, 0),
            (0, 1),
            (1, 2),
            (1, 3),
            (0, 7),
            (2, 63),
            (0, points.len()),
        ] {
            let part = vector.slice(start..start + len).unwrap();
            let queue = engine.queue();
            let sum = queue.sum_points(&part).unwrap();
            run(queue);
            let expected = ark[start..start + len].iter().sum();
            expect(&sum, vec![expected], &format!("{len} points"));
        }
    }
}

/// In one submission and in the next, cut and moved.
fn results_are_arguments_of_the_next<C: CurveOracle>(engine: &VectorEngine) {
    let (p, q) = (points::<C>(150, 3), points::<C>(150, 4));
    let (x, y) = (upload::<C>(engine, &p), upload::<C>(engine, &q));
    let (p, q) = (all_to_ark::<C>(&p), all_to_ark::<C>(&q));
    let queue = engine.queue();
    let sum = queue.add_points(&x, &y).unwrap();
    let rotated = queue.rotate(&sum, 1).unwrap();
    let again = queue.add_points(&rotated.slice(..149).unwrap(), &sum.slice(..149).unwrap());
    let again = again.unwrap();
    run(queue);
    let sums: Vec<_> = p.iter().zip(&q).map(|(p, q)| *p + q).collect();
    let twice: Vec<_> = sums[1..].iter().zip(&sums).map(|(p, q)| *p + q).collect();
    expect(&again, twice.clone(), "sums of sums");
    let queue = engine.queue();
    let less = queue.sub_points(&again, &sum.slice(1..).unwrap()).unwrap();
    run(queue);
    expect(&less, sums[..149].to_vec(), "of an earlier submission");
    // The arguments are as they were.
    expect(&x, p, "x");
    expect(&sum, sums, "sum");
}

/// Each kind of point with each kind of scalar, and one scalar for all.
fn products_by_scalars<C: CurveOracle>(engine: &VectorEngine) {
    let some = points::<C>(9, 2);
    let last = -ArkFr::from(1);
    let mut factors = [0, 1, 2, 3, 1_u64 << 32].map(ArkFr::from).to_vec();
    factors.extend([last, last - ArkFr::from(1), ArkFr::from(2).pow([254])]);
    factors.extend(random::<Fr>(80, 3)[60..].iter().map(Fr::ark_of));
    // About where a scalar is halved, and of digits that are half of their window.
    let (m, two) = (ArkFr::from(Z_SQUARED), ArkFr::from(2));
    let halves = [m, last].map(|it| it / two);
    factors.extend(halves.map(|it| it - ArkFr::from(1)));
    factors.extend(halves.map(|it| it + ArkFr::from(1)));
    factors.extend([m, -m, halves[0], halves[1], m * m]);
    let digits = ArkFr::from(0x0888_8888_8888_8888_8888_8888_8888_8888_u128);
    factors.extend([digits, -digits, digits * m, digits - digits * m]);
    let pairs = some.iter().flat_map(|p| factors.iter().map(|k| (*p, *k)));
    let (p, k): (Vec<_>, Vec<_>) = pairs.unzip();
    let limbs: Vec<_> = k.iter().map(Fr::limbs_of).collect();
    let (x, y) = (
        upload::<C>(engine, &p),
        engine.upload::<Fr>(&limbs).unwrap(),
    );
    let expected = |p: &[_], k: &[ArkFr]| {
        let p = all_to_ark::<C>(p);
        p.iter()
            .zip(k.iter().cycle())
            .map(|(p, k)| *p * k)
            .collect()
    };
    let queue = engine.queue();
    let all = queue.mul_points(&x, &y).unwrap();
    let (short, of_short) = (x.slice(5..134).unwrap(), y.slice(5..134).unwrap());
    let plain = queue.from_montgomery(&of_short).unwrap();
    let some_of_them = queue.mul_points(&short, plain).unwrap();
    let nothing = queue.mul_points(&x.slice(3..3).unwrap(), 5).unwrap();
    let done = run(queue);
    assert_eq!(done.report().zeros, 0);
    expect(&all, expected(&p, &k), "each its own");
    expect(&some_of_them, expected(&p[5..134], &k[5..134]), "a part");
    expect(&nothing, Vec::new(), "of no point");
    let p = &p[2..70];
    let x = x.slice(2..70).unwrap();
    let element = Scalar::new(limbs[20]);
    let of_vector = y.slice(21..22).unwrap().as_scalar().unwrap();
    for (scalar, k) in [
        (
            Scalar::plain([0, 1 << 63, 0, 0]),
            ArkFr::from(1_u128 << 127),
        ),
        (Scalar::plain([3, 0, 1, 0]), two.pow([128]) + ArkFr::from(3)),
        (Scalar::from(0), ArkFr::from(0)),
        (Scalar::from(1), ArkFr::from(1)),
        (Scalar::from(77), ArkFr::from(77)),
        (element, k[20]),
        (of_vector, k[21]),
    ] {
        let queue = engine.queue();
        let products = queue.mul_points(&x, scalar).unwrap();
        run(queue);
        expect(&products, expected(p, &[k]), "one for all");
    }
    let queue = engine.queue();
    refused!(queue.mul_points(&x, &y) => Error::UnequalVectors { .. });
}

/// The kernel in each arithmetic that the device has, and in pieces.
#[test]
fn products_in_each_arithmetic_and_in_pieces() {
    for arithmetic in Arithmetic::ALL {
        let builder = engines::settled().arithmetic(arithmetic);
        let check = products_by_scalars::<G1>;
        engines::on_device_unless_by_doubles(builder.dispatch_elements(67), check);
    }
}

fn lengths_must_be_equal(engine: &VectorEngine) {
    let points = upload::<G1>(engine, &points::<G1>(5, 1));
    let queue = engine.queue();
    let short = points.slice(1..).unwrap();
    let equal = queue.equal_points(&points, &short).map(|_| points.clone());
    for (operation, result) in [
        ("equal_points", equal),
        ("add_points", queue.add_points(&points, &short)),
        ("sub_points", queue.sub_points(&points, &short)),
    ] {
        let (left, right) = (5, 4);
        let expected = Error::UnequalVectors {
            operation,
            left,
            right,
        };
        assert_eq!(result.unwrap_err(), expected);
    }
}
