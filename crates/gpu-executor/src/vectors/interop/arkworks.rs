//! arkworks' `Fq` and `Fr`, a big integer in Montgomery form and a marker of no size, and
//! `Fq2`, two of the former.
//!
//! The types are not `repr(transparent)` or `repr(C)`, so their layout is what the compiler
//! chose, and the assertions of `element!` hold it to that of their limbs.

use ark_bls12_381::{Fq, Fq2, Fr as ArkFr};
use ark_ff::BigInt;
use field_kernels::{Fp, Fp2, Fr};

use super::{element, join, split};
use crate::vectors::Exponent;

const fn fq(limbs: [u64; 6]) -> Fq {
    Fq::new_unchecked(BigInt(limbs))
}

element!(Fq, Fp, [0: 0.0], |it: Fq| it.0.0, fq);
element!(ArkFr, Fr, [0: 0.0], |it: ArkFr| it.0.0, |limbs| ArkFr::new_unchecked(BigInt(limbs)));
element!(
    Fq2, Fp2, [0: c0, 1: c1],
    |it: Fq2| join([it.c0.0.0, it.c1.0.0]),
    |limbs| {
        let [c0, c1] = split(limbs);
        Fq2::new(fq(c0), fq(c1))
    }
);

impl<const N: usize> From<BigInt<N>> for Exponent {
    fn from(integer: BigInt<N>) -> Self {
        Self::from(integer.0)
    }
}
