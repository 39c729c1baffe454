//! The two fields, as values and as types.

use std::fmt;

use crate::limbs;
use crate::operations::{Bulk, Reference};
use crate::params;
use crate::{FR_MODULUS, MODULUS};

/// Which of the curve's two fields. Not `non_exhaustive`: what goes by the field is not
/// to compile before it knows a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldId {
    /// The base field, 381 bits.
    Fp,
    /// The scalar field, 255 bits.
    Fr,
}

impl FieldId {
    /// Both, in the order of the enum.
    pub const ALL: [Self; 2] = [Self::Fp, Self::Fr];

    /// [`Field::NAME`]: `fp` or `fr`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp => Fp::NAME,
            Self::Fr => Fr::NAME,
        }
    }

    /// [`Field::LIMBS`]: 64-bit limbs in an element, 6 or 4.
    #[must_use]
    pub const fn limbs(self) -> usize {
        match self {
            Self::Fp => Fp::LIMBS,
            Self::Fr => Fr::LIMBS,
        }
    }

    /// [`Field::BYTES`]: bytes in an element, 48 or 32.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Fp => Fp::BYTES,
            Self::Fr => Fr::BYTES,
        }
    }
}

impl fmt::Display for FieldId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A prime field, as a type: [`Fp`] or [`Fr`], and no other.
///
/// All constants follow from [`MODULUS`](Self::MODULUS), by [`params`](crate::params).
pub trait Field: sealed::Sealed + Copy + Send + Sync + fmt::Debug + 'static {
    /// The same as a value.
    const ID: FieldId;
    /// Its short name, in lower case: `fp`, `fr`. Names of files and modules are made
    /// from it.
    const NAME: &'static str;
    /// 64-bit limbs in an element.
    const LIMBS: usize;
    /// Bytes in an element.
    const BYTES: usize;
    /// Bits of the modulus.
    const BITS: u32;

    /// An element's limbs, the least significant first: `[u64; 6]` or `[u64; 4]`.
    /// The default is zero.
    type Limbs: limbs::Limbs
        + Copy
        + Default
        + Eq
        + fmt::Debug
        + Send
        + Sync
        + AsRef<[u64]>
        + AsMut<[u64]>
        + 'static;

    /// The modulus p.
    const MODULUS: Self::Limbs;
    /// R mod p, with R = 2<sup>64 LIMBS</sup>: one in Montgomery form.
    const ONE: Self::Limbs;
    /// R<sup>2</sup> mod p.
    const R2: Self::Limbs;
    /// R<sup>3</sup> mod p.
    const R3: Self::Limbs;
    /// -p<sup>-1</sup> mod 2<sup>64</sup>.
    const INV: u64;

    /// Flat limbs as elements.
    ///
    /// # Errors
    /// For limbs that are no whole number of elements.
    fn elements(words: &[u64]) -> Result<&[Self::Limbs], PartialElement>;

    /// As [`Self::elements`], to be written.
    ///
    /// # Errors
    /// As [`Self::elements`].
    fn elements_mut(words: &mut [u64]) -> Result<&mut [Self::Limbs], PartialElement>;

    /// Elements as flat limbs.
    fn words(elements: &[Self::Limbs]) -> &[u64];

    /// The function of `reference` that is for this field.
    #[doc(hidden)]
    fn pick(reference: &Reference) -> Bulk<Self>;
}

/// Limbs that are no whole number of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialElement {
    /// Limbs of one element.
    pub each: usize,
    /// Limbs found.
    pub found: usize,
}

impl PartialElement {
    fn of<F: Field>(words: &[u64]) -> Self {
        Self {
            each: F::LIMBS,
            found: words.len(),
        }
    }
}

impl fmt::Display for PartialElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { each, found } = self;
        write!(f, "expected a multiple of {each} limbs, found {found}")
    }
}

impl std::error::Error for PartialElement {}

/// The base field: 381 bits, 6 limbs, R = 2<sup>384</sup>. Elements are the limbs of
/// arkworks' `Fq` and of `blst_fp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fp;

/// The scalar field: 255 bits, 4 limbs, R = 2<sup>256</sup>. Elements are the limbs of
/// arkworks' `Fr` and of `blst_fr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fr;

mod sealed {
    /// What nobody outside this crate can implement.
    pub trait Sealed {}

    impl Sealed for super::Fp {}
    impl Sealed for super::Fr {}
}

macro_rules! field {
    ($field:ident, $name:ident, $modulus:expr) => {
        impl Field for $field {
            const ID: FieldId = FieldId::$field;
            const NAME: &'static str = stringify!($name);
            const LIMBS: usize = $modulus.len();
            const BYTES: usize = Self::LIMBS * size_of::<u64>();
            const BITS: u32 = params::bits(&$modulus);

            type Limbs = [u64; $modulus.len()];

            const MODULUS: Self::Limbs = $modulus;
            const ONE: Self::Limbs = params::r(&$modulus);
            const R2: Self::Limbs = params::r2(&$modulus);
            const R3: Self::Limbs = params::r3(&$modulus);
            const INV: u64 = params::inv(&$modulus);

            fn elements(words: &[u64]) -> Result<&[Self::Limbs], PartialElement> {
                match words.as_chunks() {
                    (elements, []) => Ok(elements),
                    _ => Err(PartialElement::of::<Self>(words)),
                }
            }

            fn elements_mut(words: &mut [u64]) -> Result<&mut [Self::Limbs], PartialElement> {
                let partial = PartialElement::of::<Self>(words);
                match words.as_chunks_mut() {
                    (elements, []) => Ok(elements),
                    _ => Err(partial),
                }
            }

            fn words(elements: &[Self::Limbs]) -> &[u64] {
                elements.as_flattened()
            }

            fn pick(reference: &Reference) -> Bulk<Self> {
                reference.$name
            }
        }

        // What `limbs::montgomery_mul` and `params` rely on.
        const _: () = assert!($modulus[$modulus.len() - 1] < u64::MAX >> 1);
        const _: () = assert!($modulus[0] & 1 == 1);
    };
}

field!(Fp, fp, MODULUS);
field!(Fr, fr, FR_MODULUS);

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(FieldId::ALL, [Fp::ID, Fr::ID]);
        assert_eq!(FieldId::ALL.map(FieldId::limbs), [6, 4]);
        assert_eq!(FieldId::ALL.map(FieldId::bytes), [48, 32]);
        assert_eq!(FieldId::ALL.map(|id| id.to_string()), ["fp", "fr"]);
    }
}
