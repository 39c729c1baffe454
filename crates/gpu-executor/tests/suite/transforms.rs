//! Transforms against ark-poly's, in every direction, order and shape, and by what they are.

use ark_bls12_381::Fr as ArkFr;
use ark_ff::{AdditiveGroup as _, Field as _};
use ark_poly::EvaluationDomain as _;
use field_kernels::edge::edge_elements;
use field_kernels::{Fr, arithmetic};
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Arithmetic, Domain, FieldVec, Form, MemoryAccess, Order, Queue, Scalar, Transform, VectorEngine,
};
use gpu_executor::{Error, Refused};
use proptest::prelude::*;

use crate::domains::{ArkDomain, domains};
use crate::engines::{
    self, error, expect, on_both_engines, on_device, on_device_unless_by_doubles, products,
    refused, run, sums, upload, wrong_form,
};
use crate::oracle::{Oracle as _, in_order, random};
use crate::support::built;

on_both_engines! {
    [engines::settled().dispatch_elements(384)]
    vectors_of_one_element_at_one_place
    vectors_of_one_element_at_every_place
    a_transform_there_and_back_is_the_vector
    results_in_the_place_of_vectors_that_others_see
    transforms_beside_element_wise_neighbours
    slices_of_the_host_that_go_up_and_down_in_parts
    lengths_forms_and_engines_that_do_not_fit
}

const ORDERS: [Order; 2] = [Order::Natural, Order::BitReversed];

/// What ark-poly makes of each row, all in natural order.
fn by_ark(x: &[[u64; 4]], ark: &ArkDomain, inverse: bool) -> Vec<[u64; 4]> {
    let rows = x.chunks(ark.size());
    let rows = rows.flat_map(|row| {
        let row: Vec<ArkFr> = row.iter().map(Fr::ark_of).collect();
        if inverse {
            ark.ifft(&row)
        } else {
            ark.fft(&row)
        }
    });
    rows.map(|it| Fr::limbs_of(&it)).collect()
}

fn transform(domain: &Domain, inverse: bool, from: Order, to: Order) -> Transform {
    let transform = match inverse {
        false => Transform::forward(domain),
        true => Transform::inverse(domain),
    };
    transform.from(from).to(to)
}

/// Each direction and order, with what comes of x.
fn ways(x: &[[u64; 4]], domain: &Domain, ark: &ArkDomain) -> Vec<(Transform, Vec<[u64; 4]>)> {
    let mut all = Vec::new();
    for inverse in [false, true] {
        for from in ORDERS {
            let natural = by_ark(&in_order(x, domain.size(), from), ark, inverse);
            for to in ORDERS {
                let expected = in_order(&natural, domain.size(), to);
                all.push((transform(domain, inverse, from, to), expected));
            }
        }
    }
    all
}

/// All directions and orders of rows of one size over one domain, at an odd offset, in one
/// submission.
fn check(engine: &VectorEngine, (domain, ark): (Domain, ArkDomain), rows: usize, seed: u64) {
    let size = domain.size();
    let x = random::<Fr>(rows * size + 3, seed);
    let (x, vector) = (&x[3..], upload::<Fr>(engine, &x).slice(3..).unwrap());
    let queue = engine.queue();
    let mut results = Vec::new();
    for (transform, expected) in ways(x, &domain, &ark) {
        let found = queue.transform(&vector, &transform).unwrap();
        results.push((found, expected, transform));
    }
    run(queue);
    for (found, expected, transform) in results {
        expect(&found, &expected, &format!("{rows} rows by {transform:?}"));
    }
    expect(&vector, x, "the argument");
}

/// Every size up to 2^`last`, every domain; every shape of small ones, and of longer ones in
/// turn.
fn check_sizes(engine: &VectorEngine, last: u32) {
    for log2 in 0..=last {
        for (number, domain) in domains(log2).into_iter().enumerate() {
            let turn = (log2 as usize + number) % 4;
            for (place, rows) in [1, 2, 3, 7].into_iter().enumerate() {
                if log2 <= 6 || (place == turn && log2 <= 12) {
                    check(engine, domain, rows, u64::from(log2));
                }
            }
            if log2 > 12 {
                check(engine, domain, 1, u64::from(log2));
            }
        }
    }
}

#[test]
fn every_size_on_the_cpu() {
    let engine = engines::cpu();
    check_sizes(&engine, 14);
    // Rows that are not cut into blocks, since there are many.
    check(&engine, domains(9).remove(1), 70, 1);
}

