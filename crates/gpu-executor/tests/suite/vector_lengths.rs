//! A million elements and a few, past every border there is inside.

use field_kernels::{Field, Fp, Fp2, Fr, arithmetic};
use gpu_executor::vectors::VectorEngine;

use crate::engines::{expect, inverses, on_both_engines, products, run, sum, sums, upload};
use crate::oracle;

const LEN: usize = (1 << 20) + 3;

on_both_engines! {
    a_million_elements<Fr, Fp, Fp2>
    a_million_zeros_and_largest_elements
}

/// Of elements that repeat after a prime number of them, so that no two pieces are alike.
fn a_million_elements<F: Field>(engine: &VectorEngine) {
    let repeated = |seed| {
        let some = oracle::random::<F>(1009, seed);
        let elements: Vec<_> = some.iter().copied().cycle().take(LEN).collect();
        (elements, inverses::<F>(&some))
    };
    let ((x, inverses), (y, _)) = (repeated(1), repeated(2));
    let (vector, mut other) = (upload::<F>(engine, &x), upload::<F>(engine, &y));
    let queue = engine.queue();
    let added = queue.add(&vector, &other).unwrap();
    let total = queue.sum(&vector).unwrap();
    let inner = queue.inner_product(&vector, &other).unwrap();
    queue.mul_assign(&mut other, &vector).unwrap();
    let inverse = queue.inverse(&vector).unwrap();
    let mut own = upload::<F>(engine, &x);
    queue.inverse_assign(&mut own).unwrap();
    let done = run(queue);
    let (sums, products) = (sums::<F>(&x, &y), products::<F>(&x, &y));
    expect(&added, &sums, "x + y");
    expect(&other, &products, "x y");
    expect(&total, &[sum::<F>(&x)], "the sum");
    expect(&inner, &[sum::<F>(&products)], "the inner product");
    let expected: Vec<_> = inverses.iter().copied().cycle().take(LEN).collect();
    expect(&inverse, &expected, "the inverses");
    expect(&own, &expected, "the inverses, in place");
    let zero = F::Limbs::default();
    let zeros = x.iter().filter(|x| **x == zero).count() as u64;
    assert_eq!(done.report().zeros, 2 * zeros);
}

/// Sums are the largest there can be, and no inverse has anything to invert.
fn a_million_zeros_and_largest_elements(engine: &VectorEngine) {
    let largest = arithmetic::sub::<Fr>(&[0; 4], &[1, 0, 0, 0]);
    let vector = upload::<Fr>(engine, &vec![largest; LEN]);
    let zeros = upload::<Fr>(engine, &vec![[0; 4]; LEN]);
    let queue = engine.queue();
    let total = queue.sum(&vector).unwrap();
    let inverse = queue.inverse(&zeros).unwrap();
    let differ = queue.equal(&vector, &zeros).unwrap();
    let same = queue.equal(&inverse, &zeros).unwrap();
    let done = run(queue);
    // (p - 1) LEN = -LEN.
    let expected = arithmetic::sub::<Fr>(&[0; 4], &[LEN as u64, 0, 0, 0]);
    expect(&total, &[expected], "the sum of the largest");
    assert!(!done.equal(&differ).unwrap() && done.equal(&same).unwrap());
    assert_eq!(done.report().zeros, LEN as u64);
}
