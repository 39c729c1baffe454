//! The bytes of a cache file: a header of our own around the driver's data.
//!
//! ```text
//!  0  magic, 20 bytes
//! 20  version of this format, u32
//! 24  length of the payload, u64
//! 32  SHA-256 of the payload
//! 64  payload: what vkGetPipelineCacheData returned, to the end of the file
//! ```
//!
//! Integers are little-endian. A driver may do anything with data that is
//! not its own, so all of it is checked before the driver sees it.

use std::fmt::Display;

use sha2::{Digest, Sha256};

use crate::{DeviceCaps, Uuid};

/// A file of more bytes than this is not read again: a driver's cache only
/// grows, and most of what fills so much is of kernels long gone.
pub(super) const OUTGROWN_BYTES: usize = 16 << 20;
/// The largest file that is looked at, in bytes.
pub(super) const MAX_FILE_BYTES: usize = 64 << 20;
/// The most data that such a file holds, in bytes.
pub(super) const MAX_DATA_BYTES: usize = MAX_FILE_BYTES - HEADER_BYTES;

/// What tells the data of one device and driver from that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    vendor: u32,
    device: u32,
    driver_version: u32,
    uuid: Uuid,
}

impl Identity {
    pub(super) fn of(caps: &DeviceCaps) -> Self {
        let (vendor, device) = caps.vendor_device;
        Self {
            vendor,
            device,
            driver_version: caps.driver_version,
            uuid: caps.pipeline_cache_uuid,
        }
    }

    /// The name of the cache file: one for each device and driver.
    pub(super) fn file_name(&self) -> String {
        let (vendor, device, version) = (self.vendor, self.device, self.driver_version);
        let uuid = self.uuid;
        format!("pipelines-{vendor:08x}-{device:08x}-{version:08x}-{uuid}.bin")
    }
}

/// The driver's data, as it was when it was saved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Payload<'a> {
    pub(super) data: &'a [u8],
    pub(super) hash: [u8; 32],
}

/// Why a file's bytes are not used.
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

/// The SHA-256 of the driver's data.
pub(super) fn hash(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// The bytes of a file that holds `data`.
pub(super) fn encode(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + data.len());
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((data.len() as u64).to_le_bytes());
    bytes.extend(hash(data));
    bytes.extend(data);
    bytes
}

/// The driver's data in `bytes`, if it is whole and of `identity`.
pub(super) fn decode<'a>(bytes: &'a [u8], identity: &Identity) -> Result<Payload<'a>, Refusal> {
    if bytes.len() > OUTGROWN_BYTES {
        return Err(Refusal::Outgrown(bytes.len()));
    }
    let payload = unwrap_payload(bytes).map_err(Refusal::Unusable)?;
    // What follows is about data that some driver returned.
    check_driver_header(payload.data, identity).map_err(Refusal::Foreign)?;
    Ok(payload)
}

fn unwrap_payload(bytes: &[u8]) -> Result<Payload<'_>, String> {
    let mut data = bytes;
    if take(&mut data)? != MAGIC {
        return Err("not a file of pipelines: it begins with other bytes".to_owned());
    }
    expect(
        "format version",
        VERSION,
        u32::from_le_bytes(take(&mut data)?),
    )?;
    let length = u64::from_le_bytes(take(&mut data)?);
    let expected: [u8; 32] = take(&mut data)?;
    expect("payload length", length, data.len() as u64)?;
    match hash(data) {
        hash if hash == expected => Ok(Payload { data, hash }),
        _ => Err("the payload does not have the SHA-256 that its header names".to_owned()),
    }
}

