//! Points of the curve as vectors: up from the host, held to what the caller asks for.

mod check;
mod encoding;

use std::fmt;
use std::sync::Mutex;

use bytemuck::must_cast_slice;
use field_kernels::{Curve, ElementType};
use vk_core::lock;

use super::elements::AsElements;
use super::engine::{VectorEngine, expect_whole};
use super::field_vec::{FieldVec, Form};
use crate::canonical::Order;
use crate::{Error, Inputs, Result};

pub use encoding::PointEncoding;

/// A vector of affine points, with `C` one of [`G1`](super::G1) and [`G2`](super::G2): x and
/// then y in Montgomery form, 96 and 192 bytes; infinity is all zero. So blst and arkworks
/// hold them.
///
/// It is a [`FieldVec`] in all but arithmetic: it can be cut, moved, compared, read and
/// downloaded. It comes up by [`VectorEngine::upload_points`] and
/// [`VectorEngine::upload_encoded_points`], which say what its points were held to.
pub type PointVec<C> = FieldVec<C>;

/// What points are held to when they are uploaded; their coordinates are below the modulus in
/// any case. Sums are right for all points of the curve, products by scalars for those of the
/// subgroup alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointCheck {
    /// Each is in the subgroup of order r: of points from anywhere.
    Subgroup,
    /// Each is on the curve.
    OnCurve,
    /// Nothing: whoever made them is trusted to have made points of the subgroup.
    Trusted,
}

/// Why a point is refused.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointFault {
    /// It is not on the curve.
    NotOnCurve,
    /// It is on the curve and not in the subgroup.
    NotInSubgroup,
    /// A coordinate in its encoding is not below the modulus.
    NotCanonical,
    /// The flags of its encoding, the three highest bits of the first byte, are others than
    /// such an encoding has: compressed, infinity, and whether y is the larger of two.
    Flags(u8),
    /// Its encoding says infinity and has other bits beside that.
    Infinity,
}

impl fmt::Display for PointFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnCurve => f.write_str("one that is not on the curve"),
            Self::NotInSubgroup => f.write_str("one that is on the curve, but not in the subgroup"),
            Self::NotCanonical => f.write_str("a coordinate that is the modulus or more"),
            Self::Flags(flags) => {
                write!(
                    f,
                    "the flags {flags:03b}, which this encoding does not have"
                )
            }
            Self::Infinity => f.write_str("infinity with other bits set"),
        }
    }
}

impl VectorEngine {
    /// A vector of affine points: a slice of limbs, or of the types of arkworks and blst with
    /// the features of these names, which are copied as they are. They are held to `check` by
    /// the device, or where they are few by the host's threads.
    ///
    /// ```
    /// use gpu_executor::vectors::{Curve, G1, PointCheck, VectorEngine};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// let engine = VectorEngine::cpu()?;
    /// let infinity = [0; 12];
    /// let points = [G1::GENERATOR, infinity].concat();
    /// let points = engine.upload_points::<G1>(&points, PointCheck::Subgroup)?;
    /// assert_eq!(points.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidPoint`] for the first point that does not pass, else as
    /// [`Self::upload`].
    pub fn upload_points<C: Curve>(
        &self,
        points: &(impl AsElements<C> + ?Sized),
        check: PointCheck,
    ) -> Result<PointVec<C>> {
        let limbs = points.as_limbs();
        // Held to the modulus by the copy: what is looked at next is canonical.
        let vector = self.upload_canonical(limbs)?;
        vector.expect_valid(limbs, check)?;
        Ok(vector)
    }

    /// Whole points, with coordinates below the modulus.
    fn upload_canonical<C: Curve>(&self, limbs: &[u64]) -> Result<PointVec<C>> {
        expect_whole(limbs.len(), C::LIMBS, "limbs")?;
        let bytes = must_cast_slice(limbs);
        self.upload_parts(&[bytes], Inputs::Canonical, Order::Limbs, Form::Montgomery)
    }
}

/// Points that one thread takes at a time.
const PIECE: usize = 64;

/// Calls `task` with pieces of [`PIECE`] points, on the host's threads, until one of them says
/// which of its points is at fault.
///
/// # Errors
/// [`Error::InvalidPoint`] for the first such point.
fn on_host<C: ElementType, T: Send>(
    engine: &VectorEngine,
    pieces: impl ExactSizeIterator<Item = T> + Send,
    task: impl Fn(T) -> Option<(usize, PointFault)> + Sync,
) -> Result<()> {
    let count = pieces.len();
    let (pieces, first) = (Mutex::new(pieces.enumerate()), Mutex::new(None));
    engine.runner().on_host(count, &|_| {
        let next = lock(&pieces).next();
        let Some((number, piece)) = next else { return };
        // Another thread may have found a fault in a piece after this one.
        if lock(&first).is_some_and(|(earlier, _)| earlier < number * PIECE) {
            return;
        }
        if let Some((at, fault)) = task(piece) {
            let (element, mut first) = (number * PIECE + at, lock(&first));
            if first.is_none_or(|(earlier, _)| element < earlier) {
                *first = Some((element, fault));
            }
        }
    })?;
    let first = *lock(&first);
    first.map_or(Ok(()), |(element, fault)| Err(refused::<C>(element, fault)))
}

fn refused<C: ElementType>(element: usize, fault: PointFault) -> Error {
    Error::InvalidPoint {
        element,
        curve: C::NAME,
        fault,
    }
}
