//! Programs of many operations: whatever becomes one kernel, the results are those of
//! one operation after the other, and the report says how many kernels it took.

use field_kernels::{Field, Fp, Fr, arithmetic};
use gpu_executor::vectors::{FieldVec, MemoryAccess, Queue, VectorEngine};

use crate::engines::{self, each, expect, on_both_engines, products, random, run, sum, sums, zip};

on_both_engines! {
    [engines::settled().memory_access(MemoryAccess::StagedStores).workgroup_size(32)]
    chains_longer_than_a_kernel
    more_inputs_than_a_kernel_binds
    more_outputs_than_a_kernel_binds
    what_is_used_twice_is_computed_once
    what_nobody_needs_is_not_computed
    a_chain_ends_where_whole_vectors_are_needed
    chains_of_two_fields_and_lengths_take_turns
}

const LEN: usize = 300;

/// Runs what `record` records, fused and not; gives the kernels of both.
fn both<F: Field>(
    engine: &VectorEngine,
    record: impl Fn(&Queue) -> Vec<FieldVec<F>>,
    expected: &[Vec<F::Limbs>],
) -> (usize, usize) {
    let kernels = [true, false].map(|fused| {
        let queue = engine.queue();
        queue.set_fusion(fused);
        let results = record(&queue);
        let done = run(queue);
        assert_eq!(results.len(), expected.len());
        for (number, (result, expected)) in results.iter().zip(expected).enumerate() {
            expect(result, expected, &format!("result {number}, fused {fused}"));
        }
        done.report().kernels
    });
    (kernels[0], kernels[1])
}

fn chains_longer_than_a_kernel(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, LEN, 1);
    let (y, other) = random::<Fr>(engine, LEN, 2);
    let (mut total, mut power) = (x.clone(), x.clone());
    for _ in 0..40 {
        total = sums::<Fr>(&total, &y);
    }
    for _ in 0..30 {
        power = products::<Fr>(&power, &y);
    }
    let repeat = |queue: &Queue, count, one: fn(&Queue, &FieldVec<Fr>, &FieldVec<Fr>) -> _| {
        let step = |it, _| one(queue, &it, &other);
        vec![(0..count).fold(vector.clone(), step)]
    };
    let add = |queue: &Queue| repeat(queue, 40, |q, x, y| q.add(x, y).unwrap());
    let (fused, alone) = both(engine, add, &[total]);
    assert!(fused <= 2 && alone == 40, "{fused}, {alone}");
    let mul = |queue: &Queue| repeat(queue, 30, |q, x, y| q.mul(x, y).unwrap());
    let (fused, alone) = both(engine, mul, &[power]);
    assert!(fused <= 8 && alone == 30, "{fused}, {alone}");
}

fn more_inputs_than_a_kernel_binds(engine: &VectorEngine) {
    let inputs = (0..20).map(|seed| random::<Fp>(engine, LEN, seed));
    let inputs: Vec<_> = inputs.collect();
    let mut total = inputs[0].0.clone();
    for (elements, _) in &inputs[1..] {
        total = sums::<Fp>(&total, elements);
    }
    let record = |queue: &Queue| {
        let first = inputs[0].1.clone();
        let rest = inputs[1..].iter();
        vec![rest.fold(first, |sum, (_, next)| queue.add(&sum, next).unwrap())]
    };
    let (fused, alone) = both(engine, record, &[total]);
    assert!((2..=4).contains(&fused) && alone == 19, "{fused}, {alone}");
}

fn more_outputs_than_a_kernel_binds(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, LEN, 3);
    let mut expected = vec![x];
    for number in 0..11 {
        expected.push(sums::<Fr>(&expected[number], &expected[0]));
    }
    let record = |queue: &Queue| {
        let mut all = vec![vector.clone()];
        for number in 0..11 {
            all.push(queue.add(&all[number], &all[0]).unwrap());
        }
        all
    };
    let (fused, alone) = both(engine, record, &expected);
    assert!((3..=4).contains(&fused) && alone == 11, "{fused}, {alone}");
}

fn what_is_used_twice_is_computed_once(engine: &VectorEngine) {
    let (x, vector) = random::<Fp>(engine, LEN, 4);
    let (y, other) = random::<Fp>(engine, LEN, 5);
    let shared = products::<Fp>(&x, &y);
    let left = sums::<Fp>(&shared, &x);
    let right = zip(&shared, &y, arithmetic::sub::<Fp>);
    let record = |queue: &Queue| {
        let shared = queue.mul(&vector, &other).unwrap();
        let left = queue.add(&shared, &vector).unwrap();
        let right = queue.sub(&shared, &other).unwrap();
        vec![queue.mul(&left, &right).unwrap(), right]
    };
    let expected = [products::<Fp>(&left, &right), right];
    assert_eq!(both(engine, record, &expected), (1, 4));
}

fn what_nobody_needs_is_not_computed(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, LEN, 6);
    let queue = engine.queue();
    queue.set_fusion(false);
    drop(queue.square(&vector).unwrap());
    let kept = queue.double(&vector).unwrap();
    let unused = queue.inverse(&queue.mul(&kept, &vector).unwrap()).unwrap();
    let total = queue.sum(&kept).unwrap();
    let read = queue.read(&queue.neg(&vector).unwrap()).unwrap();
    drop((unused, total));
    let done = run(queue);
    let report = done.report();
    assert_eq!((report.operations, report.kernels), (6, 2));
    expect(&kept, &sums::<Fr>(&x, &x), "2 x");
    let negative = each(&x, arithmetic::neg::<Fr>);
    assert_eq!(done.elements(&read).unwrap(), negative);
    assert_eq!(report.zeros, 0);
}

fn a_chain_ends_where_whole_vectors_are_needed(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 256, 7);
    let twice = sums::<Fr>(&x, &x);
    let total = sum::<Fr>(&twice);
    let shifted = each(&twice, |x| arithmetic::sub::<Fr>(x, &total));
    let first = sums::<Fr>(&shifted[..255], &twice[1..]);
    let record = |queue: &Queue| {
        let twice = queue.double(&vector).unwrap();
        let total = queue.sum(&twice).unwrap().as_scalar().unwrap();
        let shifted = queue.sub(&twice, total).unwrap();
        let next = twice.slice(1..256).unwrap();
        vec![queue.add(shifted.slice(0..255).unwrap(), &next).unwrap()]
    };
    let (fused, alone) = both(engine, record, &[first]);
    // A sum may take more than one.
    assert!(
        (4..=5).contains(&fused) && fused == alone,
        "{fused}, {alone}"
    );
}

fn chains_of_two_fields_and_lengths_take_turns(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, LEN, 8);
    let (y, other) = random::<Fp>(engine, LEN, 9);
    let queue = engine.queue();
    let (mut a, mut b) = (vector.clone(), other.clone());
    let mut c = vector.slice(0..7).unwrap();
    for _ in 0..5 {
        queue.add_assign(&mut a, &vector).unwrap();
        queue.square_assign(&mut b).unwrap();
        let part = vector.slice(1..8).unwrap();
        queue.mul_assign(&mut c, part).unwrap();
    }
    run(queue);
    let (mut expected_a, mut expected_b) = (x.clone(), y);
    let mut expected_c = x[..7].to_vec();
    for _ in 0..5 {
        expected_a = sums::<Fr>(&expected_a, &x);
        expected_b = products::<Fp>(&expected_b, &expected_b);
        expected_c = products::<Fr>(&expected_c, &x[1..8]);
    }
    expect(&a, &expected_a, "Fr");
    expect(&b, &expected_b, "Fp");
    expect(&c, &expected_c, "a short one");
}
