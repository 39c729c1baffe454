//! Arguments that an operation refuses, and what the error says.

use field_kernels::{ElementType, FR_MODULUS, Field, Fp, Fr, MODULUS, arithmetic};
use gpu_executor::vectors::{Form, Scalar, VectorEngine};
use gpu_executor::{Error, Inputs, Refused};

use crate::engines::{self, error, expect, on_both_engines, random, refused, run, upload};
use crate::support;

on_both_engines! {
    lengths_must_fit
    forms_must_fit
    a_scalar_is_one_element
    a_fill_is_of_one_element
    integers_take_the_form_of_what_they_are_used_with
    limbs_are_whole_elements
    bytes_are_whole_elements_below_the_modulus
    elements_are_below_the_modulus
}

fn lengths_must_fit(engine: &VectorEngine) {
    let (_, x) = random::<Fp>(engine, 5, 4);
    let (_, y) = random::<Fp>(engine, 6, 4);
    let queue = engine.queue();
    let unequal = |operation| Error::UnequalVectors {
        operation,
        left: 5,
        right: 6,
    };
    assert_eq!(error(queue.add(&x, &y)), unequal("add"));
    assert_eq!(error(queue.mul(&x, &y)), unequal("mul"));
    assert_eq!(error(queue.inner_product(&x, &y)), unequal("inner_product"));
    assert_eq!(error(queue.equal(&x, &y)), unequal("equal"));
    refused!(queue.sub(&x, &y) => "sub: expected vectors of equal length, found 5 and 6 elements");
    refused!(queue.fill(Scalar::<Fp>::one(), usize::MAX)
        => Error::VectorTooLong { operation: "fill", found: usize::MAX, .. });
}

fn forms_must_fit(engine: &VectorEngine) {
    let montgomery = upload::<Fr>(engine, &[[1, 2, 3, 4]]);
    let plain = engine.upload_plain::<Fr>(&[[1, 2, 3, 4]][..]).unwrap();
    let queue = engine.queue();
    let wrong = engines::wrong_form;
    let (m, p) = (Form::Montgomery, Form::Plain);
    assert_eq!(error(queue.mul(&plain, &plain)), wrong("mul", m, p));
    assert_eq!(error(queue.mul(&montgomery, &plain)), wrong("mul", m, p));
    assert_eq!(error(queue.square(&plain)), wrong("square", m, p));
    assert_eq!(error(queue.pow(&plain, 0)), wrong("pow", m, p));
    assert_eq!(error(queue.inverse(&plain)), wrong("inverse", m, p));
    assert_eq!(error(queue.product(&plain)), wrong("product", m, p));
    assert_eq!(error(queue.add(&montgomery, &plain)), wrong("add", m, p));
    assert_eq!(error(queue.add(&plain, &montgomery)), wrong("add", p, m));
    let one = Scalar::new(Fr::ONE);
    assert_eq!(error(queue.add(&plain, &one)), wrong("add", p, m));
    assert_eq!(error(queue.sub(one, &plain)), wrong("sub", m, p));
    let select = queue.select(&plain, &montgomery, &plain);
    assert_eq!(error(select), wrong("select", m, p));
    let equal = queue.equal(&plain, &montgomery);
    assert_eq!(error(equal), wrong("equal", p, m));
    let converted = queue.to_montgomery(&montgomery);
    assert_eq!(error(converted), wrong("to_montgomery", p, m));
    refused!(queue.from_montgomery(&plain)
        => "from_montgomery: expected elements in Montgomery form, found plain form");
    assert_eq!(queue.sum(&plain).unwrap().form(), p);
    assert_eq!(queue.is_zero(&plain).unwrap().form(), m);
    assert_eq!(queue.select(&montgomery, &plain, 5).unwrap().form(), p);
    assert_eq!(queue.fill::<Fr>(7, 2).unwrap().form(), m);
}

fn a_scalar_is_one_element(engine: &VectorEngine) {
    for found in [0, 2] {
        let (_, x) = random::<Fr>(engine, found, 6);
        assert_eq!(
            error(x.as_scalar()).to_string(),
            format!("as_scalar: expected a vector of one element, found {found} elements")
        );
    }
    let bad = Scalar::<Fr>::new(FR_MODULUS);
    let (_, x) = random::<Fr>(engine, 2, 6);
    refused!(engine.queue().add(&x, bad) => Error::NotCanonical(Refused { limb: 0, .. }));
}

fn a_fill_is_of_one_element(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 4, 8);
    let queue = engine.queue();
    let one = vector.slice(2..3).unwrap();
    let all = [
        (queue.fill(&one, 3), x[2]),
        (queue.fill(one.as_scalar().unwrap(), 3), x[2]),
        (queue.fill(Scalar::new(x[1]), 3), x[1]),
        (
            queue.fill(5, 3),
            arithmetic::to_montgomery::<Fr>(&[5, 0, 0, 0]),
        ),
        (queue.fill(queue.sum(&one).unwrap(), 3), x[2]),
    ];
    let all = all.map(|(filled, expected)| (filled.unwrap(), expected));
    refused!(queue.fill(&vector, 3)
        => "as_scalar: expected a vector of one element, found 4 elements");
    run(queue);
    for (filled, expected) in all {
        expect(&filled, &[expected; 3], "filled");
    }
}

