//! The quadratic extension of the base field.

use crate::element::element_type;
use crate::field::compute::Compute;
use crate::{Field, Fp, LIMBS, arithmetic};

/// A field whose elements are several of a prime field's.
pub trait ExtensionField: Field {}

/// Fp2 = Fp\[u\] / (u<sup>2</sup> + 1): 12 limbs, the coordinates c0 and c1 of c0 + c1 u,
/// each in Montgomery form. Elements are the limbs of arkworks' `Fq2` and of `blst_fp2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fp2;

element_type!(Fp2, "fp2", 2 of Fp, 2 * LIMBS, Some(Fp::ID.info()));

impl Field for Fp2 {
    const ONE: Self::Limbs = join([Fp::ONE, [0; LIMBS]]);
}

impl ExtensionField for Fp2 {}

type Base = [u64; LIMBS];
type Limbs = [u64; 2 * LIMBS];

impl Compute for Fp2 {
    #[inline]
    fn sum(a: &Limbs, b: &Limbs) -> Limbs {
        let ([a0, a1], [b0, b1]) = (split(a), split(b));
        join([Fp::sum(&a0, &b0), Fp::sum(&a1, &b1)])
    }

    #[inline]
    fn difference(a: &Limbs, b: &Limbs) -> Limbs {
        let ([a0, a1], [b0, b1]) = (split(a), split(b));
        join([Fp::difference(&a0, &b0), Fp::difference(&a1, &b1)])
    }

    /// Three products, by Karatsuba's method: u<sup>2</sup> = -1.
    #[inline]
    fn product(a: &Limbs, b: &Limbs) -> Limbs {
        let ([a0, a1], [b0, b1]) = (split(a), split(b));
        let (real, imaginary) = (Fp::product(&a0, &b0), Fp::product(&a1, &b1));
        let both = Fp::product(&Fp::sum(&a0, &a1), &Fp::sum(&b0, &b1));
        let mixed = Fp::difference(&Fp::difference(&both, &real), &imaginary);
        join([Fp::difference(&real, &imaginary), mixed])
    }

    /// Two products: c0<sup>2</sup> - c1<sup>2</sup> = (c0 + c1) (c0 - c1).
    #[inline]
    fn squared(x: &Limbs) -> Limbs {
        let [c0, c1] = split(x);
        let real = Fp::product(&Fp::sum(&c0, &c1), &Fp::difference(&c0, &c1));
        join([real, arithmetic::double::<Fp>(&Fp::product(&c0, &c1))])
    }

    /// The conjugate by the inverse of the norm, which is zero for zero alone: -1 is no
    /// square in Fp.
    fn inverted(x: &Limbs) -> Option<Limbs> {
        let [c0, c1] = split(x);
        let norm = Fp::sum(&Fp::squared(&c0), &Fp::squared(&c1));
        let inverse = Fp::inverted(&norm)?;
        let imaginary = arithmetic::neg::<Fp>(&Fp::product(&c1, &inverse));
        Some(join([Fp::product(&c0, &inverse), imaginary]))
    }

    #[inline]
    fn conjugated(x: &Limbs) -> Limbs {
        let [c0, c1] = split(x);
        join([c0, arithmetic::neg::<Fp>(&c1)])
    }
}

/// The coordinates.
#[inline]
const fn split(x: &Limbs) -> [Base; 2] {
    let mut coordinates = [[0; LIMBS]; 2];
    let mut limb = 0;
    while limb < x.len() {
        coordinates[limb / LIMBS][limb % LIMBS] = x[limb];
        limb += 1;
    }
    coordinates
}

/// The element with these coordinates.
#[inline]
const fn join(coordinates: [Base; 2]) -> Limbs {
    let mut limbs = [0; 2 * LIMBS];
    let mut limb = 0;
    while limb < limbs.len() {
        limbs[limb] = coordinates[limb / LIMBS][limb % LIMBS];
        limb += 1;
    }
    limbs
}
