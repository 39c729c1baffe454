//! Polynomials, powers, scans and linear combinations: against ark-poly, at lengths of several levels, at points
//! that are special, and what is refused.

use ark_poly::univariate::{DenseOrSparsePolynomial, DensePolynomial};
use ark_poly::{DenseUVPolynomial as _, Polynomial as _};
use field_kernels::{FR_MODULUS, Field, Fp2, Fr, arithmetic};
use gpu_executor::Error;
use gpu_executor::vectors::{
    Domain, FieldVec, Form, Operand, Order, Scalar, Scan, Transform, VectorEngine,
};

use crate::engines::{
    self, error, expect, on_both_engines, random, refused, run, sums, wrong_form,
};
use crate::oracle::{Oracle, scanned};

type Ark = ark_bls12_381::Fr;

on_both_engines! {
    [engines::settled().dispatch_elements(384)]
    lengths_of_several_levels
    quotients_and_values_of_polynomials
    the_points_zero_one_and_the_last
    many_points_at_once
    quotients_by_vanishing_polynomials
    slices_and_results_in_place
    elements_of_vectors_as_points
    plain_forms_are_refused
    degrees_and_points_must_fit
    combinations_of_any_number_of_vectors
    combinations_of_the_largest_elements
    what_combinations_refuse
    products_of_polynomials
    quotients_on_cosets
    what_quotients_on_cosets_refuse
}

mod in_one_dispatch {
    use super::*;

    on_both_engines! {
        lengths_of_several_levels
        many_points_at_once
        quotients_by_vanishing_polynomials
    }
}

fn polynomial(x: &[[u64; 4]]) -> DensePolynomial<Ark> {
    DensePolynomial::from_coefficients_vec(x.iter().map(Fr::ark_of).collect())
}

/// Coefficients, with zeros up to so many.
fn coefficients(polynomial: &DensePolynomial<Ark>, count: usize) -> Vec<[u64; 4]> {
    assert!(polynomial.coeffs.len() <= count);
    let mut limbs: Vec<_> = polynomial.coeffs.iter().map(Fr::limbs_of).collect();
    limbs.resize(count, [0; 4]);
    limbs
}

/// X - z.
fn linear(z: &[u64; 4]) -> DensePolynomial<Ark> {
    DensePolynomial::from_coefficients_vec(vec![-Fr::ark_of(z), Ark::from(1_u64)])
}

/// Values, quotients and powers at a point.
fn check_at(engine: &VectorEngine, (x, vector): &(Vec<[u64; 4]>, FieldVec<Fr>), z: [u64; 4]) {
    let len = x.len();
    let queue = engine.queue();
    let value = queue.evaluate(vector, Scalar::new(z)).unwrap();
    let powers = queue.powers::<Fr>(Scalar::new(z), len).unwrap();
    let (quotient, remainder) = queue.divide_by_linear(vector, Scalar::new(z)).unwrap();
    run(queue);
    let what = format!("{len} coefficients at {z:x?}");
    let polynomial = polynomial(x);
    let expected = Fr::limbs_of(&polynomial.evaluate(&Fr::ark_of(&z)));
    expect(&value, &[expected], &what);
    expect(&remainder, &[expected], &what);
    let divided = &polynomial / &linear(&z);
    expect(&quotient, &coefficients(&divided, len - 1), &what);
    let mut all = vec![Fr::ONE];
    all.extend(scanned(&vec![z; len - 1], Fr::ONE, arithmetic::mul::<Fr>));
    expect(&powers, &all, &what);
}

fn lengths_of_several_levels(engine: &VectorEngine) {
    for (seed, len) in (0..).zip([255, 256, 257, 2048, 2049, 70_001]) {
        let (x, vector) = random::<Fr>(engine, len, seed);
        let queue = engine.queue();
        let sums = queue.running_sum(&vector, Scan::Inclusive).unwrap();
        let before = queue.running_sum(&vector, Scan::Exclusive).unwrap();
        let no_zero = queue.select(&vector, &vector, 3).unwrap();
        let products = queue.running_product(&no_zero, Scan::Inclusive).unwrap();
        run(queue);
        let (zero, what) = ([0; 4], format!("{len} elements"));
        let expected = scanned(&x, zero, arithmetic::add::<Fr>);
        expect(&sums, &expected, &what);
        let shifted = [&[zero], &expected[..len - 1]].concat();
        expect(&before, &shifted, &what);
        let three = arithmetic::to_montgomery::<Fr>(&[3, 0, 0, 0]);
        let no_zero = engines::each(&x, |x| if *x == zero { three } else { *x });
        let expected = scanned(&no_zero, Fr::ONE, arithmetic::mul::<Fr>);
        expect(&products, &expected, &what);
        let z = x[len / 2];
        check_at(engine, &(x, vector), z);
    }
}

