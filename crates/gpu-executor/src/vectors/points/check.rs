//! Whether points are on the curve and in the subgroup: on the device, or on the host's
//! threads.

use field_kernels::curve::Coordinate;
use field_kernels::{Curve, ElementType as _, arithmetic};

use super::{PIECE, PointCheck, PointFault, PointVec, on_host, refused};
use crate::Result;
use crate::vectors::cpu::BlstCurve;
use crate::vectors::engine::VectorEngine;
use crate::vectors::field_vec::FieldVec;
use crate::vectors::fields::with_curve;
use crate::vectors::runner::internal;

impl<C: Curve> FieldVec<C> {
    /// Holds its points, whose limbs the host has, to `check`.
    ///
    /// # Errors
    /// [`Error::InvalidPoint`] for the first that does not pass, else as [`Queue::submit`].
    ///
    /// [`Queue::submit`]: crate::vectors::Queue::submit
    pub(super) fn expect_valid(&self, limbs: &[u64], check: PointCheck) -> Result<()> {
        match check {
            PointCheck::Trusted => Ok(()),
            _ if self.engine.runner().is_for_points(self.len()) => expect_on_device(self, check),
            _ => with_curve!(C::ID, D => expect_on_host::<D>(&self.engine, limbs, check)),
        }
    }
}

fn expect_on_host<C: BlstCurve>(
    engine: &VectorEngine,
    limbs: &[u64],
    check: PointCheck,
) -> Result<()> {
    let fault = |point: &C::Limbs| match C::is_on_curve(point) {
        false => Some(PointFault::NotOnCurve),
        true if check == PointCheck::OnCurve || C::is_in_subgroup(point) => None,
        true => Some(PointFault::NotInSubgroup),
    };
    on_host::<C, _>(engine, C::elements(limbs)?.chunks(PIECE), |points| {
        let faults = points.iter().map(fault);
        faults.enumerate().find_map(|(at, it)| Some((at, it?)))
    })
}

/// Points that are looked at together: so many that a device is full of them, and few enough
/// for the memory of it all.
const AT_ONCE: usize = 1 << 18;

pub(super) fn expect_on_device<C: Curve>(points: &PointVec<C>, check: PointCheck) -> Result<()> {
    for start in (0..points.len()).step_by(AT_ONCE) {
        let some = points.slice(start..points.len().min(start + AT_ONCE))?;
        if let Some((at, fault)) = first_fault(&some, check)? {
            return Err(refused::<C>(start + at, fault));
        }
    }
    Ok(())
}

