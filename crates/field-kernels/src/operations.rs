//! The registry of element-wise operations: one row each, with its shader function
//! and its meaning.

use std::hash::{Hash, Hasher};

use crate::{Field, Fp, Fr, arithmetic};

/// What an operation does to slices of elements, on the CPU: reads one to three of equal
/// length and writes another. It does not look at those that are more than its arguments.
pub type Bulk<F> = fn([&[<F as Field>::Limbs]; MAX_ARITY], &mut [<F as Field>::Limbs]);

/// Arguments of an operation at most.
pub const MAX_ARITY: usize = 3;

/// What an operation asks of the form of its arguments, and the form of its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormRule {
    /// The same function in Montgomery form and in plain form.
    Either,
    /// Montgomery form.
    Montgomery,
    /// From plain form into Montgomery form.
    IntoMontgomery,
    /// From Montgomery form into plain form.
    OutOfMontgomery,
    /// Any form; the result is in Montgomery form.
    Test,
    /// The first argument in any form; the others, and the result, in one form.
    Select,
}

/// An operation on elements at the same place of their vectors.
#[derive(Debug, Clone, Copy)]
pub struct ElementOperation {
    /// Its name, as in reports.
    pub name: &'static str,
    /// Its function in `shaders/elementwise.comp` or what that includes.
    pub function: &'static str,
    /// How many arguments it takes, 1 to [`MAX_ARITY`].
    pub arity: usize,
    /// What it costs to compute, in field products, about.
    pub products: u32,
    /// Which form it wants.
    pub form: FormRule,
    /// The same on the CPU.
    pub reference: Reference,
}

/// An operation on the CPU, for each field.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    pub(crate) fp: Bulk<Fp>,
    pub(crate) fr: Bulk<Fr>,
}

impl Reference {
    /// For the field `F`.
    #[must_use]
    pub fn of<F: Field>(&self) -> Bulk<F> {
        F::pick(self)
    }
}

// A name stands for one row.
impl PartialEq for ElementOperation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ElementOperation {}

impl Hash for ElementOperation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// A row: name, shader function, cost and form, then what it does to one element of
/// any field `F`.
macro_rules! operation {
    ($name:literal, $function:literal, $products:literal, $form:ident, |$($argument:ident),+| $value:expr) => {
        ElementOperation {
            name: $name,
            function: $function,
            arity: [$(stringify!($argument)),+].len(),
            products: $products,
            form: FormRule::$form,
            reference: Reference {
                fp: operation!(@bulk Fp, $value, $($argument),+),
                fr: operation!(@bulk Fr, $value, $($argument),+),
            },
        }
    };
    (@bulk $field:ident, $value:expr, $($argument:ident),+) => {{
        fn bulk(
            arguments: [&[<$field as Field>::Limbs]; MAX_ARITY],
            out: &mut [<$field as Field>::Limbs],
        ) {
            type F = $field;
            operation!(@each arguments, out, $value, $($argument),+);
        }
        bulk
    }};
    (@each $from:ident, $out:ident, $value:expr, $a:ident) => {
        for (out, $a) in $out.iter_mut().zip($from[0]) {
            *out = $value;
        }
    };
    (@each $from:ident, $out:ident, $value:expr, $a:ident, $b:ident) => {
        for (out, ($a, $b)) in $out.iter_mut().zip($from[0].iter().zip($from[1])) {
            *out = $value;
        }
    };
    (@each $from:ident, $out:ident, $value:expr, $a:ident, $b:ident, $c:ident) => {
        let pairs = $from[0].iter().zip($from[1]);
        for (out, (($a, $b), $c)) in $out.iter_mut().zip(pairs.zip($from[2])) {
            *out = $value;
        }
    };
}

/// a + b.
pub static ADD: ElementOperation =
    operation!("add", "f_add", 0, Either, |a, b| arithmetic::add::<F>(a, b));
/// a - b.
pub static SUB: ElementOperation =
    operation!("sub", "f_sub", 0, Either, |a, b| arithmetic::sub::<F>(a, b));
/// -x.
pub static NEG: ElementOperation =
    operation!("neg", "f_neg", 0, Either, |x| arithmetic::neg::<F>(x));
/// 2 x.
pub static DOUBLE: ElementOperation =
    operation!(
        "double",
        "f_double",
        0,
        Either,
        |x| arithmetic::double::<F>(x)
    );
/// a b.
pub static MUL: ElementOperation =
    operation!("mul", "f_mul", 1, Montgomery, |a, b| arithmetic::mul::<F>(
        a, b
    ));
/// x^2.
pub static SQUARE: ElementOperation =
    operation!(
        "square",
        "f_square",
        1,
        Montgomery,
        |x| arithmetic::square::<F>(x)
    );