fn quotients_and_values_of_polynomials(engine: &VectorEngine) {
    let z = random::<Fr>(engine, 40, 61).0[39];
    // Short ones: a constant, and those around a run.
    for len in [1, 2, 3, 4, 5, 129] {
        let (x, vector) = random::<Fr>(engine, len, 60);
        let queue = engine.queue();
        let value = queue.evaluate(&vector, Scalar::new(z)).unwrap();
        // Less its remainder it is a multiple.
        let (constant, rest) = vector.split_at(1).unwrap();
        let constant = queue.sub(&constant, &value).unwrap();
        let multiple = queue.concat(&[constant, rest]).unwrap();
        let (same, nothing) = queue.divide_by_linear(&multiple, Scalar::new(z)).unwrap();
        run(queue);
        let what = format!("{len} coefficients");
        let divided = &polynomial(&x) / &linear(&z);
        expect(&same, &coefficients(&divided, len - 1), &what);
        expect(&nothing, &[[0; 4]], &what);
        check_at(engine, &(x, vector), z);
    }
}

fn the_points_zero_one_and_the_last(engine: &VectorEngine) {
    let some = random::<Fr>(engine, 600, 7);
    let last = arithmetic::neg::<Fr>(&Fr::ONE);
    // Sums of products that are as large as they can be.
    let largest = vec![arithmetic::sub::<Fr>(&[0; 4], &[1, 0, 0, 0]); 2048];
    let of_largest = engine.upload::<Fr>(&largest).unwrap();
    for z in [[0; 4], Fr::ONE, last, largest[0]] {
        check_at(engine, &some, z);
        check_at(engine, &(largest.clone(), of_largest.clone()), z);
    }
    // By an integer, which is in Montgomery form then.
    let queue = engine.queue();
    let value = queue.evaluate(&some.1, 2).unwrap();
    let powers = queue.powers::<Fr>(2, 3).unwrap();
    let plain = queue.from_montgomery(&powers).unwrap();
    run(queue);
    let expected = polynomial(&some.0).evaluate(&Ark::from(2_u64));
    expect(&value, &[Fr::limbs_of(&expected)], "at 2");
    expect(&plain, &[[1, 0, 0, 0], [2, 0, 0, 0], [4, 0, 0, 0]], "of 2");
}

fn many_points_at_once(engine: &VectorEngine) {
    for (coefficients, count) in [(1, 1000), (3, 0), (129, 300), (900, 5)] {
        let (x, vector) = random::<Fr>(engine, coefficients, 8);
        let (z, points) = random::<Fr>(engine, count + 1, 9);
        let queue = engine.queue();
        let values = queue.evaluate(&vector, points.slice(1..).unwrap()).unwrap();
        let of_none = queue
            .evaluate(&vector.slice(..0).unwrap(), &points)
            .unwrap();
        run(queue);
        let polynomial = polynomial(&x);
        let at = |z: &[u64; 4]| Fr::limbs_of(&polynomial.evaluate(&Fr::ark_of(z)));
        let expected: Vec<_> = z[1..].iter().map(at).collect();
        expect(&values, &expected, &format!("{coefficients} at {count}"));
        expect(&of_none, &vec![[0; 4]; count + 1], "the zero polynomial");
    }
}

