//! arkworks' `Fq` and `Fr`, a big integer in Montgomery form and a marker of no size, `Fq2`,
//! two of the former, and affine points of two coordinates, which are zero of infinity: these
//! curves have no flag for it. `BigInt<4>` is an element of Fr in plain form.
//!
//! The types are not `repr(transparent)` or `repr(C)`, so their layout is what the compiler
//! chose, and the assertions of `element!` hold it to that of their limbs.

use ark_bls12_381::{Fq, Fq2, Fr as ArkFr, g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::BigInt;
use bytemuck::must_cast;
use field_kernels::{Curve, Fp, Fp2, Fr, G1, G2, curve};

use super::{element, field_element};
use crate::Result;
use crate::vectors::{Element, Exponent, FieldVec, VectorEngine};

// ark-bls12-381's aliases go through an associated type, by which the compiler cannot tell
// the two from each other.
type G1Affine = Affine<g1::Config>;
type G2Affine = Affine<g2::Config>;

const fn fq(limbs: [u64; 6]) -> Fq {
    Fq::new_unchecked(BigInt(limbs))
}

field_element!(Fq, Fp, [0: 0.0], |it: Fq| it.0.0, fq);
field_element!(ArkFr, Fr, [0: 0.0], |it: ArkFr| it.0.0, |limbs| ArkFr::new_unchecked(BigInt(limbs)));
element!(BigInt<4>, Fr, Plain, [0: 0], |it: Self| it.0, BigInt);
field_element!(Fq2, Fp2, [0: c0, 1: c1], fq2_limbs, fq2);
element!(
    G1Affine, G1, Montgomery, [0: x, 1: y],
    |it: G1Affine| must_cast([it.x.0.0, it.y.0.0]),
    |limbs| {
        let [x, y] = must_cast(limbs);
        G1Affine::new_unchecked(fq(x), fq(y))
    }
);
element!(
    G2Affine, G2, Montgomery, [0: x.c0, 1: x.c1, 2: y.c0, 3: y.c1],
    |it: G2Affine| curve::from_coordinates::<G2>(&[it.x, it.y].map(fq2_limbs)),
    |limbs| {
        let [x, y] = curve::coordinates::<G2>(&limbs);
        G2Affine::new_unchecked(fq2(x), fq2(y))
    }
);

fn fq2_limbs(element: Fq2) -> [u64; 12] {
    must_cast([element.c0.0.0, element.c1.0.0])
}

fn fq2(limbs: [u64; 12]) -> Fq2 {
    let [c0, c1] = must_cast(limbs);
    Fq2::new(fq(c0), fq(c1))
}

impl<const N: usize> From<BigInt<N>> for Exponent {
    fn from(integer: BigInt<N>) -> Self {
        Self::from(integer.0)
    }
}

/// As `SWCurveConfig::msm` and `VariableBaseMSM::msm_bigint`.
impl VectorEngine {
    /// The sum of the bases, each times its scalar, in the place of `SWCurveConfig::msm`. Bases
    /// are `G1Affine` or `G2Affine` of ark-bls12-381, which are taken to be of the subgroup.
    ///
    /// ```
    /// use ark_bls12_381::{Fr, G1Affine, G1Projective};
    /// use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
    /// use gpu_executor::vectors::VectorEngine;
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// let engine = VectorEngine::cpu()?; // or VectorEngine::new()? for a Vulkan device
    /// let bases: Vec<G1Affine> = (1..=100_u64)
    ///     .map(|k| (G1Affine::generator() * Fr::from(k)).into_affine())
    ///     .collect();
    /// let scalars: Vec<Fr> = (1..=100_u64).map(Fr::from).collect();
    ///
    /// let commitment = G1Projective::msm(&bases, &scalars).unwrap();
    /// // In its place:
    /// let on_engine = engine.ark_msm(&bases, &scalars)?;
    /// assert_eq!(on_engine, commitment);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnequalVectors`](crate::Error::UnequalVectors) for other than one scalar for each base, else as
    /// [`Self::upload`] and [`Queue::submit`](crate::vectors::Queue::submit).
    pub fn ark_msm<P: SWCurveConfig<ScalarField = ArkFr>>(
        &self,
        bases: &[Affine<P>],
        scalars: &[ArkFr],
    ) -> Result<Projective<P>>
    where
        Affine<P>: Element<Type: Curve>,
    {
        self.ark_sum(bases, &self.upload(scalars)?)
    }

    /// As [`Self::ark_msm`], of integers below the modulus, in the place of
    /// `VariableBaseMSM::msm_bigint`. As there, what is longer than the other is cut.
    ///
    /// # Errors
    /// [`Error::NotCanonical`](crate::Error::NotCanonical) for an integer that is
    /// the modulus or more, else as [`Self::ark_msm`].
    pub fn ark_msm_bigint<P: SWCurveConfig<ScalarField = ArkFr>>(
        &self,
        bases: &[Affine<P>],
        integers: &[BigInt<4>],
    ) -> Result<Projective<P>>
    where
        Affine<P>: Element<Type: Curve>,
    {
        let len = bases.len().min(integers.len());
        self.ark_sum(&bases[..len], &self.upload_plain(&integers[..len])?)
    }

    fn ark_sum<P: SWCurveConfig>(
        &self,
        bases: &[Affine<P>],
        scalars: &FieldVec<Fr>,
    ) -> Result<Projective<P>>
    where
        Affine<P>: Element<Type: Curve>,
    {
        let sum = self.msm(bases, scalars)?;
        Ok(Affine::from_limbs(sum.to_affine()).into())
    }
}