/// Checks the header that all drivers' data begins with
/// (`VkPipelineCacheHeaderVersionOne`).
fn check_driver_header(data: &[u8], identity: &Identity) -> Result<(), String> {
    let mut rest = data;
    let mut next = || take(&mut rest).map(u32::from_le_bytes);
    expect("size of the driver's header", 32, next()?)?;
    expect("version of the driver's header", 1, next()?)?;
    expect("vendor ID", identity.vendor, next()?)?;
    expect("device ID", identity.device, next()?)?;
    let found = Uuid(take(&mut rest)?);
    expect("pipeline cache UUID", identity.uuid, found)
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

// Like PNG's, the last bytes tell whether a transfer as text changed them.
const MAGIC: [u8; 20] = *b"vk-core pipelines\r\n\x1a";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;

    fn identity() -> Identity {
        Identity::of(&recorded::h200())
    }

    /// What the driver of `identity` could return.
    fn data(identity: &Identity) -> Vec<u8> {
        let words = [32, 1, identity.vendor, identity.device];
        let mut data: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        data.extend(identity.uuid.0);
        data.extend((0..100_u8).map(|i| i.wrapping_mul(37)));
        data
    }

    fn reason(bytes: &[u8]) -> Refusal {
        decode(bytes, &identity()).unwrap_err()
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for length in [32, 33, 132] {
            let data = &data(&identity())[..length];
            let bytes = encode(data);
            assert_eq!(bytes.len(), HEADER_BYTES + length);
            let hash = hash(data);
            assert_eq!(decode(&bytes, &identity()), Ok(Payload { data, hash }));
        }
    }

    #[test]
    fn any_bit_flipped_anywhere_is_damage() {
        let whole = encode(&data(&identity()));
        for bit in 0..8 * whole.len() {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let refusal = reason(&bytes);
            assert!(
                matches!(refusal, Refusal::Unusable(_)),
                "bit {bit}: {refusal}"
            );
        }
    }

    #[test]
    fn a_file_of_any_other_length_is_damage() {
        let mut bytes = encode(&data(&identity()));
        for length in 0..bytes.len() {
            let refusal = reason(&bytes[..length]);
            assert!(
                matches!(refusal, Refusal::Unusable(_)),
                "{length}: {refusal}"
            );
        }
        bytes.push(0);
        assert_eq!(
            reason(&bytes).to_string(),
            "expected payload length 132, found 133"
        );
    }

    #[test]
    fn damage_names_the_field() {
        let whole = encode(&data(&identity()));
        let named = [
            (0, "begins with other bytes"),
            (20, "format version 1, found 0"),
            (24, "payload length 133, found 132"),
            (32, "SHA-256"),
            (64, "SHA-256"),
        ];
        for (byte, expected) in named {
            let mut bytes = whole.clone();
            bytes[byte] ^= 1;
            let refusal = reason(&bytes).to_string();
            assert!(refusal.contains(expected), "byte {byte}: {refusal}");
        }
    }

    #[test]
    fn data_of_another_driver_or_device_is_foreign_and_names_the_field() {
        let whole = data(&identity());
        let named = [
            (0, "size of the driver's header 32, found 33"),
            (4, "version of the driver's header 1, found 0"),
            (8, "vendor ID 4318, found 4319"),
            (12, "device ID 9013, found 9012"),
            (16, "pipeline cache UUID 5c"),
        ];
        for (byte, expected) in named {
            let mut data = whole.clone();
            data[byte] ^= 1;
            let refusal = reason(&encode(&data));
            assert!(matches!(refusal, Refusal::Foreign(_)), "{refusal}");
            let refusal = refusal.to_string();
            assert!(refusal.contains(expected), "byte {byte}: {refusal}");
        }
        for length in 0..32 {
            let refusal = reason(&encode(&whole[..length]));
            assert!(
                matches!(refusal, Refusal::Foreign(_)),
                "{length}: {refusal}"
            );
        }
    }

    #[test]
    fn a_file_that_has_grown_too_large_is_outgrown() {
        let mut data = data(&identity());
        data.resize(OUTGROWN_BYTES - HEADER_BYTES, 0);
        assert!(decode(&encode(&data), &identity()).is_ok());
        data.push(0);
        assert_eq!(
            reason(&encode(&data)).to_string(),
            "expected 16777216 bytes at most, found 16777217"
        );
    }

    #[test]
    fn each_device_and_driver_has_a_file_of_its_own() {
        let caps = recorded::h200();
        let [mut vendor, mut device, mut version, mut uuid] = [(); 4].map(|()| caps.clone());
        vendor.vendor_device.0 += 1;
        device.vendor_device.1 += 1;
        version.driver_version += 1;
        uuid.pipeline_cache_uuid.0[15] ^= 1;
        let all = [caps, vendor, device, version, uuid];
        let names: std::collections::HashSet<_> = all
            .iter()
            .map(|caps| Identity::of(caps).file_name())
            .collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
    }
}
