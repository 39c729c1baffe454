//! The fields and the curves in arkworks, on the raw limbs of Montgomery form. The tests of
//! vectors have them from here too.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "test helpers, of which each user takes a part"
)]

use ark_bls12_381::Fr as ArkFr;
use ark_ec::AffineRepr as _;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::BigInt;
use field_kernels::curve::{self, Curve, G1, G2};
use field_kernels::{Field, Fp, Fp2, Fr};

/// A field with its type in arkworks.
pub(crate) trait Oracle: Field {
    type Ark: ark_ff::Field;
    /// The element with these limbs, in Montgomery form.
    fn ark_of(limbs: &Self::Limbs) -> Self::Ark;
    /// Its limbs, in Montgomery form.
    fn limbs_of(element: &Self::Ark) -> Self::Limbs;
}

impl Oracle for Fp {
    type Ark = ark_bls12_381::Fq;

    fn ark_of(limbs: &[u64; 6]) -> Self::Ark {
        Self::Ark::new_unchecked(BigInt(*limbs))
    }

    fn limbs_of(element: &Self::Ark) -> [u64; 6] {
        element.0.0
    }
}

impl Oracle for Fr {
    type Ark = ark_bls12_381::Fr;

    fn ark_of(limbs: &[u64; 4]) -> Self::Ark {
        Self::Ark::new_unchecked(BigInt(*limbs))
    }

    fn limbs_of(element: &Self::Ark) -> [u64; 4] {
        element.0.0
    }
}

impl Oracle for Fp2 {
    type Ark = ark_bls12_381::Fq2;

    fn ark_of(limbs: &[u64; 12]) -> Self::Ark {
        let (c0, c1) = limbs.split_at(6);
        let [c0, c1] = [c0, c1].map(|it| Fp::ark_of(it.try_into().unwrap()));
        Self::Ark::new(c0, c1)
    }

    fn limbs_of(element: &Self::Ark) -> [u64; 12] {
        let coordinates = [element.c0.0.0, element.c1.0.0];
        coordinates.as_flattened().try_into().unwrap()
    }
}

/// A curve with its configuration in arkworks.
pub(crate) trait CurveOracle: Curve<Field: Oracle> {
    type Config: SWCurveConfig<BaseField = <Self::Field as Oracle>::Ark, ScalarField = ArkFr>;
}

impl CurveOracle for G1 {
    type Config = ark_bls12_381::g1::Config;
}

impl CurveOracle for G2 {
    type Config = ark_bls12_381::g2::Config;
}

pub(crate) fn to_ark<C: CurveOracle>(point: &C::Limbs) -> Affine<C::Config> {
    let [x, y] = curve::coordinates::<C>(point).map(|it| C::Field::ark_of(&it));
    match curve::is_infinity::<C>(point) {
        true => Affine::identity(),
        false => Affine::new_unchecked(x, y),
    }
}

pub(crate) fn from_ark<C: CurveOracle>(point: impl Into<Affine<C::Config>>) -> C::Limbs {
    match point.into().xy() {
        Some((x, y)) => curve::from_coordinates::<C>(&[x, y].map(|it| C::Field::limbs_of(&it))),
        None => C::Limbs::default(),
    }
}

/// The first points of the curve, with x = 0, 1, ..: hardly any is in the subgroup.
pub(crate) fn of_the_curve<C: CurveOracle>() -> impl Iterator<Item = C::Limbs> {
    let point =
        |x: u64| Affine::<C::Config>::get_point_from_x_unchecked(x.into(), x.is_multiple_of(2));
    (0..).filter_map(point).map(from_ark::<C>)
}
