//! What a submission leaves on the host: comparisons, zeros, readbacks; and constants. On the
//! device in pieces, so that all of it crosses their borders.

use field_kernels::{Field, Fp, Fp2, Fr, arithmetic};
use gpu_executor::Error;
use gpu_executor::vectors::{Scalar, VectorEngine};

use crate::engines::{
    self, each, expect, inverses, on_both_engines, random, refused, run, sum, upload,
};
use crate::oracle;

/// Elements of one dispatch on the device.
const PIECE: usize = 384;

on_both_engines! {
    [engines::settled().dispatch_elements(PIECE)]
    one_element_makes_the_difference<Fp, Fr, Fp2>
    many_comparisons_each_know_their_own
    zeros_are_counted_and_stay_zeros<Fr, Fp2>
    many_constants_in_one_queue
    readbacks_of_any_part_in_any_number
    a_submission_of_nothing
}

fn one_element_makes_the_difference<F: Field>(engine: &VectorEngine) {
    let len = 3 * PIECE + 5;
    let (x, vector) = random::<F>(engine, len, 1);
    let queue = engine.queue();
    let same = queue.equal(&vector, &upload::<F>(engine, &x)).unwrap();
    let places = [0, 1, PIECE - 1, PIECE, 2 * PIECE, len - 1];
    let mut differences = Vec::new();
    for place in places {
        for limb in [0, F::LIMBS - 1] {
            let mut changed = x.clone();
            changed[place].as_mut()[limb] ^= 1;
            if !arithmetic::is_canonical::<F>(&changed[place]) {
                continue;
            }
            let other = upload::<F>(engine, &changed);
            let whole = queue.equal(&vector, &other).unwrap();
            let cut = place.min(len - 1);
            let (low, high) = (0..cut, cut + 1..len);
            let [low, high] = [low, high].map(|range| {
                let [a, b] = [&vector, &other].map(|it| it.slice(range.clone()).unwrap());
                queue.equal(&a, &b).unwrap()
            });
            differences.push((whole, low, high, place));
        }
    }
    let done = run(queue);
    assert!(done.equal(&same).unwrap());
    assert!(differences.len() >= places.len());
    for (whole, low, high, place) in &differences {
        assert!(!done.equal(whole).unwrap(), "{} at {place}", F::NAME);
        // All but the element that differs.
        assert!(done.equal(low).unwrap() && done.equal(high).unwrap());
    }
}

fn many_comparisons_each_know_their_own(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 64, 2);
    let queue = engine.queue();
    let slices: Vec<_> = (0..64).map(|i| vector.slice(i..i + 1).unwrap()).collect();
    let pairs = (0..1024).map(|i| (i % 64, i / 16));
    let comparisons: Vec<_> = pairs
        .map(|(i, j)| (i, j, queue.equal(&slices[i], &slices[j]).unwrap()))
        .collect();
    // One more than a submission can report, on the device.
    let last = queue.equal(&vector, &vector).unwrap();
    match queue.submit() {
        Ok(pending) => {
            let done = pending.wait().unwrap();
            for (i, j, comparison) in &comparisons {
                assert_eq!(done.equal(comparison).unwrap(), x[*i] == x[*j], "{i} {j}");
            }
            assert!(done.equal(&last).unwrap());
        }
        Err(error) => assert_eq!(
            error.to_string(),
            "expected 1024 inverses and comparisons of one submission at most, found 1025"
        ),
    }
    let queue = engine.queue();
    let comparisons: Vec<_> = (0..64)
        .map(|i| queue.equal(&slices[i], &slices[(i * 7) % 64]).unwrap())
        .collect();
    let done = run(queue);
    for (i, comparison) in comparisons.iter().enumerate() {
        let expected = x[i] == x[(i * 7) % 64];
        assert_eq!(done.equal(comparison).unwrap(), expected, "{i}");
    }
}

