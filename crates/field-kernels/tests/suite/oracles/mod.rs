//! The two fields in arkworks and blst, on the raw limbs of Montgomery form.

use ark_ff::MontConfig;
use field_kernels::{ElementType, Fp, Fr, PrimeField};

use crate::ark;

/// What one function of blst does.
#[cfg(not(miri))]
pub(crate) type Unary<F> = fn(&<F as ElementType>::Limbs) -> <F as ElementType>::Limbs;

/// As [`Unary`], of two operands.
#[cfg(not(miri))]
pub(crate) type Binary<F> =
    fn(&<F as ElementType>::Limbs, &<F as ElementType>::Limbs) -> <F as ElementType>::Limbs;

/// A field that others compute in too.
pub(crate) trait Oracle: PrimeField + ark::Oracle<Ark: ark_ff::PrimeField> {
    /// Modulus, R and R^2 mod p, and -p^-1 mod 2^64, as arkworks has them.
    const ARK_CONSTANTS: ([Self::Limbs; 3], u64);

    fn from_ark(element: Self::Ark) -> Self::Limbs {
        Self::limbs_of(&element)
    }

    /// Addition, subtraction and multiplication.
    #[cfg(not(miri))]
    const BLST_BINARY: [Binary<Self>; 3];

    /// Square, inverse, into Montgomery form and out of it.
    #[cfg(not(miri))]
    const BLST_UNARY: [Unary<Self>; 4];
}

#[cfg(not(miri))]
macro_rules! blst {
    ($type:ident: $($function:ident($($operand:ident),+)),+) => {
        [$(
            |$($operand),+| {
                $(let $operand = blst::$type { l: *$operand };)+
                let mut result = blst::$type::default();
                // SAFETY: the pointers come from live values of the type that the
                // function takes, and the one it writes through from an exclusive
                // borrow.
                unsafe { blst::$function(&raw mut result, $(&raw const $operand),+) };
                result.l
            }
        ),+]
    };
}

impl Oracle for Fp {
    const ARK_CONSTANTS: ([Self::Limbs; 3], u64) = constants::<ark_bls12_381::FqConfig, 6>();

    #[cfg(not(miri))]
    const BLST_BINARY: [Binary<Self>; 3] =
        blst!(blst_fp: blst_fp_add(a, b), blst_fp_sub(a, b), blst_fp_mul(a, b));

    #[cfg(not(miri))]
    const BLST_UNARY: [Unary<Self>; 4] =
        blst!(blst_fp: blst_fp_sqr(a), blst_fp_inverse(a), blst_fp_to(a), blst_fp_from(a));
}

impl Oracle for Fr {
    const ARK_CONSTANTS: ([Self::Limbs; 3], u64) = constants::<ark_bls12_381::FrConfig, 4>();

    #[cfg(not(miri))]
    const BLST_BINARY: [Binary<Self>; 3] =
        blst!(blst_fr: blst_fr_add(a, b), blst_fr_sub(a, b), blst_fr_mul(a, b));

    #[cfg(not(miri))]
    const BLST_UNARY: [Unary<Self>; 4] =
        blst!(blst_fr: blst_fr_sqr(a), blst_fr_inverse(a), blst_fr_to(a), blst_fr_from(a));
}

const fn constants<T: MontConfig<N>, const N: usize>() -> ([[u64; N]; 3], u64) {
    ([T::MODULUS.0, T::R.0, T::R2.0], T::INV)
}

#[cfg(not(miri))]
pub(crate) fn blst_fp2(limbs: &[u64; 12]) -> blst::blst_fp2 {
    let fp = [0, 6].map(|at| blst::blst_fp {
        l: std::array::from_fn(|limb| limbs[at + limb]),
    });
    blst::blst_fp2 { fp }
}