fn quotients_by_vanishing_polynomials(engine: &VectorEngine) {
    for (len, n) in [
        (1000, 256),
        (1000, 1),
        (1024, 512),
        (513, 512),
        (512, 512),
        (5, 512),
        (7, 3),
        (0, 1),
        // Rows in parts, with a short one at the end; as many as there may be, and one more.
        (1900, 500),
        (256 * 7, 7),
        (256 * 7 + 1, 7),
        (20_001, 3),
    ] {
        let (x, vector) = random::<Fr>(engine, len, 10);
        let queue = engine.queue();
        let (quotient, remainder) = queue.divide_by_vanishing(&vector, n).unwrap();
        run(queue);
        let mut divisor = vec![Ark::from(0_u64); n + 1];
        divisor[0] = Ark::from(-1_i64);
        divisor[n] = Ark::from(1_u64);
        let divisor = DensePolynomial::from_coefficients_vec(divisor);
        let [x, divisor] = [polynomial(&x), divisor].map(DenseOrSparsePolynomial::from);
        let (divided, rest) = x.divide_with_q_and_r(&divisor).unwrap();
        let what = format!("{len} coefficients by X^{n} - 1");
        let left = len.saturating_sub(n);
        expect(&quotient, &coefficients(&divided, left), &what);
        expect(&remainder, &coefficients(&rest, len - left), &what);
    }
}

/// In Fp2, from odd beginnings, and where nobody holds the argument any more.
fn slices_and_results_in_place(engine: &VectorEngine) {
    let (x, vector) = random::<Fp2>(engine, 1000, 11);
    let part = vector.slice(7..900).unwrap();
    let x = &x[7..900];
    let queue = engine.queue();
    let sums_of_sums = {
        let sums = queue.running_sum(&part, Scan::Inclusive).unwrap();
        queue.running_sum(&sums, Scan::Exclusive).unwrap()
    };
    let twice = {
        let doubled = queue.double(&part).unwrap();
        let (quotient, _) = queue.divide_by_linear(&doubled, Scalar::new(x[3])).unwrap();
        quotient
    };
    let powers = queue.powers(part.slice(3..4).unwrap(), 700).unwrap();
    run(queue);
    let zero = <Fp2 as field_kernels::ElementType>::Limbs::default();
    let sums_once = scanned(x, zero, arithmetic::add::<Fp2>);
    let expected = scanned(&sums_once, zero, arithmetic::add::<Fp2>);
    let expected = [&[zero], &expected[..x.len() - 1]].concat();
    expect(&sums_of_sums, &expected, "sums of sums");
    let doubled: Vec<_> = sums::<Fp2>(x, x).into_iter().rev().collect();
    let point = x[3];
    let values = scanned(&doubled, zero, |value, x| {
        arithmetic::add::<Fp2>(&arithmetic::mul::<Fp2>(value, &point), x)
    });
    let quotient: Vec<_> = values[..x.len() - 1].iter().rev().copied().collect();
    expect(&twice, &quotient, "a quotient in place");
    let all = scanned(&vec![point; 699], Fp2::ONE, arithmetic::mul::<Fp2>);
    expect(&powers.slice(1..).unwrap(), &all, "powers");
    expect(&part, x, "the argument");
}

/// Points that the device has just computed, of the vector itself too.
fn elements_of_vectors_as_points(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 500, 12);
    let queue = engine.queue();
    let point = queue.sum(&vector).unwrap();
    let value = queue.evaluate(&vector, point.as_scalar().unwrap()).unwrap();
    let (_, remainder) = queue.divide_by_linear(&vector, &point).unwrap();
    let powers = queue.powers(&point, 300).unwrap();
    let (quotient, at_own) = {
        let own = queue.copy(&vector).unwrap();
        let last = own.slice(499..).unwrap().as_scalar().unwrap();
        queue.divide_by_linear(&own, last).unwrap()
    };
    run(queue);
    let polynomial = polynomial(&x);
    let sum: Ark = x.iter().map(Fr::ark_of).sum();
    let expected = Fr::limbs_of(&polynomial.evaluate(&sum));
    expect(&value, &[expected], "at the sum");
    expect(&remainder, &[expected], "at the sum");
    let z = Fr::limbs_of(&sum);
    let all = scanned(&[z; 299], Fr::ONE, arithmetic::mul::<Fr>);
    expect(&powers.slice(1..).unwrap(), &all, "powers of the sum");
    let expected = polynomial.evaluate(&Fr::ark_of(&x[499]));
    expect(&at_own, &[Fr::limbs_of(&expected)], "at its last");
    let divided = &polynomial / &linear(&x[499]);
    expect(&quotient, &coefficients(&divided, 499), "by its last");
}