fn zeros_are_counted_and_stay_zeros<F: Field>(engine: &VectorEngine) {
    let zero = F::Limbs::default();
    for len in [1, 31, 33, PIECE, 3 * PIECE + 7] {
        let (mut x, _) = random::<F>(engine, len, 3);
        x.iter_mut()
            .filter(|x| **x == zero)
            .for_each(|x| *x = F::ONE);
        let borders = [0, PIECE - 1, PIECE, 2 * PIECE - 1, len - 1];
        for zeros in [&[][..], &borders[..1], &borders] {
            let mut x = x.clone();
            zeros
                .iter()
                .filter(|at| **at < len)
                .for_each(|at| x[*at] = zero);
            check_zeros::<F>(engine, &x);
        }
        check_zeros::<F>(engine, &vec![zero; len]);
    }
}

fn check_zeros<F: Field>(engine: &VectorEngine, x: &[F::Limbs]) {
    let (vector, mut own) = (upload::<F>(engine, x), upload::<F>(engine, x));
    let queue = engine.queue();
    let inverse = queue.inverse(&vector).unwrap();
    queue.inverse_assign(&mut own).unwrap();
    let back = queue.inverse(&inverse).unwrap();
    let done = run(queue);
    let expected = inverses::<F>(x);
    let what = format!("{} elements", x.len());
    expect(&inverse, &expected, &what);
    expect(&own, &expected, &what);
    expect(&back, x, &what);
    let zeros = x.iter().filter(|x| **x == F::Limbs::default()).count();
    let counted = usize::try_from(done.report().zeros).unwrap();
    // By each of the three inverses.
    assert_eq!(counted, 3 * zeros, "{what}");
}

/// More than one write of the host can carry, in both fields, and some of them twice.
fn many_constants_in_one_queue(engine: &VectorEngine) {
    let scalars = oracle::random::<Fr>(300, 6);
    let (x, vector) = random::<Fr>(engine, 3, 7);
    let (y, other) = random::<Fp>(engine, 2, 8);
    let queue = engine.queue();
    let mut results = Vec::new();
    for scalar in scalars.iter().chain(&scalars[..10]) {
        results.push((scalar, queue.add(&vector, Scalar::new(*scalar)).unwrap()));
    }
    let five = [5, 0, 0, 0, 0, 0];
    let scaled = queue.mul(&other, Scalar::new(five)).unwrap();
    let last = Scalar::<Fr>::new(scalars[299]);
    let filled = queue.fill(last, PIECE + 1).unwrap();
    run(queue);
    for (scalar, result) in results {
        let expected = each(&x, |x| arithmetic::add::<Fr>(x, scalar));
        expect(&result, &expected, "x and a constant");
    }
    let expected = each(&y, |y| arithmetic::mul::<Fp>(y, &five));
    expect(&scaled, &expected, "y by a constant");
    expect(&filled, &[scalars[299]; PIECE + 1], "a constant everywhere");
}

fn readbacks_of_any_part_in_any_number(engine: &VectorEngine) {
    let (x, vector) = random::<Fp>(engine, 1000, 9);
    let (y, other) = random::<Fr>(engine, 77, 10);
    let queue = engine.queue();
    let doubled = queue.double(&other).unwrap();
    let total = queue.sum(&vector).unwrap();
    let parts: Vec<_> = (0..100).map(|i| i * 7..i * 9 + 1).collect();
    let read = |part: &std::ops::Range<usize>| queue.read(&vector.slice(part.clone())?);
    let reads: Vec<_> = parts.iter().map(|part| read(part).unwrap()).collect();
    let last = queue.read(&doubled.slice(70..77).unwrap()).unwrap();
    let total = queue.read(&total).unwrap();
    // What is read need not be held.
    drop((doubled, vector));
    let done = run(queue);
    for (part, read) in parts.iter().zip(&reads) {
        assert_eq!(done.elements(read).unwrap(), x[part.clone()]);
    }
    let twice = each(&y[70..], arithmetic::double::<Fr>);
    assert_eq!(done.elements(&last).unwrap(), twice);
    assert_eq!(done.element(&total).unwrap(), sum::<Fp>(&x));
    refused!(done.element(&last) => Error::WrongLength { found: 7, .. });
}

fn a_submission_of_nothing(engine: &VectorEngine) {
    let done = run(engine.queue());
    let report = done.report();
    assert_eq!((report.operations, report.kernels, report.zeros), (0, 0, 0));
    assert_eq!(report.engine, engine.engine());
}
