//! What a program does with points of the curve while a fault is injected.

use field_kernels::curve::Xyzz;
use field_kernels::edge::random_elements;
use field_kernels::{Curve, ElementType as _, Fr, arithmetic};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{PointCheck, Scalar};

/// Points of a vector, which take several dispatches.
const COUNT: usize = 100;
/// Elements of one.
pub(super) const DISPATCH: usize = 64;

/// Points of the subgroup up, held to it; sums, the sum of all, products by a scalar, and a
/// multi-scalar multiplication of these, in one submission. Whether all of it is right.
pub(super) fn on<C: Curve>(
    backend: &mut PersistentVulkanBackend,
    seed: u64,
) -> anyhow::Result<bool> {
    let engine = backend.vectors()?;
    let p = points::<C>(seed);
    let scalars = random_elements::<Fr>(COUNT, seed);
    let affine = Xyzz::to_affine_all(&p);
    let x = engine.upload_points::<C>(C::words(&affine), PointCheck::Subgroup)?;
    let k = engine.upload::<Fr>(Fr::words(&scalars))?;

    let queue = engine.queue();
    let turned = queue.rotate(&x, 1)?;
    let sums = queue.add_points(&x, &turned)?;
    let total = queue.read(&queue.sum_points(&sums)?)?;
    let products = queue.mul_points(&x, Scalar::from(5))?;
    let msm = queue.msm(&products, &k)?;
    let done = queue.submit()?.wait()?;

    let next = p.iter().cycle().skip(1);
    let expected: Vec<_> = p.iter().zip(next).map(|(p, q)| p.add(q)).collect();
    let fives: Vec<_> = p.iter().map(|p| p.mul(&[5])).collect();
    let of_scalars = fives.iter().zip(&scalars);
    let terms = of_scalars.map(|(p, k)| p.mul(arithmetic::from_montgomery::<Fr>(k).as_ref()));
    let sum = |points: &[Xyzz<C>]| points.iter().fold(Xyzz::default(), |sum, p| sum.add(p));
    let terms: Vec<_> = terms.collect();
    Ok(
        sums.download::<u64>()? == C::words(&Xyzz::to_affine_all(&expected))
            && products.download::<u64>()? == C::words(&Xyzz::to_affine_all(&fives))
            && done.element(&total)? == sum(&expected).to_affine()
            && done.msm(&msm)? == sum(&terms),
    )
}

/// Multiples of the generator one after the other, infinity and an opposite among them.
fn points<C: Curve>(seed: u64) -> Vec<Xyzz<C>> {
    let first = Xyzz::<C>::from_affine(&C::GENERATOR).mul(&[seed]);
    let next = |p: &Xyzz<C>| Some(p.add_affine(&C::GENERATOR));
    let mut points: Vec<_> = std::iter::successors(Some(first), next)
        .take(COUNT)
        .collect();
    points[2] = Xyzz::default();
    points[4] = points[3].neg();
    points
}
