//! The registry of element-wise operations: one row each, from which come the shader's
//! part of a chain, the CPU's code and what users call.

use std::hash::{Hash, Hasher};

use crate::{ElementId, ElementType, Field, arithmetic};

/// Every row, as an argument of the macro `$use`.
///
/// A row is documentation; a name in capitals, the operation's name, the trait of the
/// types that have it, and its arguments, 1 to [`MAX_ARITY`]; its function in
/// `shaders/elementwise.comp` or what that includes; its cost in field products, about;
/// its [`FormRule`]; and what it does to one element of any field `F` on the CPU.
///
/// Where an argument has a kind (`vector`, or `operand` for one that may be a single
/// element), users get a method of the operation's name, and where another name follows
/// the arguments, one of that name which puts the result in the place of the first.
#[doc(hidden)]
#[macro_export]
macro_rules! element_operations {
    ($use:ident) => {
        $use! {
            /// x + y. Each may be a vector, or one element for all: an integer, a `Scalar`,
            /// or a value of arkworks or blst. Of two single elements the result is a vector
            /// of one.
            { ADD: add<Field>(x: operand, y: operand), add_assign;
              f_add, 0, Either, arithmetic::add::<F>(x, y) }

            /// x - y.
            { SUB: sub<Field>(x: operand, y: operand), sub_assign;
              f_sub, 0, Either, arithmetic::sub::<F>(x, y) }

            /// -x.
            { NEG: neg<Field>(x: vector), neg_assign;
              f_neg, 0, Either, arithmetic::neg::<F>(x) }

            /// 2 x.
            { DOUBLE: double<Field>(x: vector), double_assign;
              f_double, 0, Either, arithmetic::double::<F>(x) }

            /// x y, of vectors in Montgomery form.
            { MUL: mul<Field>(x: operand, y: operand), mul_assign;
              f_mul, 1, Montgomery, arithmetic::mul::<F>(x, y) }

            /// x^2, of a vector in Montgomery form.
            { SQUARE: square<Field>(x: vector), square_assign;
              f_square, 1, Montgomery, arithmetic::square::<F>(x) }

            /// The conjugate: c0 - c1 u for c0 + c1 u.
            { CONJUGATE: conjugate<ExtensionField>(x: vector), conjugate_assign;
              f_conjugate, 0, Either, arithmetic::conjugate::<F>(x) }

            /// One, in Montgomery form, where x is zero, and zero elsewhere, whatever the
            /// form of x. Of `sub(x, y)`: where they are equal.
            { IS_ZERO: is_zero<Field>(x: vector);
              f_one_if_zero, 0, Test, if *x == F::Limbs::default() { F::ONE } else { F::Limbs::default() } }

            /// x where the condition is not zero, y where it is. The condition may be in any
            /// form; x and y, vectors or single elements, are in the same.
            { SELECT: select<Field>(condition: operand, x: operand, y: operand);
              f_select, 0, Select, if *condition == F::Limbs::default() { *y } else { *x } }

            /// From plain form into Montgomery form.
            { TO_MONTGOMERY: to_montgomery<Field>(x: vector), to_montgomery_assign;
              f_to_mont, 1, IntoMontgomery, arithmetic::to_montgomery::<F>(x) }

            /// From Montgomery form into plain form.
            { FROM_MONTGOMERY: from_montgomery<Field>(x: vector), from_montgomery_assign;
              f_from_mont, 1, OutOfMontgomery, arithmetic::from_montgomery::<F>(x) }

            /// From the big-endian bytes of a plain value, as they lie in memory, into
            /// Montgomery form.
            { FROM_BE_BYTES: from_be_bytes<Field>(x);
              f_from_bytes, 1, IntoMontgomery, arithmetic::to_montgomery::<F>(&reversed::<F>(x)) }

            /// From Montgomery form to the big-endian bytes of the plain value.
            { TO_BE_BYTES: to_be_bytes<Field>(x);
              f_to_bytes, 1, OutOfMontgomery, reversed::<F>(&arithmetic::from_montgomery::<F>(x)) }

            /// x^-1, and 0 for 0: of one element at a time. Of a vector, the batched inverse
            /// takes three products an element instead.
            { INVERSE: inverse<Field>(x);
              f_inverse, 40, Montgomery, arithmetic::inverse::<F>(x).unwrap_or_default() }
        }
    };
}

/// What an operation does to slices of elements, on the CPU: reads one to three of equal
/// length and writes another. It does not look at those that are more than its arguments.
pub type Bulk<F> = fn([&[<F as ElementType>::Limbs]; MAX_ARITY], &mut [<F as ElementType>::Limbs]);

/// Arguments of an operation at most.
pub const MAX_ARITY: usize = 3;

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
    domain: Domain,
    row: Row,
}

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

/// Which types of elements have an operation, by the trait that they have.
#[derive(Debug, Clone, Copy)]
enum Domain {
    Field,
    ExtensionField,
}

