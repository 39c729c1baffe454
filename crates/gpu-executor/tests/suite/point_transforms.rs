//! Transforms over points against ark-poly's and blst, on both engines.

use ark_bls12_381::Fr as ArkFr;
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use gpu_executor::Error;
use gpu_executor::vectors::{Arithmetic, Domain, Fr, G1, G2, Order, Transform, VectorEngine};

use crate::curves::{CurveOracle, all_from_ark, all_to_ark, points};
use crate::engines::{
    expect, on_both_engines, on_device_unless_by_doubles, refused, run, settled,
    upload_points as upload,
};
use crate::oracle::{Oracle as _, in_order};

on_both_engines! {
    rows_of_all_orders
    several_stages
    degenerate_points
    rows_must_be_whole
    lower_halves
}

/// What ark-poly makes of each row.
fn expected<C: CurveOracle>(
    points: &[C::Limbs],
    log2: u32,
    shift: ArkFr,
    (inverse, from, to): (bool, Order, Order),
) -> Vec<C::Limbs> {
    let domain = Radix2EvaluationDomain::<ArkFr>::new(1 << log2).unwrap();
    let domain = domain.get_coset(shift).unwrap();
    let size = domain.size();
    let points = in_order(&all_to_ark::<C>(points), size, from);
    let rows = points.chunks(size).flat_map(|row| match inverse {
        false => domain.fft(row),
        true => domain.ifft(row),
    });
    all_from_ark::<C>(&in_order(&rows.collect::<Vec<_>>(), size, to))
}

/// Transforms rows of points in one direction and order, in one submission with another.
#[track_caller]
fn check<C: CurveOracle>(
    engine: &VectorEngine,
    points: &[C::Limbs],
    log2: u32,
    coset: bool,
    how: (bool, Order, Order),
) {
    let domain = Domain::new(1 << log2).unwrap();
    let domain = if coset {
        domain.coset_of_generator()
    } else {
        domain
    };
    let (inverse, from, to) = how;
    let transform = match inverse {
        false => Transform::forward(&domain),
        true => Transform::inverse(&domain),
    };
    let transform = transform.from(from).to(to);
    // A part of a vector, at an odd place.
    let vector = upload::<C>(engine, &[&points[..1], points].concat());
    let vector = vector.slice(1..).unwrap();
    let queue = engine.queue();
    let result = queue.transform_points(&vector, &transform).unwrap();
    run(queue);
    let expected = expected::<C>(points, log2, Fr::ark_of(&domain.shift()), how);
    expect::<C>(&result, &expected, &format!("2^{log2}, {transform:?}"));
}

const NATURAL: Order = Order::Natural;
const REVERSED: Order = Order::BitReversed;

fn rows_of_all_orders(engine: &VectorEngine) {
    for (log2, rows) in [(0, 3), (1, 5), (2, 1), (3, 3), (5, 2)] {
        let points = points::<G1>(rows << log2, u64::from(log2) + 3);
        for (inverse, from, to, coset) in [
            (false, NATURAL, NATURAL, false),
            (true, NATURAL, NATURAL, false),
            (false, REVERSED, NATURAL, true),
            (true, NATURAL, REVERSED, true),
            (false, REVERSED, REVERSED, false),
        ] {
            check::<G1>(engine, &points, log2, coset, (inverse, from, to));
        }
    }
    let points = points::<G2>(16, 5);
    check::<G2>(engine, &points, 2, false, (false, NATURAL, NATURAL));
    check::<G2>(engine, &points, 3, true, (true, NATURAL, NATURAL));
}

/// Of more levels than one stage does.
fn several_stages(engine: &VectorEngine) {
    let points = points::<G1>(1 << 7, 8);
    check::<G1>(engine, &points, 7, true, (false, REVERSED, NATURAL));
    check::<G1>(engine, &points, 7, true, (true, NATURAL, REVERSED));
}

