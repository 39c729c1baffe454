//! The registry of element-wise operations: one row each, with its shader function
//! and its meaning.

use std::hash::{Hash, Hasher};

use crate::{Field, Fp, Fr, arithmetic};

/// What an operation does to slices of elements, on the CPU: reads one or two of equal
/// length and writes a third. An operation with one argument does not look at the
/// second slice.
pub type Bulk<F> = fn(&[<F as Field>::Limbs], &[<F as Field>::Limbs], &mut [<F as Field>::Limbs]);

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
}

/// An operation on elements at the same place of their vectors.
#[derive(Debug, Clone, Copy)]
pub struct ElementOperation {
    /// Its name, as in reports.
    pub name: &'static str,
    /// Its function in `shaders/elementwise.comp` or what that includes.
    pub function: &'static str,
    /// How many arguments it takes, 1 or 2.
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
    ($name:literal, $function:literal, $products:literal, $form:ident, |$a:ident, $b:ident| $value:expr) => {
        ElementOperation {
            name: $name,
            function: $function,
            arity: 2,
            products: $products,
            form: FormRule::$form,
            reference: Reference {
                fp: operation!(@bulk Fp, $a, $b, $value),
                fr: operation!(@bulk Fr, $a, $b, $value),
            },
        }
    };
    ($name:literal, $function:literal, $products:literal, $form:ident, |$a:ident| $value:expr) => {
        ElementOperation {
            name: $name,
            function: $function,
            arity: 1,
            products: $products,
            form: FormRule::$form,
            reference: Reference {
                fp: operation!(@bulk Fp, $a, $value),
                fr: operation!(@bulk Fr, $a, $value),
            },
        }
    };
    (@bulk $field:ident, $a:ident, $b:ident, $value:expr) => {{
        fn bulk(
            a: &[<$field as Field>::Limbs],
            b: &[<$field as Field>::Limbs],
            out: &mut [<$field as Field>::Limbs],
        ) {
            type F = $field;
            for (out, ($a, $b)) in out.iter_mut().zip(a.iter().zip(b)) {
                *out = $value;
            }
        }
        bulk
    }};
    (@bulk $field:ident, $a:ident, $value:expr) => {{
        fn bulk(
            a: &[<$field as Field>::Limbs],
            _: &[<$field as Field>::Limbs],
            out: &mut [<$field as Field>::Limbs],
        ) {
            type F = $field;
            for (out, $a) in out.iter_mut().zip(a) {
                *out = $value;
            }
        }
        bulk
    }};
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
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_references_compute_every_element() {
        for (index, operation) in ELEMENT_OPERATIONS.iter().enumerate() {
            let before = &ELEMENT_OPERATIONS[..index];
            assert!(before.iter().all(|other| *other != *operation));
            let (a, b) = ([Fr::ONE; 3], [Fr::R2; 3]);
            let mut out = [Fr::MODULUS; 3];
            (operation.reference.of::<Fr>())(&a, &b, &mut out);
            assert!(out.iter().all(|it| *it == out[0] && *it != Fr::MODULUS));
        }
    }

    #[test]
    fn rows_mean_what_they_say() {
        let one = [Fp::ONE];
        let mut two = [[0; 6]];
        (DOUBLE.reference.of::<Fp>())(&one, &[], &mut two);
        let mut half = [[0; 6]];
        (INVERSE.reference.of::<Fp>())(&two, &[], &mut half);
        let mut product = [[0; 6]];
        (MUL.reference.of::<Fp>())(&two, &half, &mut product);
        assert_eq!(product, one);
        (FROM_MONTGOMERY.reference.of::<Fp>())(&one, &[], &mut product);
        assert_eq!(product, [[1, 0, 0, 0, 0, 0]]);
    }
}
