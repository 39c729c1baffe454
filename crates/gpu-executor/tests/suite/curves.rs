//! Points of the curve in arkworks.

use ark_bls12_381::Fr;
use ark_ec::short_weierstrass::Projective;
use ark_ec::{CurveGroup as _, PrimeGroup as _};

use crate::oracle::ark::of_the_curve;
pub(crate) use crate::oracle::ark::{CurveOracle, from_ark, to_ark};

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
    let is_outside = |it: &C::Limbs| !to_ark::<C>(it).is_in_correct_subgroup_assuming_on_curve();
    of_the_curve::<C>().filter(is_outside)
}
