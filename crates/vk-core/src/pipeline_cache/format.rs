//! The bytes of a cache file: the SHA-256 of the driver's data, then that data, as
//! `vkGetPipelineCacheData` returned it.
//!
//! A driver may do anything with data that is not its own, so all of it is checked before
//! the driver sees it.

use std::fmt::Display;

use sha2::{Digest, Sha256};

use crate::{DeviceCaps, Uuid};

/// A file of more bytes than this is not read again: a driver's cache only
/// grows, and most of what fills so much is of kernels long gone.
pub(super) const OUTGROWN_BYTES: usize = 16 << 20;
/// The largest file that is looked at, in bytes.
pub(super) const MAX_FILE_BYTES: usize = 64 << 20;
/// The most data that such a file holds, in bytes.
pub(super) const MAX_DATA_BYTES: usize = MAX_FILE_BYTES - HASH_BYTES;
const HASH_BYTES: usize = 32;

/// The name of the cache file: one for each device and driver.
pub(super) fn file_name(caps: &DeviceCaps) -> String {
    let ((vendor, device), version) = (caps.vendor_device, caps.driver_version);
    let uuid = caps.pipeline_cache_uuid;
    format!("pipelines-{vendor:08x}-{device:08x}-{version:08x}-{uuid}.bin")
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Not what was written, not written by this library, or not to be had.
    #[error("{0}")]
    Unusable(String),
    /// Whole, and of another driver or device than the file's name says.
    #[error("{0}")]
    Foreign(String),
    /// Larger than is worth keeping: begun afresh.
    #[error("expected {OUTGROWN_BYTES} bytes at most, found {0}")]
    Outgrown(usize),
}

pub(super) fn hash(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

pub(super) fn encode(data: &[u8]) -> Vec<u8> {
    [&hash(data), data].concat()
}

/// The driver's data in `bytes` and its SHA-256, if it is whole and of a device with `caps`.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    caps: &DeviceCaps,
) -> Result<(&'a [u8], [u8; 32]), Refusal> {
    if bytes.len() > OUTGROWN_BYTES {
        return Err(Refusal::Outgrown(bytes.len()));
    }
    let payload = bytes.split_first_chunk().and_then(|(expected, data)| {
        let hash = hash(data);
        (hash == *expected).then_some((data, hash))
    });
    let damaged = "expected data behind its SHA-256, found other bytes: damaged, or no such file";
    let payload = payload.ok_or_else(|| Refusal::Unusable(damaged.to_owned()))?;
    // What follows is about data that some driver returned.
    check_driver_header(payload.0, caps).map_err(Refusal::Foreign)?;
    Ok(payload)
}

/// Checks the header that all drivers' data begins with
/// (`VkPipelineCacheHeaderVersionOne`).
fn check_driver_header(data: &[u8], caps: &DeviceCaps) -> Result<(), String> {
    let mut rest = data;
    let mut next = || take(&mut rest).map(u32::from_le_bytes);
    expect("size of the driver's header", 32, next()?)?;
    expect("version of the driver's header", 1, next()?)?;
    expect("vendor ID", caps.vendor_device.0, next()?)?;
    expect("device ID", caps.vendor_device.1, next()?)?;
    let found = Uuid(take(&mut rest)?);
    expect("pipeline cache UUID", caps.pipeline_cache_uuid, found)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (front, back) = rest
        .split_first_chunk()
        .ok_or_else(|| format!("expected {N} more bytes of a header, found {}", rest.len()))?;
    *rest = back;
    Ok(*front)
}

fn expect<T: PartialEq + Display>(what: &str, expected: T, found: T) -> Result<(), String> {
    match expected == found {
        true => Ok(()),
        false => Err(format!("expected {what} {expected}, found {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;

    /// What the driver of an H200 could return.
    fn data() -> Vec<u8> {
        let caps = recorded::h200();
        let (vendor, device) = caps.vendor_device;
        let words = [32, 1, vendor, device];
        let mut data: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        data.extend(caps.pipeline_cache_uuid.0);
        data.extend((0..100_u8).map(|i| i.wrapping_mul(37)));
        data
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for length in [32, 33, 132] {
            let data = &data()[..length];
            let decoded = Ok((data, hash(data)));
            assert_eq!(decode(&encode(data), &recorded::h200()), decoded);
        }
    }

    #[test]
    fn any_bit_flipped_anywhere_and_any_other_length_is_damage() {
        let whole = encode(&data());
        let is_damage = |bytes: &[u8]| {
            let decoded = decode(bytes, &recorded::h200());
            assert!(matches!(decoded, Err(Refusal::Unusable(_))), "{decoded:?}");
        };
        for bit in 0..8 * whole.len() {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            is_damage(&bytes);
        }
        (0..whole.len()).for_each(|length| is_damage(&whole[..length]));
        is_damage(&[&whole[..], &[0]].concat());
    }

    #[test]
    fn data_of_another_driver_or_device_is_foreign_and_names_the_field() {
        let foreign = |data: &[u8]| match decode(&encode(data), &recorded::h200()) {
            Err(Refusal::Foreign(reason)) => reason,
            other => format!("{other:?}"),
        };
        let named = [
            (0, "size of the driver's header 32, found 33"),
            (4, "version of the driver's header 1, found 0"),
            (8, "vendor ID 4318, found 4319"),
            (12, "device ID 9013, found 9012"),
            (16, "pipeline cache UUID 5c"),
        ];
        for (byte, expected) in named {
            let mut data = data();
            data[byte] ^= 1;
            let reason = foreign(&data);
            assert!(reason.contains(expected), "byte {byte}: {reason}");
        }
        for length in 0..32 {
            let reason = foreign(&data()[..length]);
            assert!(
                reason.contains("more bytes of a header"),
                "{length}: {reason}"
            );
        }
    }

    #[test]
    fn a_file_that_has_grown_too_large_is_outgrown() {
        let mut data = data();
        data.resize(OUTGROWN_BYTES - HASH_BYTES, 0);
        assert!(decode(&encode(&data), &recorded::h200()).is_ok());
        data.push(0);
        assert_eq!(
            decode(&encode(&data), &recorded::h200())
                .unwrap_err()
                .to_string(),
            "expected 16777216 bytes at most, found 16777217"
        );
    }

    #[test]
    fn each_device_and_driver_has_a_file_of_its_own() {
        let mut all = [(); 5].map(|()| recorded::h200());
        all[1].vendor_device.0 += 1;
        all[2].vendor_device.1 += 1;
        all[3].driver_version += 1;
        all[4].pipeline_cache_uuid.0[15] ^= 1;
        let names = all.each_ref().map(file_name);
        let distinct: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{names:?}");
    }
}
