//! Slices of vectors: any beginning and any length, of what is there and of what is
//! only recorded.

use std::ops::Bound;

use field_kernels::{Field, Fp, Fr, arithmetic};
use gpu_executor::Error;
use gpu_executor::vectors::VectorEngine;

use crate::engines::{
    error, expect, inverses, on_both_engines, products, random, refused, run, sum, sums,
};

on_both_engines! {
    slices_begin_and_end_anywhere<Fp, Fr>
    slices_of_any_range
    slices_of_slices_and_halves
    slices_of_what_is_recorded
    halves_of_one_vector_meet_in_one_operation
}

fn slices_of_any_range(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 20, 7);
    let whole = vector.slice(..).unwrap();
    let parts = [
        (whole.slice(3..7), &x[3..7]),
        (whole.slice(3..=7), &x[3..=7]),
        (whole.slice(..7), &x[..7]),
        (whole.slice(..=7), &x[..=7]),
        (whole.slice(13..), &x[13..]),
        (whole.slice(20..), &x[20..]),
        (
            whole.slice((Bound::Excluded(4), Bound::Excluded(9))),
            &x[5..9],
        ),
    ];
    for (part, expected) in parts {
        expect(&part.unwrap(), expected, "a part");
    }
    let out = |start, end| Error::OutOfRange {
        elements: 20,
        start,
        end,
    };
    assert_eq!(error(vector.slice(3..21)), out(3, 21));
    assert_eq!(error(vector.slice(..=20)), out(0, 21));
    assert_eq!(error(vector.slice(21..)), out(21, 20));
    assert_eq!(error(vector.slice(0..=usize::MAX)), out(0, usize::MAX));
    let (start, end) = (Bound::Excluded(usize::MAX), Bound::Unbounded);
    assert_eq!(error(vector.slice((start, end))), out(usize::MAX, 20));
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let reversed = vector.slice(7..3);
    assert_eq!(error(reversed), out(7, 3));
}

/// Beginnings that are multiples of no alignment, in operations of every kind.
fn slices_begin_and_end_anywhere<F: Field>(engine: &VectorEngine) {
    let (x, vector) = random::<F>(engine, 700, 5);
    let (y, other) = random::<F>(engine, 700, 6);
    let parts = [
        (0, 1),
        (1, 128),
        (3, 129),
        (5, 64),
        (7, 500),
        (699, 1),
        (13, 512),
    ];
    for (start, len) in parts {
        let at = start..start + len;
        let also = 700 - len - start / 2..700 - start / 2;
        let (a, b) = (&x[at.clone()], &y[also.clone()]);
        let what = format!("{} {at:?} and {also:?}", F::NAME);
        let (left, right) = (vector.slice(at).unwrap(), other.slice(also).unwrap());
        let queue = engine.queue();
        let added = queue.add(&left, &right).unwrap();
        let inner = queue.inner_product(&left, &right).unwrap();
        let total = queue.sum(&right).unwrap();
        let product = queue.product(&left).unwrap();
        let inverse = queue.inverse(&left).unwrap();
        let first = right.slice(0..1).unwrap().as_scalar().unwrap();
        let scaled = queue.mul(&left, first).unwrap();
        let same = queue.equal(&left, &right).unwrap();
        let read = queue.read(&left).unwrap();
        let done = run(queue);
        expect(&added, &sums::<F>(a, b), &what);
        expect(&inner, &[sum::<F>(&products::<F>(a, b))], &what);
        expect(&total, &[sum::<F>(b)], &what);
        let all = a.iter().fold(F::ONE, |p, x| arithmetic::mul::<F>(&p, x));
        expect(&product, &[all], &what);
        expect(&inverse, &inverses::<F>(a), &what);
        expect(&scaled, &products::<F>(a, &vec![b[0]; len]), &what);
        assert_eq!(done.equal(&same).unwrap(), a == b, "{what}");
        assert_eq!(done.elements(&read).unwrap(), a, "{what}");
        expect(&left, a, &what);
    }
    expect(&vector, &x, "afterwards");
}

fn slices_of_slices_and_halves(engine: &VectorEngine) {
    let (x, vector) = random::<Fp>(engine, 100, 7);
    let inner = vector.slice(10..90).unwrap().slice(5..50).unwrap();
    expect(&inner, &x[15..60], "a slice of a slice");
    let (low, high) = inner.split_at(44).unwrap();
    expect(&low, &x[15..59], "the low part");
    expect(&high, &x[59..60], "the high part");
    for (mid, lens) in [(0, [0, 45]), (45, [45, 0])] {
        let (low, high) = inner.split_at(mid).unwrap();
        assert_eq!([low.len(), high.len()], lens);
    }
    refused!(inner.slice(3..46) => Error::OutOfRange { elements: 45, start: 3, end: 46 });
    assert!(inner.slice(45..45).unwrap().is_empty());
}

fn slices_of_what_is_recorded(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 300, 8);
    let queue = engine.queue();
    let doubled = queue.double(&vector).unwrap();
    let (low, high) = doubled.split_at(151).unwrap();
    let folded = queue.mul(low.slice(1..150).unwrap(), &high).unwrap();
    let one = high.slice(7..8).unwrap().as_scalar().unwrap();
    let scaled = queue.add(&low, one).unwrap();
    drop((doubled, low));
    let total = queue.sum(&folded.slice(2..149).unwrap()).unwrap();
    run(queue);
    let twice = sums::<Fr>(&x, &x);
    let products = products::<Fr>(&twice[1..150], &twice[151..]);
    expect(&folded, &products, "two views of one result");
    expect(
        &scaled,
        &sums::<Fr>(&twice[..151], &[twice[158]; 151]),
        "one of it",
    );
    expect(&total, &[sum::<Fr>(&products[2..])], "a sum of a view");
    expect(&high, &twice[151..], "what is left of it");
}

fn halves_of_one_vector_meet_in_one_operation(engine: &VectorEngine) {
    let (x, mut vector) = random::<Fp>(engine, 512, 9);
    for round in 0..3 {
        let (low, high) = vector.split_at(vector.len() / 2).unwrap();
        let before = vector.download::<[u64; 6]>().unwrap();
        let half = before.len() / 2;
        let queue = engine.queue();
        vector = queue.add(&low, &high).unwrap();
        drop((low, high));
        run(queue);
        let expected = sums::<Fp>(&before[..half], &before[half..]);
        expect(&vector, &expected, &format!("round {round}"));
    }
    assert_eq!(vector.len(), x.len() / 8);
}
