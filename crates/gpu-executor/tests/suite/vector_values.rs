//! Vectors are values: whatever is done with one, no other changes.

use field_kernels::{
    ElementType, Field, FormRule, Fp, Fp2, Fr, PrimeField, arithmetic, operations,
};
use gpu_executor::Result;
use gpu_executor::vectors::{FieldVec, Form, MemoryAccess, Queue, Scalar, VectorEngine};

use crate::engines::{
    self, each, elements, expect, inverses, on_both_engines, products, random, run, sum, upload,
};
use crate::oracle;
use crate::vectors::Record;

on_both_engines! {
    [engines::settled().memory_access(MemoryAccess::Staged).workgroup_size(64)]
    clones_keep_their_elements_whatever_is_done_in_place
    a_vector_is_overwritten_only_where_nobody_sees_it
    one_vector_may_be_both_arguments
    a_scalar_may_be_an_element_of_the_vector_it_changes
    plain_and_montgomery_form
    exponents_as_long_as_the_modulus<Fr, Fp>
}

/// An operation of vectors, and the same with the result in the place of the first.
struct InPlace<F: Field> {
    name: &'static str,
    /// The form of the first vector.
    form: Form,
    result: Record<F>,
    in_place: Assign<F>,
}

type Assign<F> = fn(&Queue, &mut FieldVec<F>, &FieldVec<F>) -> Result<()>;

/// Every method that puts its result in the place of an argument: those of the registry's
/// rows that all fields have, and those that are written by hand.
fn all_in_place() -> Vec<InPlace<Fr>> {
    let rows = field_kernels::element_operations!(rows);
    let mut all: Vec<InPlace<Fr>> = rows.into_iter().flatten().collect();
    let row = |name, result: Record<Fr>, in_place: Assign<Fr>| InPlace {
        name,
        form: Form::Montgomery,
        result,
        in_place,
    };
    all.extend([
        row(
            "axpy",
            |q, x, y| q.axpy(Scalar::one(), y, x),
            |q, x, y| q.axpy_assign(Scalar::one(), y, x),
        ),
        row("pow", |q, x, _| q.pow(x, 5), |q, x, _| q.pow_assign(x, 5)),
        row(
            "inverse",
            |q, x, _| q.inverse(x),
            |q, x, _| q.inverse_assign(x),
        ),
        row(
            "bit_reverse",
            |q, x, _| q.bit_reverse(x),
            |q, x, _| q.bit_reverse_assign(x),
        ),
    ]);
    all
}