fn plain_forms_are_refused(engine: &VectorEngine) {
    let (_, x) = random::<Fr>(engine, 4, 13);
    let plain = engine.upload_plain::<Fr>(&[[1, 2, 3, 4]; 4]).unwrap();
    let one = || plain.slice(..1).unwrap();
    let queue = engine.queue();
    for (operation, refused) in [
        (
            "running_product",
            error(queue.running_product(&plain, Scan::Inclusive)),
        ),
        ("powers", error(queue.powers(one(), 3))),
        ("evaluate", error(queue.evaluate(&plain, 1))),
        ("evaluate", error(queue.evaluate(&x, &plain))),
        ("divide_by_linear", error(queue.divide_by_linear(&plain, 1))),
        ("divide_by_linear", error(queue.divide_by_linear(&x, one()))),
    ] {
        assert_eq!(
            refused,
            wrong_form(operation, Form::Montgomery, Form::Plain)
        );
    }
    // What only adds takes any.
    let sums = queue.running_sum(&plain, Scan::Inclusive).unwrap();
    let (quotient, _) = queue.divide_by_vanishing(&plain, 3).unwrap();
    run(queue);
    assert_eq!([sums.form(), quotient.form()], [Form::Plain; 2]);
    expect(
        &sums.slice(..2).unwrap(),
        &[[1, 2, 3, 4], [2, 4, 6, 8]],
        "sums",
    );
    expect(&quotient, &[[1, 2, 3, 4]], "a quotient");
}

fn degrees_and_points_must_fit(engine: &VectorEngine) {
    let (_, x) = random::<Fr>(engine, 4, 14);
    let queue = engine.queue();
    refused!(queue.divide_by_vanishing(&x, 0)
        => "divide_by_vanishing: expected a degree of 1 or more, found 0");
    let several = "as_scalar: expected a vector of one element, found 4 elements";
    assert_eq!(error(queue.divide_by_linear(&x, &x)).to_string(), several);
    assert_eq!(error(queue.powers(&x, 2)).to_string(), several);
    refused!(queue.evaluate(&x, Scalar::new(FR_MODULUS)) => Error::NotCanonical(_));
    refused!(queue.powers::<Fr>(2, usize::MAX) => Error::VectorTooLong { operation: "powers", .. });
    // Of nothing.
    let none = x.slice(..0).unwrap();
    let (quotient, remainder) = queue.divide_by_linear(&none, 5).unwrap();
    let powers = queue.powers::<Fr>(2, 0).unwrap();
    let sums = queue.running_sum(&none, Scan::Exclusive).unwrap();
    run(queue);
    expect(&remainder, &[[0; 4]], "a remainder of nothing");
    for it in [quotient, powers, sums] {
        expect(&it, &[], "of nothing");
    }
}

/// Of slices that begin anywhere, and by scalars of every kind.
fn combinations_of_any_number_of_vectors(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 500, 15);
    for count in [1, 2, 7, 8, 9, 16, 17, 40] {
        let vectors: Vec<_> = (0..count)
            .map(|at| vector.slice(3 * at..3 * at + 380).unwrap())
            .collect();
        let queue = engine.queue();
        let sum = queue.sum(&vector).unwrap();
        let scalars: Vec<Operand<Fr>> = (0..count)
            .map(|at| match at % 4 {
                0 => Scalar::new(x[at]).into(),
                1 => vector.slice(at..=at).unwrap().into(),
                2 => 7.into(),
                _ => sum.clone().into(),
            })
            .collect();
        let combined = queue.linear_combination(&vectors, &scalars).unwrap();
        drop((vectors, scalars));
        run(queue);
        let sum: Ark = x.iter().map(Fr::ark_of).sum();
        let scalar = |at: usize| match at % 4 {
            0 | 1 => Fr::ark_of(&x[at]),
            2 => Ark::from(7_u64),
            _ => sum,
        };
        let of = |i: usize| {
            let products = (0..count).map(|at| scalar(at) * Fr::ark_of(&x[3 * at + i]));
            Fr::limbs_of(&products.sum())
        };
        let expected: Vec<_> = (0..380).map(of).collect();
        expect(&combined, &expected, &format!("{count} vectors"));
    }
}