/// Past what one table of roots holds, for one of them.
#[test]
fn longer_ones_on_the_cpu() {
    let engine = engines::cpu();
    for log2 in 15..=18 {
        let number = log2 as usize % 3;
        check(&engine, domains(log2).remove(number), 1, u64::from(log2));
    }
    let (domain, ark) = domains(21).remove(0);
    let x = random::<Fr>(domain.size(), 9);
    let vector = upload::<Fr>(&engine, &x);
    let queue = engine.queue();
    let (values, back) = (queue.ntt(&vector, &domain), Transform::inverse(&domain));
    let values = values.unwrap();
    let back = back.to(Order::BitReversed);
    let back = queue.transform(&values, &back).unwrap();
    run(queue);
    expect(&values, &by_ark(&x, &ark, false), "2^21");
    let expected = in_order(&x, domain.size(), Order::BitReversed);
    expect(&back, &expected, "2^21 and back");
}

/// As it multiplies and reaches memory.
fn with(arithmetic: Arithmetic, access: MemoryAccess) -> Builder<PersistentVulkanBackend> {
    let builder = PersistentVulkanBackend::builder();
    builder.arithmetic(arithmetic).memory_access(access)
}

#[test]
fn every_size_on_the_device_without_64_bit_integers() {
    on_device(with(Arithmetic::U32, MemoryAccess::Direct), |engine| {
        check_sizes(engine, 14);
    });
}

#[test]
fn every_size_on_the_device_in_limbs_of_30_bits() {
    on_device(with(Arithmetic::U64, MemoryAccess::Staged), |engine| {
        check_sizes(engine, 13);
    });
}

#[test]
fn every_size_on_the_device_by_its_double_units() {
    let builder = PersistentVulkanBackend::builder().arithmetic(Arithmetic::F64);
    on_device_unless_by_doubles(builder, |engine| check_sizes(engine, 13));
}

/// c at place i and zero elsewhere has the values c x^i; each edge element is such a c.
fn vectors_of_one_element_at_one_place(engine: &VectorEngine) {
    let edges = edge_elements::<Fr>();
    for (log2, place) in [(0, 0), (1, 1), (4, 0), (4, 7), (6, 63), (7, 90)] {
        for (domain, _) in domains(log2) {
            let size = domain.size();
            let mut x = vec![[0; 4]; edges.len() * size];
            for (row, edge) in x.chunks_mut(size).zip(&edges) {
                row[place] = *edge;
            }
            let vector = upload::<Fr>(engine, &x);
            let queue = engine.queue();
            let values = queue.ntt(&vector, &domain).unwrap();
            let back = queue.inverse_ntt(&values, &domain).unwrap();
            run(queue);
            let power = |point| arithmetic::pow::<Fr>(&point, place as u64);
            let powers: Vec<_> = domain.elements().map(power).collect();
            let rows = edges.iter().flat_map(|edge| {
                let times = |power| arithmetic::mul::<Fr>(edge, power);
                powers.iter().map(times)
            });
            let expected: Vec<_> = rows.collect();
            expect(&values, &expected, &format!("place {place} of 2^{log2}"));
            expect(&back, &x, "and back");
        }
    }
}

/// Where nothing is reduced between levels, p - 1 everywhere grows most.
fn vectors_of_one_element_at_every_place(engine: &VectorEngine) {
    let edges = edge_elements::<Fr>();
    for log2 in [3, 9, 11] {
        for (domain, ark) in domains(log2) {
            let size = domain.size();
            let rows = edges.iter().map(|edge| vec![*edge; size]);
            let x: Vec<_> = rows.flatten().collect();
            let vector = upload::<Fr>(engine, &x);
            let queue = engine.queue();
            let values = queue.ntt(&vector, &domain).unwrap();
            let coefficients = queue.inverse_ntt(&vector, &domain).unwrap();
            run(queue);
            let what = format!("edges over {domain:?}");
            expect(&values, &by_ark(&x, &ark, false), &what);
            expect(&coefficients, &by_ark(&x, &ark, true), &what);
        }
    }
}

/// Of every order, in either direction first, in place.
fn a_transform_there_and_back_is_the_vector(engine: &VectorEngine) {
    for log2 in [0, 1, 5, 9, 11] {
        for (domain, _) in domains(log2) {
            let x = random::<Fr>(2 * domain.size(), 5);
            for (inverse, from, to) in [
                (false, Order::Natural, Order::BitReversed),
                (false, Order::BitReversed, Order::BitReversed),
                (true, Order::Natural, Order::Natural),
                (true, Order::BitReversed, Order::Natural),
            ] {
                let mut vector = upload::<Fr>(engine, &x);
                let queue = engine.queue();
                let there = transform(&domain, inverse, from, to);
                let back = transform(&domain, !inverse, to, from);
                queue.transform_assign(&mut vector, &there).unwrap();
                queue.transform_assign(&mut vector, &back).unwrap();
                run(queue);
                expect(&vector, &x, &format!("{there:?} and back"));
            }
        }
    }
}

