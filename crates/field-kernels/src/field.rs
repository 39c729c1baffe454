//! Fields: what their elements can do, and the two prime fields as types.

use crate::element::element_type;
use crate::{ElementType, FR_MODULUS, MODULUS, limbs, params};

/// A field, as a type: [`Fp`], [`Fr`] and extensions of them. [`arithmetic`](crate::arithmetic)
/// computes in it.
pub trait Field: ElementType + compute::Compute {
    /// One in Montgomery form.
    const ONE: Self::Limbs;
}

/// A prime field, as a type.
///
/// All constants but the generator follow from [`MODULUS`](Self::MODULUS), by
/// [`params`].
pub trait PrimeField: Field<Base = Self, Limbs: limbs::Limbs> {
    /// Its place in [`PRIME_FIELDS`](crate::PRIME_FIELDS).
    const NUMBER: usize;
    /// The modulus p.
    const MODULUS: Self::Limbs;
    /// Bits of the modulus.
    const BITS: u32;
    /// R<sup>2</sup> mod p, with R = 2<sup>64 LIMBS</sup>; [`Field::ONE`] is R mod p.
    const R2: Self::Limbs;
    /// R<sup>3</sup> mod p.
    const R3: Self::Limbs;
    /// -p<sup>-1</sup> mod 2<sup>64</sup>.
    const INV: u64;
    /// The largest s such that 2<sup>s</sup> divides p - 1: there are roots of unity of
    /// this order, and of no higher power of two.
    const TWO_ADICITY: u32;
    /// An integer that generates the multiplicative group, as arkworks has it.
    const GENERATOR: u64;
}

/// The base field: 381 bits, 6 limbs, R = 2<sup>384</sup>. Elements are the limbs of
/// arkworks' `Fq` and of `blst_fp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fp;

/// The scalar field: 255 bits, 4 limbs, R = 2<sup>256</sup>. Elements are the limbs of
/// arkworks' `Fr` and of `blst_fr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fr;

pub(crate) mod compute {
    use crate::ElementType;

    /// What a field computes with, one element at a time; called as the functions of
    /// [`arithmetic`](crate::arithmetic), which say what each does.
    pub trait Compute: ElementType {
        fn sum(a: &Self::Limbs, b: &Self::Limbs) -> Self::Limbs;
        fn difference(a: &Self::Limbs, b: &Self::Limbs) -> Self::Limbs;
        fn product(a: &Self::Limbs, b: &Self::Limbs) -> Self::Limbs;
        fn squared(x: &Self::Limbs) -> Self::Limbs;
        fn inverted(x: &Self::Limbs) -> Option<Self::Limbs>;

        /// In a prime field the element itself.
        fn conjugated(x: &Self::Limbs) -> Self::Limbs {
            *x
        }
    }
}

/// A prime field: its short name, place among them, modulus and generator.
macro_rules! prime_field {
    ($field:ident, $name:literal, $number:literal, $modulus:expr, $generator:literal) => {
        element_type!($field, $name, 1 of $field, $modulus.len(), None);

        impl Field for $field {
            const ONE: Self::Limbs = params::r(&$modulus);
        }

        impl PrimeField for $field {
            const NUMBER: usize = $number;
            const MODULUS: Self::Limbs = $modulus;
            const BITS: u32 = params::bits(&$modulus);
            const R2: Self::Limbs = params::r2(&$modulus);
            const R3: Self::Limbs = params::r3(&$modulus);
            const INV: u64 = params::inv(&$modulus);
            const TWO_ADICITY: u32 = params::two_adicity(&$modulus);
            const GENERATOR: u64 = $generator;
        }

        // What `limbs::montgomery_mul` and `params` rely on.
        const _: () = assert!($modulus[$modulus.len() - 1] < u64::MAX >> 1);
        const _: () = assert!($modulus[0] & 1 == 1);
    };
}

prime_field!(Fp, "fp", 0, MODULUS, 2);
prime_field!(Fr, "fr", 1, FR_MODULUS, 7);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ElementId, PRIME_FIELDS, PartialElement};

    #[test]
    fn the_sizes_are_those_of_the_shaders() {
        assert_eq!((Fp::LIMBS, Fp::BYTES, Fp::BITS), (6, 48, 381));
        assert_eq!((Fr::LIMBS, Fr::BYTES, Fr::BITS), (4, 32, 255));
    }

    #[test]
    fn a_tail_that_is_no_element_is_refused() {
        let mut words = [1, 2, 3, 4, 5, 6, 7, 8];
        let two = [[1, 2, 3, 4], [5, 6, 7, 8]];
        assert_eq!(Fr::elements(&words), Ok(&two[..]));
        assert_eq!(Fr::elements_mut(&mut words).map(|it| it.len()), Ok(2));
        assert_eq!(Fr::elements(&[]), Ok(&[][..]));
        let partial = PartialElement { each: 6, found: 8 };
        assert_eq!(Fp::elements(&words), Err(partial));
        assert_eq!(Fp::elements_mut(&mut words), Err(partial));
        let text = "expected a multiple of 6 limbs, found 8";
        assert_eq!(partial.to_string(), text);
    }

    #[test]
    fn values_say_what_the_types_say() {
        assert_eq!(PRIME_FIELDS.map(ElementId::limbs), [6, 4]);
        assert_eq!(PRIME_FIELDS.map(ElementId::bytes), [48, 32]);
        assert_eq!(PRIME_FIELDS.map(|id| id.to_string()), ["fp", "fr"]);
        assert_eq!(PRIME_FIELDS.map(ElementId::prime), [0, 1]);
        assert_eq!(PRIME_FIELDS.map(ElementId::base), PRIME_FIELDS);
    }
}
