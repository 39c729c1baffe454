//! The encodings of points that Zcash defined, and that Ethereum and others took over.

use bytemuck::allocation::try_zeroed_vec;
use field_kernels::{Curve, ElementType as _, operations};

use super::check::expect_on_device;
use super::{PIECE, PointCheck, PointFault, PointVec, on_host, refused};
use crate::canonical::Order;
use crate::vectors::cpu::BlstCurve;
use crate::vectors::engine::{VectorEngine, expect_whole};
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::fields::with_curve;
use crate::{Error, Inputs, Result};

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
    /// A vector of the points that are encoded in `bytes`, one after the other. They are
    /// decoded by the device where they are compressed and many, else by the host's threads;
    /// that they are on the curve shows in any case.
    ///
    /// # Errors
    /// [`Error::InvalidPoint`] for one that is not encoded as it should be or does not pass;
    /// where there are several, not always for the first; [`Error::InvalidLength`] for bytes that are no whole number of points, else
    /// as [`Self::upload`].
    pub fn upload_encoded_points<C: Curve>(
        &self,
        bytes: &(impl AsRef<[u8]> + ?Sized),
        encoding: PointEncoding,
        check: PointCheck,
    ) -> Result<PointVec<C>> {
        let (bytes, each) = (bytes.as_ref(), encoding.bytes::<C>());
        expect_whole(bytes.len(), each, "bytes")?;
        let compressed = encoding == PointEncoding::Compressed;
        if compressed && self.runner().is_for_points(bytes.len() / each) {
            return decoded_on_device(self, bytes, check);
        }
        let mut limbs = zeroed(bytes.len() / each * C::LIMBS, "decoded points")?;
        with_curve!(C::ID, D => decode_all::<D>(self, bytes, &mut limbs, encoding))?;
        let vector = self.upload_canonical(&limbs)?;
        if check == PointCheck::Subgroup {
            vector.expect_valid(&limbs, check)?;
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

/// Of compressed points the device computes y.
fn decoded_on_device<C: Curve>(
    engine: &VectorEngine,
    bytes: &[u8],
    check: PointCheck,
) -> Result<PointVec<C>> {
    let each = PointEncoding::Compressed.bytes::<C>();
    let mut x = zeroed(bytes.len(), "coordinates of points")?;
    let mut signs = zeroed(bytes.len() / each, "signs of points")?;
    let places = x.chunks_mut(PIECE * each).zip(signs.chunks_mut(PIECE));
    on_host::<C, _>(
        engine,
        bytes.chunks(PIECE * each).zip(places),
        |(bytes, (x, signs))| {
            let places = x.chunks_exact_mut(each).zip(signs);
            let mut all = bytes.chunks_exact(each).zip(places).enumerate();
            all.find_map(|(at, (bytes, (x, sign)))| {
                let flags = match flags_of(bytes, PointEncoding::Compressed) {
                    Ok(flags) => flags,
                    Err(fault) => return Some((at, fault)),
                };
                *sign = match flags & INFINITY {
                    0 => u32::from(flags & LARGER_Y),
                    _ => NO_Y,
                };
                if *sign != NO_Y {
                    // Of two coordinates the second comes first.
                    let coordinate = C::Base::BYTES;
                    let from = bytes.chunks_exact(coordinate).rev();
                    let to = x.chunks_exact_mut(coordinate);
                    to.zip(from).for_each(|(to, from)| to.copy_from_slice(from));
                    x[each - coordinate] &= 0x1f;
                }
                None
            })
        },
    )?;
    let uploaded = engine.upload_parts(&[&x], Inputs::Canonical, Order::BigEndian, Form::Plain);
    let x = uploaded.map_err(|error| match error {
        Error::NotCanonical(it) => refused::<C>(it.element, PointFault::NotCanonical),
        error => error,
    })?;
    let x = engine.queue().converted(&operations::FROM_BE_BYTES, x)?;
    let signs = engine.upload_indices(&signs)?;
    let queue = engine.queue();
    let points = queue.points_of_x::<C>(x, &signs)?;
    queue.submit()?.wait()?;
    let check = match check {
        PointCheck::Trusted => PointCheck::OnCurve,
        check => check,
    };
    expect_on_device(&points, check)?;
    Ok(points)
}

/// The sign of a point without y: of infinity.
const NO_Y: u32 = 2;

const COMPRESSED: u8 = 0b100;
const INFINITY: u8 = 0b010;
const LARGER_Y: u8 = 0b001;

/// The point in `bytes`, which are as many as one takes.
fn decode<C: BlstCurve>(bytes: &[u8], encoding: PointEncoding) -> Result<C::Limbs, PointFault> {
    match flags_of(bytes, encoding)? {
        flags if flags & INFINITY != 0 => Ok(C::Limbs::default()),
        _ => C::decoded(bytes, encoding),
    }
}

/// The flags of a point, which are some that its encoding has; of infinity nothing else is set.
fn flags_of(bytes: &[u8], encoding: PointEncoding) -> Result<u8, PointFault> {
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
            true => Ok(flags),
            false => Err(PointFault::Infinity),
        };
    }
    Ok(flags)
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
            C::encode(point, bytes, encoding);
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use field_kernels::curve::{self, Xyzz};
    use field_kernels::{G1, G2};
    use vk_core::testing::device_under_test;

    use super::*;
    use crate::vectors::vulkan::engine_on;

    fn check<C: BlstCurve>(engine: &VectorEngine) {
        let mut next = Xyzz::<C>::from_affine(&C::GENERATOR);
        let points = (0..200).map(|number| {
            next = next.double().add_affine(&C::GENERATOR);
            match number % 40 {
                9 => Xyzz::default(),
                // The same x, and the other y.
                10..20 => next.neg(),
                _ => next,
            }
        });
        let mut points = Xyzz::to_affine_all(&points.collect::<Vec<_>>());
        points.extend(points.clone().iter().map(curve::opposite::<C>));
        let each = PointEncoding::Compressed.bytes::<C>();
        let mut bytes = vec![0; points.len() * each];
        for (point, bytes) in points.iter().zip(bytes.chunks_exact_mut(each)) {
            C::encode(point, bytes, PointEncoding::Compressed);
        }
        let found = decoded_on_device::<C>(engine, &bytes, PointCheck::Subgroup).unwrap();
        assert!(found.download::<u64>().unwrap() == C::words(&points));
        let none = decoded_on_device::<C>(engine, &[], PointCheck::Subgroup).unwrap();
        assert!(none.is_empty());
        // What the host refuses is refused, for the same reason.
        let mut faults = Vec::new();
        for x in 0..12 {
            for flags in [0x80, 0xa0] {
                let mut point = vec![0; each];
                (point[0], point[each - 1]) = (flags, x);
                faults.push(point);
            }
        }
        for (place, byte) in [
            (0, 0x00),
            (0, 0x40),
            (0, 0xc1),
            (0, 0xe0),
            (0, 0x9f),
            (0, 0xbf),
        ] {
            let mut point = vec![0; each];
            point[each - 1] = 1;
            point[place] = byte;
            faults.push(point);
        }
        let kinds = [
            PointCheck::Subgroup,
            PointCheck::OnCurve,
            PointCheck::Trusted,
        ];
        let mut found = Vec::new();
        for (number, (fault, kind)) in faults.iter().zip(kinds.into_iter().cycle()).enumerate() {
            let at = 7 * number % 30;
            let mut bytes = bytes[..30 * each].to_vec();
            bytes[at * each..][..each].copy_from_slice(fault);
            let on_device = decoded_on_device::<C>(engine, &bytes, kind);
            // A software device: the host does it.
            let encoding = PointEncoding::Compressed;
            let on_host = engine.upload_encoded_points::<C>(&bytes, encoding, kind);
            let limbs = |it: Result<PointVec<C>>| it.map(|it| it.download::<u64>().unwrap());
            let (on_device, on_host) = (limbs(on_device), limbs(on_host));
            assert!(on_device == on_host, "{fault:02x?}, {:?}", on_device.err());
            if let Err(Error::InvalidPoint { element, fault, .. }) = on_device {
                assert_eq!(element, at);
                found.push(fault);
            }
        }
        for fault in [
            PointFault::NotOnCurve,
            PointFault::NotInSubgroup,
            PointFault::NotCanonical,
            PointFault::Infinity,
            PointFault::Flags(0b010),
        ] {
            assert!(found.contains(&fault), "{fault:?}");
        }
    }

    #[test]
    fn a_device_decodes_as_the_host_does() {
        let (_guard, physical) = device_under_test().unwrap();
        let engine = engine_on(&physical, Default::default(), None);
        check::<G1>(&engine);
        check::<G2>(&engine);
    }
}
