//! How each operation is recorded on two vectors of 599 elements, for tests of all of them.

use field_kernels::{Curve as _, ElementType as _, Field, Fp, Fp2, Fr, G1, arithmetic};

use super::{Order, Scan, Transform, msm};
use crate::Result;
use crate::vectors::{Domain, FieldVec, PointCheck, PointVec, Queue, Xyzz};

/// How an operation is recorded.
pub(crate) type Sample<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> Result<FieldVec<F>>;

/// Elements that are enough of what takes long: more than one dispatch of the tests.
const SOME: usize = 260;

/// Of each operation one or more, by its name.
pub(crate) fn samples<F: Field>() -> Vec<(&'static str, Sample<F>)> {
    let mut samples: Vec<(&'static str, Sample<F>)> = vec![
        ("evaluate", |q, x, y| q.evaluate(x, y.slice(5..12)?)),
        ("inverse", |q, x, _| q.inverse(x)),
        ("linear_combination", |q, x, y| {
            let vectors = [x, y, y, x, x, x, y, x, y, x];
            let elements = (0..10).map(|at| y.slice(at..at + 1)?.as_scalar());
            let scalars: Vec<_> = elements.collect::<Result<_>>()?;
            q.linear_combination(&vectors, &scalars)
        }),
        ("concat", |q, x, y| q.concat(&[x, y, x])),
        ("rotate", |q, x, _| q.rotate(x, 7)),
        ("interleave", |q, x, y| q.interleave(&[y, x, x])),
        ("strided", |q, x, _| q.strided(x, 2, 5)),
        ("gather", |q, x, _| {
            let indices: Vec<u32> = (0..700).map(|place| 13 * place % 599).collect();
            q.gather(x, &x.engine().upload_indices(&indices)?)
        }),
        ("bit_reverse", |q, x, _| q.bit_reverse(&x.slice(1..513)?)),
        ("powers", |q, x, _| q.powers(x.slice(2..3)?, 599)),
        ("sum", |q, x, _| q.sum(x)),
        ("product", |q, x, _| q.product(x)),
        ("inner_product", |q, x, y| q.inner_product(x, y)),
        ("running_sum", |q, x, _| q.running_sum(x, Scan::Inclusive)),
        ("running_product", |q, x, _| {
            q.running_product(x, Scan::Exclusive)
        }),
        ("divide_by_linear", |q, x, y| {
            q.running_horner(x, y.slice(7..8)?)
        }),
        ("divide_by_vanishing", |q, x, _| {
            Ok(q.divide_by_vanishing(x, 100)?.0)
        }),
    ];
    let of_fr: Box<dyn std::any::Any> = Box::new([of_fr(), msm::samples()].concat());
    if let Ok(of_fr) = of_fr.downcast::<Vec<(&'static str, Sample<F>)>>() {
        samples.extend(*of_fr);
    }
    samples
}

/// Of those of one field. Where results are of another type, limbs are compared, whatever they
/// are of.
fn of_fr() -> Vec<(&'static str, Sample<Fr>)> {
    vec![
        ("roots", |q, x, _| {
            let numbers = 0..SOME as u64;
            let squares = numbers.map(|it| {
                let mut element = [0; 12];
                (element[0], element[6]) = (it, it % 7);
                arithmetic::square::<Fp2>(&element)
            });
            let squares: Vec<_> = squares.collect();
            let signs: Vec<u32> = (0..3).cycle().take(SOME).collect();
            let squares = x.engine.upload::<Fp2>(Fp2::words(&squares))?;
            let roots = q.roots(&squares, &x.engine.upload_indices(&signs)?)?;
            Ok(roots.reinterpreted())
        }),
        ("mul_points", |q, x, _| {
            let x = &x.slice(..SOME)?;
            Ok(q.mul_points(&generators(x)?, x)?.reinterpreted())
        }),
        ("normalise", |q, x, _| {
            let sum = Xyzz::<G1>::from_affine(&G1::GENERATOR).double();
            let of = |place| if place % 3 == 1 { Xyzz::default() } else { sum };
            let words: Vec<u64> = (0..x.len())
                .flat_map(|place| of(place).to_words())
                .collect();
            let sums = x.engine.upload::<Fp>(&words)?;
            Ok(q.normalise::<G1>(&sums)?.reinterpreted())
        }),
        ("transform", |q, x, _| {
            q.ntt(&x.slice(1..513)?, &Domain::new(512)?.coset_of_generator())
        }),
        ("transform", |q, x, _| {
            let rows = Transform::inverse(&Domain::new(64)?).from(Order::BitReversed);
            q.transform(&x.slice(5..197)?, &rows)
        }),
        ("transform_points", |q, x, _| {
            let transform = Transform::inverse(&Domain::new(4)?);
            Ok(q.transform_points(&multiples(q, x)?, &transform)?
                .reinterpreted())
        }),
        ("lower_half_of_points", |q, x, _| {
            let orders = [Order::Natural, Order::BitReversed];
            let result = q.lower_half_of_points(&multiples(q, x)?, &Domain::new(4)?, orders)?;
            Ok(result.reinterpreted())
        }),
    ]
}

/// As many points as there are scalars.
pub(crate) fn generators(scalars: &FieldVec<Fr>) -> Result<PointVec<G1>> {
    let points = vec![G1::GENERATOR; scalars.len()];
    scalars
        .engine
        .upload_points(G1::words(&points), PointCheck::Trusted)
}

/// Two rows of four.
fn multiples(q: &Queue, x: &FieldVec<Fr>) -> Result<PointVec<G1>> {
    let x = x.slice(..9)?;
    q.mul_points(&generators(&x)?, &x)?.slice(1..)
}