fn results_in_the_place_of_vectors_that_others_see(engine: &VectorEngine) {
    let (domain, ark) = domains(8).remove(2);
    let x = random::<Fr>(512, 6);
    let expected = by_ark(&x, &ark, false);
    let (mut alone, mut shared) = (upload::<Fr>(engine, &x), upload::<Fr>(engine, &x));
    let mut part = upload::<Fr>(engine, &[&x[..7], &x].concat());
    let (clone, whole) = (shared.clone(), part.clone());
    part = part.slice(7..).unwrap();
    let queue = engine.queue();
    for vector in [&mut alone, &mut shared, &mut part] {
        queue.ntt_assign(vector, &domain).unwrap();
    }
    run(queue);
    for vector in [&alone, &shared, &part] {
        expect(vector, &expected, "in place");
    }
    expect(&clone, &x, "a clone");
    expect(&whole.slice(7..).unwrap(), &x, "the whole vector");
    let queue = engine.queue();
    let kept = alone.clone();
    for vector in [&mut alone, &mut shared, &mut part] {
        queue.inverse_ntt_assign(vector, &domain).unwrap();
    }
    run(queue);
    for vector in [&alone, &shared, &part] {
        expect(vector, &x, "back");
    }
    expect(&kept, &expected, "what it was before");
}

/// What is computed just before and used just after, of vectors that nobody keeps.
fn transforms_beside_element_wise_neighbours(engine: &VectorEngine) {
    let (domain, ark) = domains(6).remove(1);
    let (x, y) = (random::<Fr>(192, 7), random::<Fr>(192, 8));
    let (a, b) = (upload::<Fr>(engine, &x), upload::<Fr>(engine, &y));
    let queue = engine.queue();
    let values = queue.ntt(&queue.add(&a, &b).unwrap(), &domain).unwrap();
    let result = queue.mul(&values, &b).unwrap();
    let first = queue.ntt(&result.slice(1..65).unwrap(), &domain).unwrap();
    let sum = queue.sum(&first).unwrap();
    drop((values, first));
    run(queue);
    let values = by_ark(&sums::<Fr>(&x, &y), &ark, false);
    let expected = products::<Fr>(&values, &y);
    expect(&result, &expected, "(x + y)^ y");
    let first = by_ark(&expected[1..65], &ark, false);
    expect(&sum, &[engines::sum::<Fr>(&first)], "a sum of values");
}

/// Of every direction and order over one domain, in place and, what is refused, left alone.
fn check_slice(engine: &VectorEngine, (domain, ark): (Domain, ArkDomain)) {
    let size = domain.size();
    let x = random::<Fr>(size, size as u64);
    for (transform, expected) in ways(&x, &domain, &ark) {
        let mut found = x.clone();
        engine.transform(&mut found, &transform).unwrap();
        assert!(found == expected, "{transform:?}");
        for place in [0, size / 3, size - 1] {
            // The first of two is named.
            let mut bad = x.clone();
            bad[place] = [u64::MAX; 4];
            bad[size - 1] = [u64::MAX; 4];
            let before = bad.clone();
            refused!(engine.transform(&mut bad, &transform)
                => Error::NotCanonical(Refused { element, .. }) if element == place);
            assert!(bad == before, "{place} by {transform:?}");
        }
    }
}

/// Of one pass, which goes up and comes down as a whole, and of two, in parts.
fn slices_of_the_host_that_go_up_and_down_in_parts(engine: &VectorEngine) {
    for log2 in [9, 10, 11, 13] {
        for domain in domains(log2) {
            check_slice(engine, domain);
        }
    }
}

/// Parts of one column or block each, and of many.
#[test]
fn slices_in_short_parts_and_in_long_ones() {
    let short = (64, Arithmetic::U32, [10, 12]);
    let long = (1 << 12, Arithmetic::U64, [14, 15]);
    for (dispatch, arithmetic, log2) in [short, long] {
        let builder = engines::settled().arithmetic(arithmetic);
        let (_guard, mut backend) = built(builder.dispatch_elements(dispatch));
        let engine = backend.vectors().unwrap();
        for (log2, coset) in log2.into_iter().zip([1, 2]) {
            check_slice(&engine, domains(log2).remove(coset));
        }
    }
}