fn degenerate_points(engine: &VectorEngine) {
    let some = points::<G1>(7, 2);
    let infinity = [0; 12];
    for row in [[infinity; 8], [some[1]; 8], [some[6]; 8]] {
        check::<G1>(engine, &row, 3, false, (false, NATURAL, NATURAL));
        check::<G1>(engine, &row, 3, false, (true, NATURAL, NATURAL));
    }
    // Points and their opposites: what is added is equal, or opposite, half of the time.
    let opposite = field_kernels::curve::opposite::<G1>(&some[6]);
    let by_turns = [some[6], opposite, some[6], opposite];
    check::<G1>(engine, &by_turns, 2, false, (false, NATURAL, NATURAL));
    check::<G1>(engine, &by_turns, 1, false, (false, NATURAL, NATURAL));
}

fn lower_halves(engine: &VectorEngine) {
    for (log2, rows) in [(1, 3), (2, 2), (3, 1), (5, 2)] {
        let points = points::<G1>(rows << log2, 9);
        for orders in [[NATURAL, NATURAL], [NATURAL, REVERSED], [REVERSED, NATURAL]] {
            check_lower_half::<G1>(engine, &points, log2, orders);
        }
    }
    let infinity = [0; 12];
    check_lower_half::<G1>(engine, &[infinity; 8], 3, [NATURAL, NATURAL]);
    let generator = points::<G1>(2, 1)[1];
    check_lower_half::<G1>(engine, &[generator; 8], 3, [REVERSED, REVERSED]);
    check_lower_half::<G2>(engine, &points::<G2>(8, 2), 2, [NATURAL, NATURAL]);
}

/// An inverse transform, a forward one of half of what comes of it, and a doubling.
#[track_caller]
fn check_lower_half<C: CurveOracle>(
    engine: &VectorEngine,
    points: &[C::Limbs],
    log2: u32,
    [from, to]: [Order; 2],
) {
    let domain = Domain::new(1 << log2).unwrap();
    let vector = upload::<C>(engine, &[&points[..1], points].concat());
    let vector = vector.slice(1..).unwrap();
    let queue = engine.queue();
    let result = queue.lower_half_of_points(&vector, &domain, [from, to]);
    let result = result.unwrap();
    run(queue);
    let shift = Fr::ark_of(&domain.shift());
    let mut coefficients = expected::<C>(points, log2, shift, (true, from, NATURAL));
    for row in coefficients.chunks_mut(1 << log2) {
        row[1 << (log2 - 1)..].fill(C::Limbs::default());
    }
    let values = expected::<C>(&coefficients, log2, shift, (false, NATURAL, to));
    let twice = all_to_ark::<C>(&values).into_iter().map(|it| it + it);
    let twice = all_from_ark::<C>(&twice.collect::<Vec<_>>());
    expect::<C>(&result, &twice, &format!("2^{log2}, {from:?}, {to:?}"));
}

fn rows_must_be_whole(engine: &VectorEngine) {
    let points = upload::<G1>(engine, &points::<G1>(12, 1));
    let queue = engine.queue();
    for (points, row) in [(points.clone(), 8), (points.slice(3..3).unwrap(), 4)] {
        let domain = Domain::new(row).unwrap();
        let error = |operation| Error::WrongRows {
            operation,
            row,
            found: points.len(),
        };
        let found = queue.transform_points(&points, &Transform::forward(&domain));
        assert_eq!(found.unwrap_err(), error("transform_points"));
        let found = queue.lower_half_of_points(&points, &domain, [NATURAL; 2]);
        assert_eq!(found.unwrap_err(), error("lower_half_of_points"));
    }
    for row in [1, 1 << 11] {
        let domain = Domain::new(row).unwrap();
        let found = queue.lower_half_of_points(&points, &domain, [NATURAL; 2]);
        refused!(found => Error::WrongLength { .. });
    }
}

/// The kernels in each arithmetic that the device has, in pieces.
#[test]
fn in_each_arithmetic_and_in_pieces() {
    for arithmetic in Arithmetic::ALL {
        let builder = settled().arithmetic(arithmetic).dispatch_elements(67);
        on_device_unless_by_doubles(builder, |engine| {
            let how = (false, NATURAL, NATURAL);
            check::<G1>(engine, &points::<G1>(48, 3), 4, true, how);
            check::<G2>(engine, &points::<G2>(8, 4), 2, false, how);
            let orders = [NATURAL, REVERSED];
            check_lower_half::<G1>(engine, &points::<G1>(32, 3), 4, orders);
        });
    }
}