fn integers_take_the_form_of_what_they_are_used_with(engine: &VectorEngine) {
    let plain = engine.upload_plain::<Fr>(&[[1, 2, 3, 4]]).unwrap();
    let queue = engine.queue();
    let montgomery = queue.to_montgomery(&plain).unwrap();
    let seven = Scalar::plain([7, 0, 0, 0]);
    let sums = [
        queue.add(&plain, 7).unwrap(),
        queue.add(&seven, &plain).unwrap(),
        queue
            .from_montgomery(&queue.add(&montgomery, 7).unwrap())
            .unwrap(),
        queue
            .from_montgomery(&queue.add(&montgomery, &seven).unwrap())
            .unwrap(),
        queue
            .select(&montgomery, queue.add(&plain, 7).unwrap(), 9)
            .unwrap(),
    ];
    let alone = queue.from_montgomery(&queue.mul(6, 7).unwrap()).unwrap();
    run(queue);
    for sum in sums {
        assert_eq!(sum.form(), Form::Plain);
        expect(&sum, &[[8, 2, 3, 4]], "seven more");
    }
    expect::<Fr>(&alone, &[[42, 0, 0, 0]], "of integers alone");
    refused!(engine.queue().add(&plain, Scalar::plain(FR_MODULUS))
        => Error::NotCanonical(Refused { limb: 0, .. }));
}

fn bytes_are_whole_elements_below_the_modulus(engine: &VectorEngine) {
    let mut bytes = vec![1; 32 * 5000];
    let modulus: Vec<u8> = FR_MODULUS
        .iter()
        .rev()
        .flat_map(|limb| limb.to_be_bytes())
        .collect();
    bytes[32 * 4711..][..32].copy_from_slice(&modulus);
    bytes[32 * 4711 + 15] += 1;
    let refused = not_canonical::<Fr>(4711, 2, FR_MODULUS[2] + 1);
    assert_eq!(error(engine.upload_be_bytes::<Fr>(&bytes)), refused);
    let (queue, parts) = (engine.queue(), bytes.split_at(32 * 4000));
    let in_parts = queue.upload_be_bytes::<Fr>(&[parts.0, &[], parts.1]);
    assert_eq!(error(in_parts), refused);
    refused!(queue.upload_be_bytes::<Fr>(&[&bytes[..48], &bytes[48..64]])
        => "the vector: expected a multiple of 32 bytes, found 48 bytes");
    refused!(engine.upload_be_bytes::<Fp>(&bytes[..100])
        => "the vector: expected a multiple of 48 bytes, found 100 bytes");
    let (_, x) = random::<Fr>(engine, 3, 9);
    refused!(x.download_be_bytes_into(&mut [0; 95])
        => "the output: expected 96 bytes, found 95 bytes");
    let queue = engine.queue();
    let recorded = queue.double(&x).unwrap();
    refused!(recorded.download_be_bytes() => Error::NotSubmitted { operation: "to_be_bytes" });
}

fn limbs_are_whole_elements(engine: &VectorEngine) {
    refused!(engine.upload::<Fp>(&vec![1_u64; 13])
        => "the vector: expected a multiple of 6 limbs, found 13 limbs");
    let (_, x) = random::<Fr>(engine, 3, 7);
    refused!(x.download_into(&mut [0; 11]) => "the output: expected 12 limbs, found 11 limbs");
}

fn not_canonical<F: ElementType>(element: usize, limb: usize, found: u64) -> Error {
    Error::NotCanonical(Refused {
        job: None,
        what: "the vector",
        element,
        name: F::NAME,
        limb,
        bound: F::ID.modulus()[limb],
        found,
    })
}

fn elements_are_below_the_modulus(engine: &VectorEngine) {
    let mut limbs = vec![1_u64; 6 * 1000];
    limbs[6 * 700..6 * 701].copy_from_slice(&MODULUS);
    limbs[6 * 700 + 2] += 1;
    let refused = not_canonical::<Fp>(700, 2, MODULUS[2] + 1);
    assert_eq!(error(engine.upload::<Fp>(&limbs)), refused);
    let mut limbs = vec![[1_u64; 4]; 9];
    limbs[8] = FR_MODULUS;
    let refused = not_canonical::<Fr>(8, 0, FR_MODULUS[0]);
    assert_eq!(error(engine.upload::<Fr>(&limbs)), refused);
    limbs[0] = [0, 0, 0, u64::MAX];
    refused!(engine.upload_plain::<Fr>(&limbs)
        => "element 0 of the vector (fr): expected limb 3 below 0x73eda753299d7d48, found \
            0xffffffffffffffff, which makes it the modulus or more; docs/configuration.md tells \
            where the check can be switched off");
}

/// Where the backend is asked to take them, any limbs pass.
#[test]
fn any_limbs_pass_where_nobody_looks() {
    let (_guard, mut backend) = support::built(engines::settled().inputs(Inputs::Any));
    let engine = backend.vectors().unwrap();
    let limbs = vec![u64::MAX; 4 * 100];
    let vector = engine.upload::<Fr>(&limbs).unwrap();
    assert_eq!(vector.download::<u64>().unwrap(), limbs);
}