/// Eight products at a time, which are as large as they can be; then those of limbs of 51 bits
/// and 30 that are zero or full, whose differences have either sign.
fn combinations_of_the_largest_elements(engine: &VectorEngine) {
    let largest = arithmetic::sub::<Fr>(&[0; 4], &[1, 0, 0, 0]);
    let full = [u64::MAX, u64::MAX, u64::MAX, largest[3] - 1];
    let limbs = |bits: usize, parity: usize| {
        let mut limbs = [0; 4];
        for bit in (0..254).filter(|bit| bit / bits % 2 == parity) {
            limbs[bit / 64] |= 1 << (bit % 64);
        }
        limbs
    };
    let patterns = [30, 51, 102].map(|bits| [limbs(bits, 0), limbs(bits, 1)]);
    let x = [&[largest, full, Fr::ONE, [0; 4]], patterns.as_flattened()].concat();
    let vector = engine.upload::<Fr>(&x).unwrap();
    for scalar in &x {
        for count in [1, 8, 9] {
            let queue = engine.queue();
            let scalars = vec![Scalar::new(*scalar); count];
            let sum = queue.linear_combination(&vec![&vector; count], &scalars);
            let sum = sum.unwrap();
            run(queue);
            let of = |x| Ark::from(count as u64) * Fr::ark_of(scalar) * Fr::ark_of(x);
            let expected: Vec<_> = x.iter().map(|x| Fr::limbs_of(&of(x))).collect();
            expect(&sum, &expected, &format!("{count} times {scalar:x?}"));
        }
    }
}

fn what_combinations_refuse(engine: &VectorEngine) {
    let (_, x) = random::<Fr>(engine, 4, 16);
    let plain = engine.upload_plain::<Fr>(&[[1, 2, 3, 4]; 4]).unwrap();
    let none: [FieldVec<Fr>; 0] = [];
    let queue = engine.queue();
    refused!(queue.linear_combination(&none, &[1])
        => "linear_combination: expected a vector or more, found 0");
    refused!(queue.linear_combination(&[&x, &x], &[1])
        => "linear_combination: expected a scalar for each of 2 vectors, found 1");
    refused!(queue.linear_combination(&[&x, &x.slice(1..).unwrap()], &[1, 2])
        => "linear_combination: expected vectors of equal length, found 4 and 3 elements");
    refused!(queue.linear_combination(&[&x], &[&x])
        => "as_scalar: expected a vector of one element, found 4 elements");
    let scalar = plain.slice(..1).unwrap();
    for refused in [
        queue.linear_combination(&[&plain], &[1]),
        queue.linear_combination(&[&x, &plain], &[1, 1]),
        queue.linear_combination(&[&x], &[scalar]),
    ] {
        refused!(refused
            => "linear_combination: expected elements in Montgomery form, found plain form");
    }
    let empty = x.slice(..0).unwrap();
    let nothing = queue.linear_combination(&[&empty], &[1]).unwrap();
    run(queue);
    expect(&nothing, &[], "of nothing");
}

fn products_of_polynomials(engine: &VectorEngine) {
    for (left, right) in [
        (1, 1),
        (1, 5),
        (4, 3),
        (129, 300),
        (512, 513),
        (0, 3),
        (3, 0),
    ] {
        let (a, a_vector) = random::<Fr>(engine, left, 17);
        let (b, b_vector) = random::<Fr>(engine, right, 18);
        let queue = engine.queue();
        let product = queue.multiply_polynomials(&a_vector, &b_vector).unwrap();
        let square = queue.multiply_polynomials(&a_vector, &a_vector).unwrap();
        run(queue);
        let what = format!("{left} by {right} coefficients");
        let count = |a: usize, b: usize| if a * b == 0 { 0 } else { a + b - 1 };
        let (a, b) = (polynomial(&a), polynomial(&b));
        let expected = coefficients(&a.naive_mul(&b), count(left, right));
        expect(&product, &expected, &what);
        let expected = coefficients(&a.naive_mul(&a), count(left, left));
        expect(&square, &expected, &what);
    }
    let plain = engine.upload_plain::<Fr>(&[[1, 2, 3, 4]; 4]).unwrap();
    refused!(engine.queue().multiply_polynomials(&plain, &plain)
        => Error::WrongForm { operation: "multiply_polynomials", .. });
}

