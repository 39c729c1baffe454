//! Points of the curve by blst's functions.

use blst::{BLST_ERROR, blst_p1, blst_p1_affine, blst_p2, blst_p2_affine};
use field_kernels::curve::{Coordinate, Xyzz};
use field_kernels::{Curve, ElementType, FR_MODULUS, G1, G2, arithmetic, params};

use crate::vectors::{PointEncoding, PointFault};

/// A curve by blst's functions, on limbs as they lie in memory.
pub(crate) trait BlstCurve: Curve {
    /// Whether it is on the curve, infinity included.
    fn is_on_curve(point: &Self::Limbs) -> bool;

    /// Whether a point of the curve is in the subgroup, infinity included.
    fn is_in_subgroup(point: &Self::Limbs) -> bool;

    /// The point of the curve, other than infinity, whose encoding `bytes` are.
    fn decoded(bytes: &[u8], encoding: PointEncoding) -> Result<Self::Limbs, PointFault>;

    /// Writes the encoding to `bytes`, which are as many.
    fn encode(point: &Self::Limbs, bytes: &mut [u8], encoding: PointEncoding);

    /// A point of the subgroup times an integer below the subgroup's order, whose bytes in
    /// memory are from the lowest to the highest.
    fn multiple(point: &Xyzz<Self>, scalar: &Integer) -> Xyzz<Self>;

    /// The sum of two points or more, as many as scalars, each times the digit of its scalar
    /// that begins at the bit `first`, by Pippenger's method. A digit has `window` bits, or
    /// fewer at the end, and a sign; the next one takes the carry. `buckets` are zeros, so
    /// many as [`bucket_limbs`] says, and are so again.
    fn window(
        points: &[Self::Limbs],
        scalars: &[Integer],
        first: usize,
        window: usize,
        buckets: &mut [u64],
    ) -> Xyzz<Self>;
}

/// A scalar as an integer whose bytes in memory are from the lowest to the highest.
pub(super) type Integer = [u64; 4];

/// Bits of scalars.
pub(super) const SCALAR_BITS: usize = params::bits(&FR_MODULUS) as usize;

/// Limbs of the buckets of a digit: one for each number that it may be, without its sign.
pub(super) fn bucket_limbs<C: Curve>(window: usize) -> usize {
    Xyzz::<C>::LIMBS << (window - 1)
}

/// The point with Jacobian coordinates: x = X / Z<sup>2</sup>, y = Y / Z<sup>3</sup>.
fn from_jacobian<C: Curve>([x, y, z]: [Coordinate<C>; 3]) -> Xyzz<C> {
    let zz = arithmetic::square::<C::Field>(&z);
    let zzz = arithmetic::mul::<C::Field>(&zz, &z);
    Xyzz { x, y, zz, zzz }
}

/// The same point in Jacobian coordinates, with Z = ZZZ.
fn to_jacobian<C: Curve>(point: &Xyzz<C>) -> [Coordinate<C>; 3] {
    let times_square = |x: &_, of: &_| {
        let square = arithmetic::square::<C::Field>(of);
        arithmetic::mul::<C::Field>(x, &square)
    };
    let Xyzz { x, y, zz, zzz } = point;
    [times_square(x, zz), times_square(y, zzz), *zzz]
}

macro_rules! curve {
    (
        $curve:ident, $affine:ty, $jacobian:ty, $on_curve:ident, $in_group:ident, $uncompress:ident,
        $deserialize:ident, $compress:ident, $serialize:ident, $multiply:ident,
        $tile:ident
    ) => {
        // All are C structures of nothing but limbs, in this order.
        const _: () = assert!(size_of::<$jacobian>() == size_of::<[Coordinate<$curve>; 3]>());
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

            fn decoded(bytes: &[u8], encoding: PointEncoding) -> Result<Self::Limbs, PointFault> {
                let mut point = Self::Limbs::default();
                let to = std::ptr::from_mut(&mut point).cast::<$affine>();
                let decode: unsafe extern "C" fn(_, _) -> _ = match encoding {
                    PointEncoding::Compressed => blst::$uncompress,
                    PointEncoding::Uncompressed => blst::$deserialize,
                };
                assert!(bytes.len() == encoding.bytes::<Self>());
                // SAFETY: reads as many bytes as such an encoding has, by the assertion, and
                // writes one point, which the limbs are by those above.
                let result = unsafe { decode(to, bytes.as_ptr()) };
                decoded(result).map(|()| point)
            }

            fn encode(point: &Self::Limbs, bytes: &mut [u8], encoding: PointEncoding) {
                let point = std::ptr::from_ref(point).cast::<$affine>();
                let encode: unsafe extern "C" fn(_, _) = match encoding {
                    PointEncoding::Compressed => blst::$compress,
                    PointEncoding::Uncompressed => blst::$serialize,
                };
                assert!(bytes.len() == encoding.bytes::<Self>());
                // SAFETY: reads one point, which the limbs are by the assertions above, and
                // writes as many bytes as such an encoding has, by this one.
                unsafe { encode(bytes.as_mut_ptr(), point) };
            }

            fn multiple(point: &Xyzz<Self>, scalar: &Integer) -> Xyzz<Self> {
                let point = to_jacobian(point);
                let mut product = [Coordinate::<Self>::default(); 3];
                let (from, to) = (point.as_ptr().cast(), product.as_mut_ptr().cast());
                let scalar = scalar.as_ptr().cast::<u8>();
                // SAFETY: reads one point and the bits of one integer, and writes one point,
                // both of which three coordinates are by the assertions above.
                unsafe { blst::$multiply(to, from, scalar, SCALAR_BITS) };
                from_jacobian(product)
            }

            fn window(
                points: &[Self::Limbs],
                scalars: &[Integer],
                first: usize,
                window: usize,
                buckets: &mut [u64],
            ) -> Xyzz<Self> {
                assert!(points.len() >= 2 && points.len() == scalars.len());
                assert!(buckets.len() == bucket_limbs::<Self>(window) && first <= SCALAR_BITS);
                // Each a list of runs, of one run here.
                let points = [points.as_ptr().cast::<$affine>(), std::ptr::null()];
                let integers = [scalars.as_ptr().cast::<u8>(), std::ptr::null()];
                let mut sum = [Coordinate::<Self>::default(); 3];
                let to = sum.as_mut_ptr().cast::<$jacobian>();
                // SAFETY: reads as many points and integers as there are, each of as many bytes
                // as so many bits take, by the assertions above; and writes one point and as
                // many buckets as a digit of `window` bits has numbers.
                unsafe {
                    blst::$tile(
                        to,
                        points.as_ptr(),
                        scalars.len(),
                        integers.as_ptr(),
                        SCALAR_BITS,
                        buckets.as_mut_ptr(),
                        first,
                        window,
                    );
                }
                from_jacobian(sum)
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
    blst_p1,
    blst_p1_affine_on_curve,
    blst_p1_affine_in_g1,
    blst_p1_uncompress,
    blst_p1_deserialize,
    blst_p1_affine_compress,
    blst_p1_affine_serialize,
    blst_p1_mult,
    blst_p1s_tile_pippenger
);
curve!(
    G2,
    blst_p2_affine,
    blst_p2,
    blst_p2_affine_on_curve,
    blst_p2_affine_in_g2,
    blst_p2_uncompress,
    blst_p2_deserialize,
    blst_p2_affine_compress,
    blst_p2_affine_serialize,
    blst_p2_mult,
    blst_p2s_tile_pippenger
);
