//! As `SWCurveConfig::msm` and `VariableBaseMSM::msm_bigint`.

use ark_bls12_381::Fr as ArkFr;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::BigInt;
use field_kernels::{Curve, Fr};

use crate::Result;
use crate::vectors::{Element, FieldVec, VectorEngine};

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
