//! The encodings of points that Zcash defined, and that Ethereum and others took over.

use bytemuck::allocation::try_zeroed_vec;
use field_kernels::Curve;

use super::{PIECE, PointCheck, PointFault, PointVec, on_host};
use crate::vectors::cpu::BlstCurve;
use crate::vectors::engine::{VectorEngine, expect_whole};
use crate::vectors::field_vec::FieldVec;
use crate::vectors::fields::with_curve;
use crate::{Error, Result};

/// How points are written as bytes: coordinates as big-endian integers, of G2 the imaginary
/// part first, with three flags in the highest bits of the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointEncoding {
    /// x, and in a flag which of two y: 48 bytes of G1, 96 of G2.
    Compressed,
    /// x and y: 96 bytes of G1, 192 of G2.
    Uncompressed,
}

impl PointEncoding {
    /// Bytes of a point.
    #[must_use]
    pub fn bytes<C: Curve>(self) -> usize {
        match self {
            Self::Compressed => C::BYTES / 2,
            Self::Uncompressed => C::BYTES,
        }
    }
}

impl VectorEngine {
    /// A vector of the points that are encoded in `bytes`, one after the other. The host's
    /// threads decode them; that they are on the curve shows in any case.
    ///
    /// # Errors
    /// [`Error::InvalidPoint`] for the first that is not encoded as it should be, else for the
    /// first that does not pass; [`Error::InvalidLength`] for bytes that are no whole number of points, else
    /// as [`Self::upload`].
    pub fn upload_encoded_points<C: Curve>(
        &self,
        bytes: &(impl AsRef<[u8]> + ?Sized),
        encoding: PointEncoding,
        check: PointCheck,
    ) -> Result<PointVec<C>> {
        let (bytes, each) = (bytes.as_ref(), encoding.bytes::<C>());
        expect_whole(bytes.len(), each, "bytes")?;
        let mut limbs = zeroed(bytes.len() / each * C::LIMBS, "decoded points")?;
        with_curve!(C::ID, D => decode_all::<D>(self, bytes, &mut limbs, encoding))?;
        let vector = self.upload_canonical(&limbs)?;
        if check == PointCheck::Subgroup {
            vector.expect(&limbs, check)?;
        }
        Ok(vector)
    }
}

impl<C: Curve> FieldVec<C> {
    /// Its points, encoded one after the other by the host's threads.
    ///
    /// # Errors
    /// As [`Self::download`].
    pub fn download_encoded(&self, encoding: PointEncoding) -> Result<Vec<u8>> {
        let limbs = self.download::<u64>()?;
        let mut bytes = zeroed(self.len() * encoding.bytes::<C>(), "encoded points")?;
        with_curve!(C::ID, D => encode_all::<D>(&self.engine, &limbs, &mut bytes, encoding))?;
        Ok(bytes)
    }
}

fn zeroed<T: bytemuck::Zeroable>(count: usize, purpose: &str) -> Result<Vec<T>> {
    try_zeroed_vec(count).map_err(|()| Error::OutOfHostMemory {
        purpose: purpose.to_owned(),
        requested: count.saturating_mul(size_of::<T>()),
    })
}

fn decode_all<C: BlstCurve>(
    engine: &VectorEngine,
    bytes: &[u8],
    limbs: &mut [u64],
    encoding: PointEncoding,
) -> Result<()> {
    let each = encoding.bytes::<C>();
    let points = C::elements_mut(limbs)?.chunks_mut(PIECE);
    let pieces = bytes.chunks(PIECE * each).zip(points);
    on_host::<C, _>(engine, pieces, |(bytes, points)| {
        let places = bytes.chunks_exact(each).zip(points).enumerate();
        for (at, (bytes, point)) in places {
            *point = match decode::<C>(bytes, encoding) {
                Ok(point) => point,
                Err(fault) => return Some((at, fault)),
            };
        }
        None
    })
}

const COMPRESSED: u8 = 0b100;
const INFINITY: u8 = 0b010;
const LARGER_Y: u8 = 0b001;

/// The point in `bytes`, which are as many as one takes.
fn decode<C: BlstCurve>(bytes: &[u8], encoding: PointEncoding) -> Result<C::Limbs, PointFault> {
    let Some((first, rest)) = bytes.split_first() else {
        return Err(PointFault::Flags(0));
    };
    let flags = first >> 5;
    let allowed = match encoding {
        PointEncoding::Compressed => flags & COMPRESSED != 0,
        PointEncoding::Uncompressed => flags & (COMPRESSED | LARGER_Y) == 0,
    };
    if !allowed {
        return Err(PointFault::Flags(flags));
    }
    if flags & INFINITY != 0 {
        let only = (flags & (COMPRESSED | INFINITY)) << 5;
        let alone = *first == only && rest.iter().all(|byte| *byte == 0);
        return match alone {
            true => Ok(C::Limbs::default()),
            false => Err(PointFault::Infinity),
        };
    }
    match encoding {
        PointEncoding::Compressed => C::uncompressed(bytes),
        PointEncoding::Uncompressed => C::deserialized(bytes),
    }
}

fn encode_all<C: BlstCurve>(
    engine: &VectorEngine,
    limbs: &[u64],
    bytes: &mut [u8],
    encoding: PointEncoding,
) -> Result<()> {
    let each = encoding.bytes::<C>();
    let points = C::elements(limbs)?.chunks(PIECE);
    let pieces = points.zip(bytes.chunks_mut(PIECE * each));
    on_host::<C, _>(engine, pieces, |(points, bytes)| {
        for (point, bytes) in points.iter().zip(bytes.chunks_exact_mut(each)) {
            match encoding {
                PointEncoding::Compressed => C::compress(point, bytes),
                PointEncoding::Uncompressed => C::serialize(point, bytes),
            }
        }
        None
    })
}
