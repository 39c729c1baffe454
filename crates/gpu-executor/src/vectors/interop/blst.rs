//! blst's `blst_fp`, `blst_fr`, `blst_fp2` and affine points: C structures of limbs in
//! Montgomery form.

use blst::{blst_fp, blst_fp2, blst_fr, blst_p1, blst_p1_affine, blst_p2, blst_p2_affine};
use bytemuck::must_cast;
use field_kernels::{Curve, Field as _, Fp, Fp2, Fr, G1, G2, curve};

use super::{element, field_element};
use crate::vectors::{Element, VectorEngine};
use crate::{Error, Result};

field_element!(blst_fp, Fp, [0: l], |it: blst_fp| it.l, |l| blst_fp { l });
field_element!(blst_fr, Fr, [0: l], |it: blst_fr| it.l, |l| blst_fr { l });
field_element!(blst_fp2, Fp2, [0: fp], fp2_limbs, fp2);
element!(
    blst_p1_affine, G1, Montgomery, [0: x.l, 1: y.l],
    |it: blst_p1_affine| must_cast([it.x.l, it.y.l]),
    |limbs| {
        let [x, y] = must_cast::<_, [[u64; 6]; 2]>(limbs).map(|l| blst_fp { l });
        blst_p1_affine { x, y }
    }
);
element!(
    blst_p2_affine, G2, Montgomery, [0: x.fp, 2: y.fp],
    |it: blst_p2_affine| curve::from_coordinates::<G2>(&[it.x, it.y].map(fp2_limbs)),
    |limbs| {
        let [x, y] = curve::coordinates::<G2>(&limbs).map(fp2);
        blst_p2_affine { x, y }
    }
);

fn fp2_limbs(element: blst_fp2) -> [u64; 12] {
    must_cast(element.fp.map(|it| it.l))
}

fn fp2(limbs: [u64; 12]) -> blst_fp2 {
    blst_fp2 {
        fp: must_cast::<_, [[u64; 6]; 2]>(limbs).map(|l| blst_fp { l }),
    }
}

/// `blst_p1_affine` and `blst_p2_affine`.
pub trait BlstPoint: Element<Type: Curve> {
    /// `blst_p1` or `blst_p2`.
    type Sum;

    /// The same point.
    fn to_sum(self) -> Self::Sum;
}

const ONE: blst_fp = blst_fp { l: Fp::ONE };

impl BlstPoint for blst_p1_affine {
    type Sum = blst_p1;

    fn to_sum(self) -> blst_p1 {
        let Self { x, y } = self;
        let z = match self == Self::default() {
            true => blst_fp::default(),
            false => ONE,
        };
        blst_p1 { x, y, z }
    }
}

impl BlstPoint for blst_p2_affine {
    type Sum = blst_p2;

    fn to_sum(self) -> blst_p2 {
        let Self { x, y } = self;
        let z = match self == Self::default() {
            true => blst_fp2::default(),
            false => blst_fp2 {
                fp: [ONE, blst_fp::default()],
            },
        };
        blst_p2 { x, y, z }
    }
}

/// As `blst::p1_affines::mult` and `blst::p2_affines::mult`.
impl VectorEngine {
    /// The sum of the points, each times its scalar, in the place of `mult` of blst's
    /// `MultiPoint`. Points are taken to be of the subgroup. Scalars are integers of `bits`
    /// bits, 256 at most, one after the other in little-endian bytes.
    ///
    /// ```
    /// use blst::{MultiPoint, blst_p1_affine};
    /// use gpu_executor::vectors::{Curve, Element, G1, VectorEngine};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// let engine = VectorEngine::cpu()?; // or VectorEngine::new()? for a Vulkan device
    /// let points = vec![blst_p1_affine::from_limbs(G1::GENERATOR); 100];
    /// let scalars: Vec<u8> = (0..800).map(|byte| byte as u8).collect();
    ///
    /// let sum = points.as_slice().mult(&scalars, 64);
    /// // In its place:
    /// let on_engine = engine.blst_msm(&points, &scalars, 64)?;
    /// assert_eq!(on_engine, sum);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongNumber`] for more bits, [`Error::InvalidLength`] for fewer bytes than the
    /// points take (those that are more are not looked at), else as [`Self::upload`] and
    /// [`Queue::submit`](crate::vectors::Queue::submit).
    pub fn blst_msm<P: BlstPoint>(
        &self,
        points: &[P],
        scalars: &[u8],
        bits: usize,
    ) -> Result<P::Sum> {
        let Some(width) = u32::try_from(bits).ok().filter(|it| *it <= MOST_BITS) else {
            return Err(Error::WrongNumber {
                operation: "blst_msm",
                expected: format!("scalars of {MOST_BITS} bits at most"),
                found: bits,
            });
        };
        let each = bits.div_ceil(8);
        let Some(scalars) = scalars.get(..each * points.len()) else {
            return Err(Error::InvalidLength {
                what: "the scalars",
                expected: format!(
                    "{} bytes or more, {each} for each point",
                    each * points.len()
                ),
                found: scalars.len(),
                unit: "bytes",
            });
        };
        if bits == 0 {
            return Ok(P::from_limbs(Default::default()).to_sum());
        }
        let scalars = self.upload_packed(scalars, width, points.len())?;
        let sum = self.msm(points, &scalars)?;
        Ok(P::from_limbs(sum.to_affine()).to_sum())
    }
}

const MOST_BITS: u32 = 256;
