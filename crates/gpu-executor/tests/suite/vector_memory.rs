//! Memory of vectors on the device: taken, used again in place, given back.

use field_kernels::{Fp, Fr, arithmetic};
use gpu_executor::AllocatedMemory;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{FieldVec, Queue, Scalar, VectorEngine};

use crate::engines::{self, each, expect, inverses, random, run, settled, sums, upload};
use crate::support::built;

const LEN: usize = 10_000;
/// Bytes of a block that holds a vector of `LEN` elements of Fr, or a few more.
const BLOCK: u64 = 32 * 10_240;

fn allocated(backend: &PersistentVulkanBackend) -> AllocatedMemory {
    backend.allocated_memory().unwrap()
}

#[test]
fn chains_in_place_keep_memory_flat() {
    let (_guard, mut backend) = built(settled());
    let engine = backend.vectors().unwrap();
    let (x, mut vector) = random::<Fr>(&engine, LEN, 1);
    let (y, other) = random::<Fr>(&engine, LEN, 2);
    let mut expected = x;
    let mut step = |vector: &mut FieldVec<Fr>| {
        let queue = engine.queue();
        queue.axpy_assign(Scalar::one(), &other, vector).unwrap();
        queue.inverse_assign(vector).unwrap();
        run(queue);
        expected = inverses::<Fr>(&sums::<Fr>(&expected, &y));
    };
    step(&mut vector);
    step(&mut vector);
    let before = allocated(&backend);
    for _ in 0..100 {
        step(&mut vector);
    }
    assert_eq!(allocated(&backend), before);
    expect(&vector, &expected, "after all of them");
}

#[test]
fn submissions_that_nobody_waits_for_keep_memory_flat() {
    let (_guard, mut backend) = built(settled());
    let engine = backend.vectors().unwrap();
    let (x, mut vector) = random::<Fr>(&engine, LEN, 3);
    let mut round = |count: usize| {
        for _ in 0..count {
            let queue = engine.queue();
            queue.double_assign(&mut vector).unwrap();
            drop(queue.submit().unwrap());
        }
        // Waits for all before it.
        vector.download::<[u64; 4]>().unwrap()
    };
    round(8);
    let before = allocated(&backend);
    let found = round(100);
    // Commands and descriptors take none of it.
    assert_eq!(allocated(&backend), before);
    let twice = |x: &[u64; 4]| (0..108).fold(*x, |x, _| arithmetic::double::<Fr>(&x));
    assert_eq!(found, each(&x, twice));
}

/// How many more blocks a second vector takes: none where the first's is used again.
fn blocks_for(record: impl Fn(&Queue, &mut FieldVec<Fr>), keep: bool) -> u64 {
    let (_guard, mut backend) = built(settled());
    let engine = backend.vectors().unwrap();
    let (_, mut vector) = random::<Fr>(&engine, LEN, 4);
    vector.download::<[u64; 4]>().unwrap();
    // Before the first product some are held to the CPU's, in memory that is kept.
    let queue = engine.queue();
    let square = queue.square(&vector.slice(0..1).unwrap()).unwrap();
    run(queue);
    drop(square);
    let before = allocated(&backend).buffer_bytes;
    let kept = keep.then(|| vector.clone());
    let queue = engine.queue();
    record(&queue, &mut vector);
    drop(queue.submit().unwrap());
    drop(kept);
    (allocated(&backend).buffer_bytes - before) / BLOCK
}

#[test]
fn results_take_the_place_of_what_nobody_sees() {
    let neg = |queue: &Queue, x: &mut FieldVec<Fr>| queue.neg_assign(x).unwrap();
    assert_eq!(blocks_for(neg, false), 0);
    assert_eq!(blocks_for(neg, true), 1);
    // By one result after the other, in kernels of their own.
    let many = |queue: &Queue, x: &mut FieldVec<Fr>| {
        queue.set_fusion(false);
        (0..10).for_each(|_| queue.square_assign(x).unwrap());
    };
    assert_eq!(blocks_for(many, false), 0);
    assert_eq!(blocks_for(many, true), 1);
    // Itself as the other argument.
    let square = |queue: &Queue, x: &mut FieldVec<Fr>| {
        let other = x.clone();
        queue.mul_assign(x, &other).unwrap();
    };
    assert_eq!(blocks_for(square, false), 0);
    // At another place than where it was.
    let shifted = |queue: &Queue, x: &mut FieldVec<Fr>| {
        let (low, high) = x.split_at(LEN / 2).unwrap();
        *x = queue.add(&low, &high).unwrap();
    };
    assert_eq!(blocks_for(shifted, false), 0, "half a block");
}

#[test]
fn memory_of_vectors_that_are_gone_is_used_again_or_freed() {
    let (_guard, mut backend) = built(settled());
    let engine = backend.vectors().unwrap();
    let make = || [0, 1, 2, 3, 4].map(|seed| random::<Fp>(&engine, LEN, seed).1);
    let vectors = make();
    let full = allocated(&backend);
    drop(vectors);
    assert_eq!(allocated(&backend), full, "the pool keeps them");
    let again = make();
    assert_eq!(allocated(&backend), full, "and gives them out again");
    assert_eq!(engine.trim(), 0, "all are in use");
    drop(again);
    let freed = engine.trim();
    assert!(freed >= 5 * 48 * LEN, "{freed}");
    let left = allocated(&backend);
    // The last pieces of the upload may still name theirs.
    assert!(full.buffer_bytes - left.buffer_bytes >= 4 * 48 * LEN as u64);
    assert_eq!(engine.trim(), 0);
}

/// Slices and clones keep all of the memory, and the last one gives it back.
#[test]
fn a_slice_keeps_its_vector() {
    let (_guard, mut backend) = built(settled());
    let engine = backend.vectors().unwrap();
    let (x, vector) = random::<Fr>(&engine, LEN, 5);
    let slice = vector.slice(LEN - 1..LEN).unwrap();
    drop(vector);
    assert_eq!(engine.trim(), 0);
    expect(&slice, &x[LEN - 1..], "the last one");
    drop(slice);
    assert!(engine.trim() >= 32 * LEN);
}

#[test]
fn vectors_outlive_their_backend() {
    let (guard, mut backend) = built(settled());
    let engine: VectorEngine = backend.vectors().unwrap();
    let (x, vector) = random::<Fr>(&engine, 100, 6);
    drop(backend);
    let queue = engine.queue();
    let doubled = queue.double(&vector).unwrap();
    drop((engine, vector));
    let pending = queue.submit().unwrap();
    expect(&doubled, &sums::<Fr>(&x, &x), "on the device that is left");
    pending.wait().unwrap();
    drop(doubled);
    drop(guard);
}

/// Lengths around the pieces of staging memory that vectors cross the bus in.
#[test]
fn vectors_of_many_pieces_come_and_go() {
    let (_guard, mut backend) = built(settled());
    let engine = backend.vectors().unwrap();
    const PIECE: usize = (16 << 20) / 48;
    for len in [PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 2] {
        let (x, vector) = random::<Fp>(&engine, len, 7);
        expect(&vector, &x, "as it went");
        let part = vector.slice(len / 2..len).unwrap();
        expect(&part, &x[len / 2..], "its second half");
        // Refused in the last piece.
        let mut limbs: Vec<u64> = x.as_flattened().to_vec();
        *limbs.last_mut().unwrap() = u64::MAX;
        let error = engines::error(engine.upload::<Fp>(&limbs));
        let expected = format!("element {} of the vector ", len - 1);
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    let again = upload::<Fp>(&engine, &[[1; 6]]);
    expect(&again, &[[1; 6]], "after all of them");
}
