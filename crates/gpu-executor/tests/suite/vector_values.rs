//! Vectors are values: whatever is done with one, no other changes.

use field_kernels::{ElementType as _, Fp, Fr, PrimeField, arithmetic};
use gpu_executor::vectors::{FieldVec, Form, MemoryAccess, Queue, Scalar, VectorEngine};

use crate::engines::{
    self, each, expect, inverses, on_both_engines, products, random, run, sum, upload,
};

on_both_engines! {
    [engines::settled().memory_access(MemoryAccess::Staged).workgroup_size(64)]
    clones_keep_their_elements_whatever_is_done_in_place
    a_vector_is_overwritten_only_where_nobody_sees_it
    one_vector_may_be_both_arguments
    a_scalar_may_be_an_element_of_the_vector_it_changes
    plain_and_montgomery_form
    exponents_as_long_as_the_modulus
}

/// Puts a result in the place of the first vector.
pub(crate) type InPlace = fn(&Queue, &mut FieldVec<Fr>, &FieldVec<Fr>);

/// Every operation that puts its result in the place of its argument, but permutations.
const IN_PLACE: [(&str, InPlace); 9] = [
    ("add", |q, x, y| q.add_assign(x, y).unwrap()),
    ("sub", |q, x, y| q.sub_assign(x, y).unwrap()),
    ("mul", |q, x, y| q.mul_assign(x, y).unwrap()),
    ("axpy", |q, x, y| {
        q.axpy_assign(Scalar::one(), y, x).unwrap()
    }),
    ("neg", |q, x, _| q.neg_assign(x).unwrap()),
    ("double", |q, x, _| q.double_assign(x).unwrap()),
    ("square", |q, x, _| q.square_assign(x).unwrap()),
    ("pow", |q, x, _| q.pow_assign(x, 5).unwrap()),
    ("inverse", |q, x, _| q.inverse_assign(x).unwrap()),
];

fn clones_keep_their_elements_whatever_is_done_in_place(engine: &VectorEngine) {
    for (name, in_place) in IN_PLACE {
        check_clones(engine, name, in_place);
    }
}

/// A clone and a slice, made before, in the same submission and after one.
pub(crate) fn check_clones(engine: &VectorEngine, name: &str, in_place: InPlace) {
    let (x, vector) = random::<Fr>(engine, 256, 1);
    let (y, other) = random::<Fr>(engine, 256, 2);
    let (clone, part) = (vector.clone(), vector.slice(3..200).unwrap());
    let mut changed = vector.clone();
    let queue = engine.queue();
    in_place(&queue, &mut changed, &other);
    let (first, first_part) = (changed.clone(), changed.slice(1..9).unwrap());
    in_place(&queue, &mut changed, &other);
    run(queue);
    let once = first.download::<[u64; 4]>().unwrap();
    assert!(once != x || name == "neg", "{name} did something");
    expect(&first_part, &once[1..9], name);
    let queue = engine.queue();
    in_place(&queue, &mut changed, &other);
    run(queue);
    expect(&clone, &x, name);
    expect(&part, &x[3..200], name);
    expect(&first, &once, name);
    expect(&other, &y, name);
}

/// With the only handle on it its memory may be taken, and the result is the same.
fn a_vector_is_overwritten_only_where_nobody_sees_it(engine: &VectorEngine) {
    for (name, in_place) in IN_PLACE {
        check_overwriting(engine, name, in_place);
    }
}

pub(crate) fn check_overwriting(engine: &VectorEngine, name: &str, in_place: InPlace) {
    let (x, vector) = random::<Fr>(engine, 128, 3);
    let (_, other) = random::<Fr>(engine, 128, 4);
    let (mut alone, mut shared) = (upload::<Fr>(engine, &x), vector.clone());
    for _ in 0..2 {
        for changed in [&mut alone, &mut shared] {
            let queue = engine.queue();
            in_place(&queue, changed, &other);
            run(queue);
        }
        expect(&alone, &shared.download::<[u64; 4]>().unwrap(), name);
    }
    // A slice that is left is enough to be kept from it.
    let mut changed = upload::<Fr>(engine, &x);
    let part = changed.slice(5..6).unwrap();
    let queue = engine.queue();
    in_place(&queue, &mut changed, &other);
    run(queue);
    expect(&part, &x[5..6], name);
}

