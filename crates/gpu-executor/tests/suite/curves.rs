//! Points of the curve in arkworks.

use ark_bls12_381::Fr;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr as _, CurveGroup as _, PrimeGroup as _};
use field_kernels::{Curve, G1, G2, curve};

use crate::oracle::Oracle;

/// A curve with its configuration in arkworks.
pub(crate) trait CurveOracle: Curve<Field: Oracle> {
    type Config: SWCurveConfig<BaseField = <Self::Field as Oracle>::Ark, ScalarField = Fr>;
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

pub(crate) fn all_to_ark<C: CurveOracle>(points: &[C::Limbs]) -> Vec<Projective<C::Config>> {
    points.iter().map(|it| to_ark::<C>(it).into()).collect()
}

pub(crate) fn all_from_ark<C: CurveOracle>(points: &[Projective<C::Config>]) -> Vec<C::Limbs> {
    let affine = Projective::normalize_batch(points);
    affine.into_iter().map(from_ark::<C>).collect()
}

/// `count` points of the subgroup: infinity, the generator and its opposite twice, then
/// others, which the seed chooses, with infinity, equal and opposite ones among them.
pub(crate) fn points<C: CurveOracle>(count: usize, seed: u64) -> Vec<C::Limbs> {
    let generator = Projective::<C::Config>::generator();
    let first = [0, 1, 1, -1, -1].map(|it: i64| generator * Fr::from(it));
    let step = generator * Fr::from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut next = step;
    let others = (0_u64..).map(|number| {
        next += step;
        match number % 19 {
            7 => Projective::default(),
            12 => next - step,
            13 => step - next,
            _ => next,
        }
    });
    let all: Vec<_> = first.into_iter().chain(others).take(count).collect();
    all_from_ark::<C>(&all)
}

/// Points of the curve outside of the subgroup.
pub(crate) fn outside<C: CurveOracle>() -> impl Iterator<Item = C::Limbs> {
    let point =
        |x: u64| Affine::<C::Config>::get_point_from_x_unchecked(x.into(), x.is_multiple_of(2));
    let outside = |it: &Affine<_>| !it.is_in_correct_subgroup_assuming_on_curve();
    (0..).filter_map(point).filter(outside).map(from_ark::<C>)
}