fn first_fault<C: Curve>(
    points: &PointVec<C>,
    check: PointCheck,
) -> Result<Option<(usize, PointFault)>> {
    let queue = points.engine.queue();
    let off_curve = queue.off_curve(points)?;
    let mut kinds = vec![(off_curve, PointFault::NotOnCurve)];
    if check == PointCheck::Subgroup {
        let outside = queue.outside_of_subgroup(points)?;
        kinds.push((outside, PointFault::NotInSubgroup));
    }
    // Elements that are zero, counted.
    let count =
        |(faults, _): &(FieldVec<C::Field>, _)| queue.read(&queue.sum(&queue.is_zero(faults)?)?);
    let counts = kinds.iter().map(count).collect::<Result<Vec<_>>>()?;
    let done = queue.submit()?.wait()?;
    let mut all = Coordinate::<C>::default();
    all.as_mut()[0] = points.len() as u64;
    let all = arithmetic::to_montgomery::<C::Field>(&all);
    let mut first: Option<(usize, PointFault)> = None;
    for ((faults, fault), count) in kinds.iter().zip(&counts) {
        if done.element(count)? == all {
            continue;
        }
        let limbs: Vec<u64> = faults.download()?;
        let mut found = C::Field::elements(&limbs)?.iter();
        let at = found.position(|it| *it != Default::default());
        let at = at.ok_or_else(|| internal("a point at fault"))?;
        // What is not on the curve is in no subgroup either.
        if first.is_none_or(|(earlier, _)| at < earlier) {
            first = Some((at, *fault));
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
    use field_kernels::curve::{self, Xyzz};
    use field_kernels::{G1, G2};
    use vk_core::testing::device_under_test;

    use super::*;
    use crate::Error;
    use crate::vectors::vulkan::engine_on;

    /// Points of the curve with small x: hardly any is in the subgroup.
    fn of_the_curve<C: Curve, A: SWCurveConfig>(
        coordinates: impl Fn(Affine<A>) -> [Coordinate<C>; 2],
    ) -> Vec<C::Limbs> {
        let point = |x: u64| Affine::<A>::get_point_from_x_unchecked(x.into(), x.is_multiple_of(3));
        let points = (0..60).filter_map(point);
        let points = points.map(|it| curve::from_coordinates::<C>(&coordinates(it)));
        let mut points: Vec<_> = points.collect();
        points.retain(|it| !curve::is_in_subgroup::<C>(it));
        points
    }

    fn check<C: Curve>(engine: &VectorEngine, outside: &[C::Limbs]) {
        assert!(outside.len() > 10);
        let mut next = Xyzz::<C>::from_affine(&C::GENERATOR);
        let good = (0..300).map(|number| {
            next = next.double().add_affine(&C::GENERATOR);
            if number % 50 == 9 {
                Xyzz::default()
            } else {
                next
            }
        });
        let good = Xyzz::to_affine_all(&good.collect::<Vec<_>>());
        let found = |points: &[C::Limbs], check| {
            let points = engine.upload_points::<C>(C::words(points), PointCheck::Trusted);
            expect_on_device(&points.unwrap(), check)
        };
        let fault = |at, fault| Err::<(), Error>(refused::<C>(at, fault));
        let mut off = good[1];
        off.as_mut()[0] ^= 1;
        // Of x = 0 alone, and of y = 0 alone.
        let (mut no_x, mut no_y) = (good[1], good[1]);
        no_x.as_mut()[..C::Field::LIMBS].fill(0);
        no_y.as_mut()[C::Field::LIMBS..].fill(0);
        for kind in [PointCheck::Subgroup, PointCheck::OnCurve] {
            assert_eq!(found(&good, kind), Ok(()));
            assert_eq!(found(&good[..1], kind), Ok(()));
            assert_eq!(found(&[], kind), Ok(()));
            for (at, bad) in [(0, off), (7, no_x), (150, no_y), (299, off)] {
                let mut points = good.clone();
                points[at] = bad;
                let expected = fault(at, PointFault::NotOnCurve);
                assert_eq!(found(&points, kind), expected, "{at}");
                // The first is named.
                points[299] = outside[0];
                points[at] = bad;
                assert_eq!(found(&points, kind), expected, "{at}");
            }
        }
        assert_eq!(found(outside, PointCheck::OnCurve), Ok(()));
        for (number, bad) in outside.iter().enumerate() {
            let mut points = good[..20].to_vec();
            points[number % 20] = *bad;
            let expected = fault(number % 20, PointFault::NotInSubgroup);
            assert_eq!(found(&points, PointCheck::Subgroup), expected, "{bad:x?}");
        }
    }

    /// The rule keeps them from a software device, so they are called by themselves.
    #[test]
    fn faults_are_found_on_the_device() {
        let (_guard, physical) = device_under_test().unwrap();
        let engine = engine_on(&physical, Default::default(), None);
        let g1 = of_the_curve::<G1, ark_bls12_381::g1::Config>(|it| [it.x.0.0, it.y.0.0]);
        check::<G1>(&engine, &g1);
        let g2 = of_the_curve::<G2, ark_bls12_381::g2::Config>(|it| {
            let limbs = |it: ark_bls12_381::Fq2| [it.c0.0.0, it.c1.0.0];
            [it.x, it.y].map(|it| *limbs(it).as_flattened().first_chunk().unwrap())
        });
        check::<G2>(&engine, &g2);
    }
}
