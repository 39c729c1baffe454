//! Points of G1 and pairings on the host, by the CPU engine and blst.

use blst::min_pk::PublicKey;
use blst::{blst_fp12, blst_p2_affine};
use field_kernels::{Fr, G1};
use gpu_executor::vectors::{Element as _, PointCheck, PointEncoding, VectorEngine, Xyzz};
use rayon::prelude::*;

use crate::{Error, KzgProof, Point, Result, Scalar};

/// The points of the subgroup that are encoded in `bytes`, one after the other, by the host's
/// threads; `what` names one by its place.
pub(crate) fn decoded(
    host: &VectorEngine,
    bytes: &[u8],
    what: impl Fn(usize) -> String,
) -> Result<Vec<Point>> {
    let (encoding, check) = (PointEncoding::Compressed, PointCheck::Subgroup);
    match host.upload_encoded_points::<G1>(bytes, encoding, check) {
        Ok(points) => Ok(points.download::<Point>()?),
        Err(gpu_executor::Error::InvalidPoint { element, fault, .. }) => Err(Error::InvalidPoint {
            what: what(element),
            fault,
        }),
        Err(error) => Err(error.into()),
    }
}

/// Limbs of an affine point.
type Limbs = [u64; 12];

/// The encodings of points, whose limbs these are, by the host's threads.
pub(crate) fn encoded(points: &[Limbs]) -> Vec<KzgProof> {
    // What a key is compressed to is what a point is.
    let encoded = |point: &Limbs| PublicKey::from(Point::from_limbs(*point)).compress();
    match points.len() {
        0..=FEW => points.iter().map(encoded).collect(),
        _ => points.par_iter().with_min_len(FEW).map(encoded).collect(),
    }
}

/// Points that are encoded sooner than a thread wakes.
const FEW: usize = 64;

/// The sum of points, each times its scalar, on the host.
pub(crate) fn sum(host: &VectorEngine, points: &[Point], scalars: &[Scalar]) -> Result<Xyzz<G1>> {
    let points = host.upload_points::<G1>(points, PointCheck::Trusted)?;
    let scalars = host.upload::<Fr>(scalars)?;
    let queue = host.queue();
    let sum = queue.msm(&points, &scalars)?;
    Ok(queue.submit()?.wait()?.msm(&sum)?)
}

/// Whether e(p, q) = e(r, s).
pub(crate) fn pairings_are_equal(
    (p, q): (&Xyzz<G1>, &blst_p2_affine),
    (r, s): (&Xyzz<G1>, &blst_p2_affine),
) -> bool {
    let product = |p: &Xyzz<G1>, q| {
        let p = Point::from_limbs(p.to_affine());
        blst_fp12::miller_loop(q, &p)
    };
    blst_fp12::finalverify(&product(p, q), &product(r, s))
}
