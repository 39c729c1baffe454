//! Points of the curve by blst's functions.

use blst::{BLST_ERROR, blst_p1_affine, blst_p2_affine};
use field_kernels::{Curve, ElementType, G1, G2};

use crate::vectors::PointFault;

/// A curve by blst's functions, on limbs as they lie in memory.
pub(crate) trait BlstCurve: Curve {
    /// Whether it is on the curve, infinity included.
    fn is_on_curve(point: &Self::Limbs) -> bool;

    /// Whether a point of the curve is in the subgroup, infinity included.
    fn is_in_subgroup(point: &Self::Limbs) -> bool;

    /// The point of the curve whose compressed encoding this is, other than infinity.
    fn uncompressed(bytes: &[u8]) -> Result<Self::Limbs, PointFault>;

    /// The point of the curve whose uncompressed encoding this is, other than infinity.
    fn deserialized(bytes: &[u8]) -> Result<Self::Limbs, PointFault>;

    /// Writes the compressed encoding to `bytes`, which are as many.
    fn compress(point: &Self::Limbs, bytes: &mut [u8]);

    /// Writes the uncompressed encoding to `bytes`, which are as many.
    fn serialize(point: &Self::Limbs, bytes: &mut [u8]);
}

macro_rules! curve {
    (
        $curve:ident, $affine:ty, $on_curve:ident, $in_group:ident, $uncompress:ident,
        $deserialize:ident, $compress:ident, $serialize:ident
    ) => {
        // Both are C structures of nothing but limbs, in this order.
        const _: () = assert!(size_of::<$affine>() == <$curve as ElementType>::BYTES);
        const _: () =
            assert!(std::mem::offset_of!($affine, y) == <$curve as ElementType>::BYTES / 2);

        impl BlstCurve for $curve {
            fn is_on_curve(point: &Self::Limbs) -> bool {
                let point = std::ptr::from_ref(point).cast::<$affine>();
                // SAFETY: reads one point, which the limbs are by the assertions above.
                unsafe { blst::$on_curve(point) }
            }

            fn is_in_subgroup(point: &Self::Limbs) -> bool {
                let point = std::ptr::from_ref(point).cast::<$affine>();
                // SAFETY: as above.
                unsafe { blst::$in_group(point) }
            }

            fn uncompressed(bytes: &[u8]) -> Result<Self::Limbs, PointFault> {
                let mut point = Self::Limbs::default();
                let to = std::ptr::from_mut(&mut point).cast::<$affine>();
                debug_assert_eq!(bytes.len(), Self::BYTES / 2);
                let bytes = bytes.first_chunk::<{ <$curve as ElementType>::BYTES / 2 }>();
                let bytes = bytes.ok_or(PointFault::Flags(0))?;
                // SAFETY: reads as many bytes as the array has, and writes one point, which
                // the limbs are by the assertions above.
                let result = unsafe { blst::$uncompress(to, bytes.as_ptr()) };
                decoded(result).map(|()| point)
            }

            fn deserialized(bytes: &[u8]) -> Result<Self::Limbs, PointFault> {
                let mut point = Self::Limbs::default();
                let to = std::ptr::from_mut(&mut point).cast::<$affine>();
                debug_assert_eq!(bytes.len(), Self::BYTES);
                let bytes = bytes.first_chunk::<{ <$curve as ElementType>::BYTES }>();
                let bytes = bytes.ok_or(PointFault::Flags(0))?;
                // SAFETY: as above.
                let result = unsafe { blst::$deserialize(to, bytes.as_ptr()) };
                decoded(result).map(|()| point)
            }

            fn compress(point: &Self::Limbs, bytes: &mut [u8]) {
                let point = std::ptr::from_ref(point).cast::<$affine>();
                debug_assert_eq!(bytes.len(), Self::BYTES / 2);
                if let Some(bytes) =
                    bytes.first_chunk_mut::<{ <$curve as ElementType>::BYTES / 2 }>()
                {
                    // SAFETY: reads one point, which the limbs are by the assertions above,
                    // and writes as many bytes as the array has.
                    unsafe { blst::$compress(bytes.as_mut_ptr(), point) };
                }
            }

            fn serialize(point: &Self::Limbs, bytes: &mut [u8]) {
                let point = std::ptr::from_ref(point).cast::<$affine>();
                debug_assert_eq!(bytes.len(), Self::BYTES);
                if let Some(bytes) = bytes.first_chunk_mut::<{ <$curve as ElementType>::BYTES }>() {
                    // SAFETY: as above.
                    unsafe { blst::$serialize(bytes.as_mut_ptr(), point) };
                }
            }
        }
    };
}

/// What blst says of an encoding, other than of infinity, with the flags that it should have.
fn decoded(result: BLST_ERROR) -> Result<(), PointFault> {
    match result {
        // Points with x = 0 are on the curve, in no subgroup, and refused only by who asks.
        BLST_ERROR::BLST_SUCCESS | BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Ok(()),
        BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Err(PointFault::NotOnCurve),
        _ => Err(PointFault::NotCanonical),
    }
}

curve!(
    G1,
    blst_p1_affine,
    blst_p1_affine_on_curve,
    blst_p1_affine_in_g1,
    blst_p1_uncompress,
    blst_p1_deserialize,
    blst_p1_affine_compress,
    blst_p1_affine_serialize
);
curve!(
    G2,
    blst_p2_affine,
    blst_p2_affine_on_curve,
    blst_p2_affine_in_g2,
    blst_p2_uncompress,
    blst_p2_deserialize,
    blst_p2_affine_compress,
    blst_p2_affine_serialize
);