/// Three passes, of which the second is over all parts at once.
#[test]
fn slices_with_a_pass_between_the_ways() {
    let (_guard, mut backend) = built(engines::settled().dispatch_elements(1 << 16));
    let engine = backend.vectors().unwrap();
    let (domain, ark) = domains(19).remove(2);
    let x = random::<Fr>(domain.size(), 11);
    let mut found = x.clone();
    let [there, back] = [Transform::forward(&domain), Transform::inverse(&domain)];
    engine.transform(&mut found, &there).unwrap();
    assert!(found == by_ark(&x, &ark, false));
    engine.transform(&mut found, &back).unwrap();
    assert!(found == x);
}

fn lengths_forms_and_engines_that_do_not_fit(engine: &VectorEngine) {
    let domain = Domain::new(16).unwrap();
    let queue = engine.queue();
    for len in [0, 1, 8, 17, 24] {
        let x = upload::<Fr>(engine, &random::<Fr>(len, 1));
        let found = error(queue.ntt(&x, &domain));
        assert_eq!(
            found.to_string(),
            format!("transform: expected one or more rows of 16 elements, found {len} elements")
        );
    }
    let limbs = random::<Fr>(16, 1);
    let plain = engine.upload_plain::<Fr>(&limbs).unwrap();
    let wrong = wrong_form("transform", Form::Montgomery, Form::Plain);
    assert_eq!(error(queue.inverse_ntt(&plain, &domain)), wrong);
    let foreign = upload::<Fr>(&engines::cpu(), &limbs);
    refused!(queue.ntt(&foreign, &domain) => Error::ForeignVector { operation: "transform" });
    // What was refused left nothing in the queue.
    assert_eq!(run(queue).report().operations, 0);
}

/// T(a x + y) = a T(x) + T(y).
fn is_linear(engine: &VectorEngine, transform: &Transform, x: &FieldVec<Fr>, y: &FieldVec<Fr>) {
    let a = || Scalar::new(random::<Fr>(80, 3)[79]);
    let queue = engine.queue();
    let both = queue.axpy(a(), x, y).unwrap();
    let left = queue.transform(&both, transform).unwrap();
    let [x, y] = [x, y].map(|it| queue.transform(it, transform).unwrap());
    let right = queue.axpy(a(), &x, &y).unwrap();
    let same = queue.equal(&left, &right).unwrap();
    assert!(run(queue).equal(&same).unwrap(), "{transform:?}");
}

/// Values of a product are products of values, whatever the order between: modulo X^n - s^n,
/// which the points are the zeros of.
fn multiplies(
    engine: &VectorEngine,
    domain: &Domain,
    order: Order,
    x: &[[u64; 4]],
    y: &[[u64; 4]],
) {
    let size = domain.size();
    let (there, back) = (
        Transform::forward(domain).to(order),
        Transform::inverse(domain).from(order),
    );
    let (a, b) = (upload::<Fr>(engine, x), upload::<Fr>(engine, y));
    let queue = engine.queue();
    let values = |queue: &Queue, x| queue.transform(x, &there).unwrap();
    let product = queue.mul(values(&queue, &a), values(&queue, &b)).unwrap();
    let product = queue.transform(&product, &back).unwrap();
    run(queue);
    let wrapped = Fr::ark_of(&domain.shift()).pow([size as u64]);
    let mut expected = vec![ArkFr::ZERO; size];
    for (i, x) in x.iter().map(Fr::ark_of).enumerate() {
        for (j, y) in y.iter().map(Fr::ark_of).enumerate() {
            let factor = if i + j < size { ArkFr::ONE } else { wrapped };
            expected[(i + j) % size] += x * y * factor;
        }
    }
    let expected: Vec<_> = expected.iter().map(Fr::limbs_of).collect();
    expect(&product, &expected, &format!("a product over {domain:?}"));
}

/// What holds for all vectors, of random sizes.
fn laws(engine: &VectorEngine, cases: u32) {
    let orders = || prop::sample::select(ORDERS.to_vec());
    let strategy = (
        0..10_u32,
        0..3_usize,
        any::<bool>(),
        orders(),
        orders(),
        any::<u64>(),
    );
    let config = ProptestConfig {
        cases,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let ran = runner.run(&strategy, |(log2, which, inverse, from, to, seed)| {
        let (domain, _) = domains(log2).remove(which);
        let [x, y] = [seed, !seed].map(|seed| random::<Fr>(domain.size(), seed));
        let [a, b] = [&x, &y].map(|it| upload::<Fr>(engine, it));
        is_linear(engine, &transform(&domain, inverse, from, to), &a, &b);
        if log2 <= 6 {
            multiplies(engine, &domain, to, &x, &y);
        }
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn transforms_are_linear_and_multiply_on_the_cpu() {
    laws(&engines::cpu(), 100);
}

#[test]
fn transforms_are_linear_and_multiply_on_the_device() {
    on_device(engines::settled(), |engine| laws(engine, 30));
}