impl ElementOperation {
    /// Whether elements of a field have it.
    #[must_use]
    pub fn is_of(&self, field: ElementId) -> bool {
        match self.domain {
            Domain::Field => true,
            Domain::ExtensionField => field.coordinates() > 1,
        }
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

macro_rules! registry {
    ($(
        $(#[$doc:meta])*
        { $row:ident: $name:ident<$domain:ident>($($x:ident $(: $kind:ident)?),+) $(, $assign:ident)?;
          $function:ident, $products:literal, $form:ident, $value:expr }
    )*) => {
        $(
            $(#[$doc])*
            pub static $row: ElementOperation = ElementOperation {
                name: stringify!($name),
                function: stringify!($function),
                arity: [$(stringify!($x)),+].len(),
                products: $products,
                form: FormRule::$form,
                domain: Domain::$domain,
                row: Row::$row,
            };
        )*

        /// Every element-wise operation.
        pub static ELEMENT_OPERATIONS: &[&ElementOperation] = &[$(&$row),*];

        #[derive(Debug, Clone, Copy)]
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "the rows' names")]
        enum Row { $($row),* }

        impl ElementOperation {
            /// The same on the CPU.
            #[must_use]
            pub fn bulk<F: Field>(&self) -> Bulk<F> {
                match self.row {
                    $(Row::$row => |arguments, out| {
                        each!(arguments, out, $value, $($x),+);
                    },)*
                }
            }
        }
    };
}

/// Sets each of `$out` to `$value`, with the elements at its place as arguments.
macro_rules! each {
    ($from:ident, $out:ident, $value:expr, $a:ident) => {
        for (out, $a) in $out.iter_mut().zip($from[0]) {
            *out = $value;
        }
    };
    ($from:ident, $out:ident, $value:expr, $a:ident, $b:ident) => {
        for (out, ($a, $b)) in $out.iter_mut().zip($from[0].iter().zip($from[1])) {
            *out = $value;
        }
    };
    ($from:ident, $out:ident, $value:expr, $a:ident, $b:ident, $c:ident) => {
        for (out, ($a, ($b, $c))) in $out
            .iter_mut()
            .zip($from[0].iter().zip($from[1].iter().zip($from[2])))
        {
            *out = $value;
        }
    };
}

element_operations!(registry);

/// The limbs whose bytes in memory are those of `x`, of each coordinate from the last to
/// the first.
fn reversed<E: ElementType>(x: &E::Limbs) -> E::Limbs {
    arithmetic::each_coordinate::<E>(x, |coordinate| {
        let mut reversed = *coordinate;
        reversed.as_mut().reverse();
        let limbs = reversed.as_mut().iter_mut();
        limbs.for_each(|limb| *limb = limb.swap_bytes());
        reversed
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fp, Fr, PrimeField as _};

    #[test]
    fn names_are_unique_and_the_cpu_computes_every_element() {
        for (index, operation) in ELEMENT_OPERATIONS.iter().enumerate() {
            let before = &ELEMENT_OPERATIONS[..index];
            assert!(before.iter().all(|other| *other != *operation));
            let arguments = [Fr::ONE, Fr::R2, Fr::R3].map(|it| [it; 3]);
            let mut out = [Fr::MODULUS; 3];
            (operation.bulk::<Fr>())(arguments.each_ref().map(|it| &it[..]), &mut out);
            assert!(out.iter().all(|it| *it == out[0] && *it != Fr::MODULUS));
        }
    }

    #[test]
    fn rows_mean_what_they_say() {
        let one = [Fp::ONE];
        let mut two = [[0; 6]];
        (DOUBLE.bulk::<Fp>())([&one, &[], &[]], &mut two);
        let mut half = [[0; 6]];
        (INVERSE.bulk::<Fp>())([&two, &[], &[]], &mut half);
        let mut product = [[0; 6]];
        (MUL.bulk::<Fp>())([&two, &half, &[]], &mut product);
        assert_eq!(product, one);
        (FROM_MONTGOMERY.bulk::<Fp>())([&one, &[], &[]], &mut product);
        assert_eq!(product, [[1, 0, 0, 0, 0, 0]]);
        let mut bytes = [[0; 6]];
        (TO_BE_BYTES.bulk::<Fp>())([&one, &[], &[]], &mut bytes);
        assert_eq!(bytes, [[0, 0, 0, 0, 0, 1 << 56]]);
        (FROM_BE_BYTES.bulk::<Fp>())([&bytes, &[], &[]], &mut product);
        assert_eq!(product, one);
        let arguments = [&[two[0], [0; 6]], &[one[0]; 2], &[half[0]; 2]];
        let mut chosen = [[0; 6]; 2];
        (SELECT.bulk::<Fp>())(arguments.map(|it| &it[..]), &mut chosen);
        assert_eq!(chosen, [one[0], half[0]]);
        (IS_ZERO.bulk::<Fp>())([&[two[0], [0; 6]], &[], &[]], &mut chosen);
        assert_eq!(chosen, [[0; 6], one[0]]);
    }
}