fn one_vector_may_be_both_arguments(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 130, 10);
    let mut own = upload::<Fr>(engine, &x);
    let queue = engine.queue();
    let itself = own.clone();
    queue.mul_assign(&mut own, &itself).unwrap();
    drop(itself);
    let nothing = queue.sub(&vector, &vector).unwrap();
    let same = queue.equal(&vector, &vector).unwrap();
    let norm = queue.inner_product(&vector, &vector).unwrap();
    let done = run(queue);
    expect(&own, &products::<Fr>(&x, &x), "x x, in place");
    expect(&nothing, &[[0; 4]; 130], "x - x");
    expect(&norm, &[sum::<Fr>(&products::<Fr>(&x, &x))], "x . x");
    assert!(done.equal(&same).unwrap());
}

/// The element is read by all invocations, also after one of them wrote it.
fn a_scalar_may_be_an_element_of_the_vector_it_changes(engine: &VectorEngine) {
    let (x, mut vector) = random::<Fr>(engine, 1000, 11);
    let queue = engine.queue();
    let pivot = vector.slice(500..501).unwrap().as_scalar().unwrap();
    queue.sub_assign(&mut vector, pivot).unwrap();
    run(queue);
    let expected = each(&x, |x_i| arithmetic::sub::<Fr>(x_i, &x[500]));
    expect(&vector, &expected, "all less one of them");
}

fn plain_and_montgomery_form(engine: &VectorEngine) {
    let (x, _) = random::<Fp>(engine, 200, 12);
    let mut vector = engine.upload_plain::<Fp>(Fp::words(&x)).unwrap();
    assert_eq!(vector.form(), Form::Plain);
    let queue = engine.queue();
    let five = [5, 0, 0, 0, 0, 0];
    let sum = queue.add(&vector, Scalar::plain(five)).unwrap();
    queue.to_montgomery_assign(&mut vector).unwrap();
    let square = queue.square(&vector).unwrap();
    let plain = queue.from_montgomery(&square).unwrap();
    assert_eq!(
        (sum.form(), vector.form(), plain.form()),
        (Form::Plain, Form::Montgomery, Form::Plain)
    );
    run(queue);
    let expected = each(&x, |x| arithmetic::add::<Fp>(x, &five));
    expect(&sum, &expected, "x + 5, plain");
    let montgomery = each(&x, arithmetic::to_montgomery::<Fp>);
    expect(&vector, &montgomery, "x R");
    let squares = products::<Fp>(&montgomery, &montgomery);
    let squares = each(&squares, arithmetic::from_montgomery::<Fp>);
    expect(&plain, &squares, "x^2");
}

/// x^(p-2) is the inverse, x^(p-1) is one of all but zero, and x^p is x.
fn exponents_as_long_as_the_modulus(engine: &VectorEngine) {
    check_exponents::<Fr>(engine);
    check_exponents::<Fp>(engine);
}

fn check_exponents<F: PrimeField>(engine: &VectorEngine) {
    let (x, vector) = random::<F>(engine, 140, 13);
    let queue = engine.queue();
    let [inverse, one, same] = [2, 1, 0].map(|less| {
        let mut exponent = F::MODULUS;
        exponent.as_mut()[0] -= less;
        queue.pow(&vector, exponent.as_ref()).unwrap()
    });
    run(queue);
    let zero = F::Limbs::default();
    let ones = each(&x, |x| if *x == zero { zero } else { F::ONE });
    assert!(x.contains(&zero));
    expect(&inverse, &inverses::<F>(&x), "x^(p-2)");
    expect(&one, &ones, "x^(p-1)");
    expect(&same, &x, "x^p");
}