/// x^-1, and 0 for 0: of one element at a time. Of a vector, the batched inverse takes
/// three products an element instead.
pub static INVERSE: ElementOperation = operation!("inverse", "f_inverse", 40, Montgomery, |x| {
    arithmetic::inverse::<F>(x).unwrap_or_default()
});
/// From plain form into Montgomery form.
pub static TO_MONTGOMERY: ElementOperation =
    operation!("to_montgomery", "f_to_mont", 1, IntoMontgomery, |x| {
        arithmetic::to_montgomery::<F>(x)
    });
/// From Montgomery form into plain form.
pub static FROM_MONTGOMERY: ElementOperation =
    operation!("from_montgomery", "f_from_mont", 1, OutOfMontgomery, |x| {
        arithmetic::from_montgomery::<F>(x)
    });
/// One where x is zero, zero elsewhere.
pub static IS_ZERO: ElementOperation = operation!("is_zero", "f_one_if_zero", 0, Test, |x| {
    match *x == zero::<F>() {
        true => F::ONE,
        false => zero::<F>(),
    }
});
/// a where the condition is not zero, b where it is.
pub static SELECT: ElementOperation =
    operation!("select", "f_select", 0, Select, |condition, a, b| {
        match *condition == zero::<F>() {
            true => *b,
            false => *a,
        }
    });
/// From the big-endian bytes of a plain value, as they lie in memory, into Montgomery
/// form.
pub static FROM_BE_BYTES: ElementOperation =
    operation!("from_be_bytes", "f_from_bytes", 1, IntoMontgomery, |x| {
        arithmetic::to_montgomery::<F>(&reversed::<F>(x))
    });
/// From Montgomery form to the big-endian bytes of the plain value.
pub static TO_BE_BYTES: ElementOperation =
    operation!("to_be_bytes", "f_to_bytes", 1, OutOfMontgomery, |x| {
        reversed::<F>(&arithmetic::from_montgomery::<F>(x))
    });

fn zero<F: Field>() -> F::Limbs {
    F::Limbs::default()
}

/// The limbs whose bytes in memory are those of `x` from the last to the first.
fn reversed<F: Field>(x: &F::Limbs) -> F::Limbs {
    let mut reversed = *x;
    reversed.as_mut().reverse();
    let limbs = reversed.as_mut().iter_mut();
    limbs.for_each(|limb| *limb = limb.swap_bytes());
    reversed
}

/// Every element-wise operation.
pub static ELEMENT_OPERATIONS: &[&ElementOperation] = &[
    &ADD,
    &SUB,
    &NEG,
    &DOUBLE,
    &MUL,
    &SQUARE,
    &INVERSE,
    &TO_MONTGOMERY,
    &FROM_MONTGOMERY,
    &IS_ZERO,
    &SELECT,
    &FROM_BE_BYTES,
    &TO_BE_BYTES,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_references_compute_every_element() {
        for (index, operation) in ELEMENT_OPERATIONS.iter().enumerate() {
            let before = &ELEMENT_OPERATIONS[..index];
            assert!(before.iter().all(|other| *other != *operation));
            let arguments = [Fr::ONE, Fr::R2, Fr::R3].map(|it| [it; 3]);
            let mut out = [Fr::MODULUS; 3];
            (operation.reference.of::<Fr>())(arguments.each_ref().map(|it| &it[..]), &mut out);
            assert!(out.iter().all(|it| *it == out[0] && *it != Fr::MODULUS));
        }
    }

    #[test]
    fn rows_mean_what_they_say() {
        let one = [Fp::ONE];
        let mut two = [[0; 6]];
        (DOUBLE.reference.of::<Fp>())([&one, &[], &[]], &mut two);
        let mut half = [[0; 6]];
        (INVERSE.reference.of::<Fp>())([&two, &[], &[]], &mut half);
        let mut product = [[0; 6]];
        (MUL.reference.of::<Fp>())([&two, &half, &[]], &mut product);
        assert_eq!(product, one);
        (FROM_MONTGOMERY.reference.of::<Fp>())([&one, &[], &[]], &mut product);
        assert_eq!(product, [[1, 0, 0, 0, 0, 0]]);
        let mut bytes = [[0; 6]];
        (TO_BE_BYTES.reference.of::<Fp>())([&one, &[], &[]], &mut bytes);
        assert_eq!(bytes, [[0, 0, 0, 0, 0, 1 << 56]]);
        (FROM_BE_BYTES.reference.of::<Fp>())([&bytes, &[], &[]], &mut product);
        assert_eq!(product, one);
        let arguments = [&[two[0], [0; 6]], &[one[0]; 2], &[half[0]; 2]];
        let mut chosen = [[0; 6]; 2];
        (SELECT.reference.of::<Fp>())(arguments.map(|it| &it[..]), &mut chosen);
        assert_eq!(chosen, [one[0], half[0]]);
        (IS_ZERO.reference.of::<Fp>())([&[two[0], [0; 6]], &[], &[]], &mut chosen);
        assert_eq!(chosen, [[0; 6], one[0]]);
    }
}