macro_rules! rows {
    ($($(#[$doc:meta])* { $($row:tt)* })*) => { [$(row!($($row)*)),*] };
}

/// What extensions have beside.
const CONJUGATE: InPlace<Fp2> = InPlace {
    name: "conjugate",
    form: Form::Montgomery,
    result: |q, x, _| q.conjugate(x),
    in_place: |q, x, _| q.conjugate_assign(x),
};

macro_rules! row {
    ($row:ident: conjugate<ExtensionField>$($rest:tt)*) => { None };
    ($row:ident: $name:ident<$trait:ident>($x:ident: $a:ident), $assign:ident; $($rest:tt)*) => {
        row!(@some $row, |q, x, _| q.$name(x), |q, x, _| q.$assign(x))
    };
    ($row:ident: $name:ident<$trait:ident>($x:ident: $a:ident, $y:ident: $b:ident), $assign:ident; $($rest:tt)*) => {
        row!(@some $row, |q, x, y| q.$name(x, y), |q, x, y| q.$assign(x, y))
    };
    // No such method.
    ($row:ident: $name:ident<$trait:ident>($($x:ident $(: $kind:ident)?),+); $($rest:tt)*) => { None };
    (@some $row:ident, $result:expr, $in_place:expr) => {
        Some(InPlace {
            name: operations::$row.name,
            form: match operations::$row.form {
                FormRule::IntoMontgomery => Form::Plain,
                _ => Form::Montgomery,
            },
            result: $result,
            in_place: $in_place,
        })
    };
}
use {row, rows};

impl<F: Field> InPlace<F> {
    /// Elements, and a vector of them in the form that it takes.
    fn random(
        &self,
        engine: &VectorEngine,
        count: usize,
        seed: u64,
    ) -> (Vec<F::Limbs>, FieldVec<F>) {
        let elements = oracle::random::<F>(count, seed);
        let vector = self.upload(engine, &elements);
        (elements, vector)
    }

    fn upload(&self, engine: &VectorEngine, elements: &[F::Limbs]) -> FieldVec<F> {
        let words = F::words(elements);
        match self.form {
            Form::Plain => engine.upload_plain(words).unwrap(),
            Form::Montgomery => engine.upload(words).unwrap(),
        }
    }
}

fn clones_keep_their_elements_whatever_is_done_in_place(engine: &VectorEngine) {
    check_clones(engine, &CONJUGATE);
    for operation in all_in_place() {
        check_clones(engine, &operation);
    }
}

/// A clone and a slice, made before, in the same submission and after one.
fn check_clones<F: Field>(engine: &VectorEngine, operation: &InPlace<F>) {
    let name = operation.name;
    let (x, vector) = operation.random(engine, 256, 1);
    let (y, other) = random::<F>(engine, 256, 2);
    // A second time, which a conversion has not.
    let again = |queue: &Queue, changed: &mut FieldVec<F>| match changed.form() == operation.form {
        true => (operation.in_place)(queue, changed, &other).unwrap(),
        false => queue.double_assign(changed).unwrap(),
    };
    let (clone, part) = (vector.clone(), vector.slice(3..200).unwrap());
    let mut changed = vector.clone();
    let queue = engine.queue();
    (operation.in_place)(&queue, &mut changed, &other).unwrap();
    let (first, first_part) = (changed.clone(), changed.slice(1..9).unwrap());
    again(&queue, &mut changed);
    run(queue);
    let once = elements(&first).unwrap();
    assert!(once != x, "{name} did something");
    expect(&first_part, &once[1..9], name);
    let queue = engine.queue();
    again(&queue, &mut changed);
    run(queue);
    expect(&clone, &x, name);
    expect(&part, &x[3..200], name);
    expect(&first, &once, name);
    expect(&other, &y, name);
}

/// With the only handle on it its memory may be taken, and the result is the same.
fn a_vector_is_overwritten_only_where_nobody_sees_it(engine: &VectorEngine) {
    check_overwriting(engine, &CONJUGATE);
    for operation in all_in_place() {
        check_overwriting(engine, &operation);
    }
}

fn check_overwriting<F: Field>(engine: &VectorEngine, operation: &InPlace<F>) {
    let name = operation.name;
    let (x, vector) = operation.random(engine, 128, 3);
    let (_, other) = random::<F>(engine, 128, 4);
    let (mut alone, mut shared) = (operation.upload(engine, &x), vector.clone());
    for _ in 0..2 {
        // A conversion once alone.
        if alone.form() != operation.form {
            break;
        }
        let queue = engine.queue();
        let result = (operation.result)(&queue, &shared, &other).unwrap();
        run(queue);
        let expected = elements(&result).unwrap();
        for changed in [&mut alone, &mut shared] {
            let queue = engine.queue();
            (operation.in_place)(&queue, changed, &other).unwrap();
            run(queue);
            expect(changed, &expected, name);
            assert_eq!(changed.form(), result.form(), "{name}");
        }
    }
    // A slice that is left is enough to be kept from it.
    let mut changed = operation.upload(engine, &x);
    let part = changed.slice(5..6).unwrap();
    let queue = engine.queue();
    (operation.in_place)(&queue, &mut changed, &other).unwrap();
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
fn exponents_as_long_as_the_modulus<F: PrimeField>(engine: &VectorEngine) {
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