/// Longer and shorter than the domain, in both orders.
fn quotients_on_cosets(engine: &VectorEngine) {
    for (n, points) in [
        (1, 1),
        (1, 8),
        (4, 4),
        (4, 64),
        (64, 128),
        (64, 256),
        (64, 16),
        (256, 512),
    ] {
        let group = Domain::new(n).unwrap();
        let shifted = group
            .coset(arithmetic::to_montgomery::<Fr>(&[5, 0, 0, 0]))
            .unwrap();
        let coset = Domain::new(points).unwrap().coset_of_generator();
        let (values, vector) = random::<Fr>(engine, points, 19);
        for domain in [group, shifted] {
            let shift = ark_ff::Field::pow(&Fr::ark_of(&domain.shift()), [n as u64]);
            let one = |(x, value): ([u64; 4], &[u64; 4])| {
                let vanishing = ark_ff::Field::pow(&Fr::ark_of(&x), [n as u64]) - shift;
                Fr::limbs_of(&(Fr::ark_of(value) / vanishing))
            };
            let expected: Vec<_> = coset.elements().zip(&values).map(one).collect();
            let queue = engine.queue();
            let natural = queue
                .divide_by_vanishing_on_coset(&vector, Order::Natural, &coset, &domain)
                .unwrap();
            let turned = queue.bit_reverse(&vector).unwrap();
            let reversed = queue
                .divide_by_vanishing_on_coset(&turned, Order::BitReversed, &coset, &domain)
                .unwrap();
            let reversed = queue.bit_reverse(&reversed).unwrap();
            run(queue);
            let what = format!("X^{n} - s^{n} at {points} points");
            expect(&natural, &expected, &what);
            expect(&reversed, &expected, &what);
        }
    }
    // What a prover does: a multiple, its values on a coset, the quotient's, the quotient.
    let (quotient, vector) = random::<Fr>(engine, 700, 20);
    let (domain, coset) = (Domain::new(256).unwrap(), Domain::new(1024).unwrap());
    let coset = coset.coset_of_generator();
    let queue = engine.queue();
    let zeros = |count| queue.fill::<Fr>(0, count).unwrap();
    let up = queue.concat(&[&zeros(256), &vector, &zeros(68)]).unwrap();
    let down = queue.concat(&[&vector, &zeros(324)]).unwrap();
    let multiple = queue.sub(&up, &down).unwrap();
    let there = Transform::forward(&coset).to(Order::BitReversed);
    let values = queue.transform(&multiple, &there).unwrap();
    let divided = queue
        .divide_by_vanishing_on_coset(&values, Order::BitReversed, &coset, &domain)
        .unwrap();
    let back = Transform::inverse(&coset).from(Order::BitReversed);
    let found = queue.transform(&divided, &back).unwrap();
    run(queue);
    expect(
        &found.slice(..700).unwrap(),
        &quotient,
        "a prover's quotient",
    );
    expect(
        &found.slice(700..).unwrap(),
        &[[0; 4]; 324],
        "nothing above",
    );
}

fn what_quotients_on_cosets_refuse(engine: &VectorEngine) {
    let (_, x) = random::<Fr>(engine, 8, 21);
    let plain = engine.upload_plain::<Fr>(&[[1, 2, 3, 4]; 8]).unwrap();
    let queue = engine.queue();
    let domain = |size| Domain::new(size).unwrap();
    let refused = |values: &FieldVec<Fr>, coset: Domain, n: usize| {
        let order = Order::Natural;
        error(queue.divide_by_vanishing_on_coset(values, order, &coset, &domain(n))).to_string()
    };
    let length = "divide_by_vanishing_on_coset: expected a value for each point of the coset, \
                  found 8 elements";
    let meets = "the coset of a quotient: expected one without points of the domain, found ";
    let some = format!("{meets}\"one of 8 points with some of it\"");
    let all = format!("{meets}\"the shift [1, 0, 0, 0]\"");
    let form =
        "divide_by_vanishing_on_coset: expected elements in Montgomery form, found plain form";
    for (values, coset, n, expected) in [
        (&x, domain(4).coset_of_generator(), 4, length),
        (&x, domain(8), 2, &some),
        (&x, domain(8), 16, &all),
        (&plain, domain(8).coset_of_generator(), 2, form),
    ] {
        assert_eq!(refused(values, coset, n), expected);
    }
}
