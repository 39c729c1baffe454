//! Vectors and readbacks where they are not to be had, and what the error says.

use std::sync::Arc;

use field_kernels::{Field, Fr};
use gpu_executor::vectors::{FieldVec, Pending, Scalar, VectorEngine};
use gpu_executor::{DataPathError, Error};

use crate::engines::{self, error, expect, on_both_engines, random, refused, run, upload};

on_both_engines! {
    a_queue_that_is_dropped_leaves_vectors_that_were_not_submitted
    a_submission_that_fails_leaves_vectors_that_were_not_computed
    vectors_of_two_engines_do_not_mix
    readbacks_belong_to_their_submission
    empty_vectors_go_everywhere
}

fn a_queue_that_is_dropped_leaves_vectors_that_were_not_submitted(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 10, 1);
    let queue = engine.queue();
    let mut doubled = queue.double(&vector).unwrap();
    let part = doubled.slice(2..5).unwrap();
    let not = |operation| Error::NotSubmitted { operation };
    assert_eq!(error(part.download::<u64>()), not("download"));
    drop(queue);
    assert_eq!(error(doubled.download::<u64>()), not("download"));
    let queue = engine.queue();
    assert_eq!(error(queue.add(&vector, &doubled)), not("add"));
    assert_eq!(error(queue.sum(&part)), not("sum"));
    assert_eq!(error(queue.read(&doubled)), not("read"));
    let scalar = part.slice(0..1).unwrap().as_scalar().unwrap();
    assert_eq!(error(queue.fill(&scalar, 3)), not("fill"));
    refused!(queue.neg_assign(&mut doubled)
        => "neg: expected a vector that was computed, or recorded in this queue; found one of a \
            queue that was not submitted");
    // What was refused left nothing in the queue.
    assert_eq!(run(queue).report().operations, 0);
    expect(&vector, &x, "the argument");
}

fn a_submission_that_fails_leaves_vectors_that_were_not_computed(engine: &VectorEngine) {
    let (x, mut vector) = random::<Fr>(engine, 10, 2);
    let queue = engine.queue();
    let doubled = queue.double(&vector).unwrap();
    let clone = vector.clone();
    queue.neg_assign(&mut vector).unwrap();
    let _huge = queue.fill(Scalar::<Fr>::one(), 1 << 50).unwrap();
    let failed = error(queue.submit().and_then(Pending::wait));
    refused!(Err::<(), _>(failed.clone()) => Error::OutOfHostMemory { .. }
        | Error::DataPath(DataPathError::OutOfDeviceMemory { .. }));
    for lost in [&doubled, &vector] {
        let expected = Error::NotComputed {
            operation: "download",
            source: Arc::new(failed.clone()),
        };
        let found = error(lost.download::<u64>());
        assert_eq!(found, expected);
        let cause = std::error::Error::source(&found).unwrap();
        assert_eq!(cause.to_string(), failed.to_string());
    }
    let queue = engine.queue();
    refused!(queue.mul(&clone, &vector) => Error::NotComputed { operation: "mul", .. });
    // The engine goes on, and so does what was there before.
    let again = queue.double(&clone).unwrap();
    run(queue);
    expect(&clone, &x, "the argument");
    assert!(again.download::<[u64; 4]>().is_ok());
}

fn vectors_of_two_engines_do_not_mix(engine: &VectorEngine) {
    let other = engines::cpu();
    let (_, own) = random::<Fr>(engine, 4, 3);
    let (_, foreign) = random::<Fr>(&other, 4, 3);
    let queue = engine.queue();
    let is = |operation| Error::ForeignVector { operation };
    assert_eq!(error(queue.add(&own, &foreign)), is("add"));
    assert_eq!(error(queue.add(&foreign, &own)), is("add"));
    let inner = queue.inner_product(&own, &foreign);
    assert_eq!(error(inner), is("inner_product"));
    assert_eq!(error(queue.equal(&own, &foreign)), is("equal"));
    assert_eq!(error(queue.read(&foreign)), is("read"));
    assert_eq!(error(queue.inverse(&foreign)), is("inverse"));
    let scalar = foreign.slice(0..1).unwrap().as_scalar().unwrap();
    assert_eq!(error(queue.mul(&own, scalar)), is("mul"));
    // Clones of an engine are the same.
    assert!(engine.clone().queue().add(&own, &own).is_ok());
}

fn readbacks_belong_to_their_submission(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 3, 8);
    let (one, two) = (engine.queue(), engine.queue());
    let (read, other) = (one.read(&vector).unwrap(), two.read(&vector).unwrap());
    let (same, others) = (one.equal(&vector, &vector), two.equal(&vector, &vector));
    let (done, _) = (run(one), run(two));
    assert_eq!(done.elements(&read).unwrap(), x);
    assert!(done.equal(&same.unwrap()).unwrap());
    assert_eq!(error(done.elements(&other)), Error::ForeignReadback);
    assert_eq!(error(done.element(&other)), Error::ForeignReadback);
    assert_eq!(error(done.equal(&others.unwrap())), Error::ForeignReadback);
    refused!(done.element(&read)
        => "element: expected a readback of one element, found 3 elements");
}

/// Vectors of no elements, uploaded, computed and cut off.
fn empty_vectors_go_everywhere(engine: &VectorEngine) {
    let nothing = upload::<Fr>(engine, &[]);
    let (_, vector) = random::<Fr>(engine, 3, 9);
    let cut = vector.slice(2..2).unwrap();
    let queue = engine.queue();
    let computed = queue.mul(&nothing, &cut).unwrap();
    let filled = queue.fill(Scalar::one(), 0).unwrap();
    let inverse = queue.inverse(&cut).unwrap();
    let all: [&FieldVec<Fr>; 5] = [&nothing, &cut, &computed, &filled, &inverse];
    let first = queue.read(&vector).unwrap();
    let reads = all.map(|x| queue.read(x).unwrap());
    let last = queue.read(&vector).unwrap();
    let sums = all.map(|x| queue.sum(x).unwrap());
    let products = all.map(|x| queue.product(x).unwrap());
    let inner = queue.inner_product(&cut, &nothing).unwrap();
    let equal = queue.equal(&cut, &filled).unwrap();
    let done = run(queue);
    for read in &reads {
        assert_eq!(done.elements(read).unwrap(), Vec::<[u64; 4]>::new());
    }
    assert_eq!(
        done.elements(&first).unwrap(),
        done.elements(&last).unwrap()
    );
    assert!(done.equal(&equal).unwrap());
    for (sum, product) in sums.iter().zip(&products) {
        expect(sum, &[[0; 4]], "a sum of nothing");
        expect(product, &[Fr::ONE], "a product of nothing");
    }
    expect(&inner, &[[0; 4]], "an inner product of nothing");
    for empty in all {
        assert_eq!(empty.download::<u64>().unwrap(), Vec::<u64>::new());
    }
}
