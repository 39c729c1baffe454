//! arkworks' `Fq` and `Fr`: a big integer in Montgomery form, and a marker of no size.
//!
//! The type is not `repr(transparent)`, so its layout is what the compiler chose, and
//! the assertions of `element!` hold it to that of its limbs.

use ark_bls12_381::{Fq, Fr as ArkFr};
use ark_ff::BigInt;
use field_kernels::{Fp, Fr};

use super::element;
use crate::vectors::Exponent;

element!(Fq, Fp, limbs: 0.0, from_limbs: |limbs| Fq::new_unchecked(BigInt(limbs)));
element!(ArkFr, Fr, limbs: 0.0, from_limbs: |limbs| ArkFr::new_unchecked(BigInt(limbs)));

impl<const N: usize> From<BigInt<N>> for Exponent {
    fn from(integer: BigInt<N>) -> Self {
        Self::from(integer.0)
    }
}
