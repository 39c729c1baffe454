//! Which device to use: a pure function over the caps of all devices.

use std::cmp::Reverse;
use std::fmt;

use crate::{DeviceCaps, Error};

/// Which device a caller wants.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DevicePolicy {
    /// The best there is: discrete, then integrated, then virtual, then any
    /// other kind, then software; among equals the one with the most device
    /// memory, then the first.
    #[default]
    Auto,
    /// The device at this index of the loader's list, duplicates removed.
    Index(usize),
    /// The best device whose name contains this text, ignoring case.
    Name(String),
    /// The device with this UUID.
    Uuid(crate::Uuid),
}

impl DevicePolicy {
    /// Reads an index, a UUID (32 hexadecimal digits, dashes allowed) or part
    /// of a name, as `GPU_DEVICE` takes them. `None` for a blank text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if let Some(uuid) = parse_uuid(text) {
            return Some(Self::Uuid(uuid));
        }
        if let Ok(index) = text.parse() {
            return Some(Self::Index(index));
        }
        Some(Self::Name(text.to_owned()))
    }
}

impl fmt::Display for DevicePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("the best device"),
            Self::Index(index) => write!(f, "index {index}"),
            Self::Name(part) => write!(f, "a name containing {part:?}"),
            Self::Uuid(uuid) => write!(f, "UUID {uuid}"),
        }
    }
}

fn parse_uuid(text: &str) -> Option<crate::Uuid> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    let mut uuid = [0; 16];
    for (byte, pair) in uuid.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(crate::Uuid(uuid))
}

/// Picks one of `devices` under `policy`: its index, and in words for the log why.
///
/// The same device listed by two drivers (equal UUID) counts once, where it
/// is listed first; a UUID of zeros identifies nothing and is not compared.
///
/// # Errors
/// [`Error::NoDevice`] for an empty list, [`Error::NoMatchingDevice`] where
/// no device fits the policy.
pub(crate) fn choose_device(
    devices: &[&DeviceCaps],
    policy: &DevicePolicy,
) -> Result<(usize, String), Error> {
    let unique = without_duplicates(devices);
    if unique.is_empty() {
        return Err(Error::no_device("every driver known to the Vulkan loader"));
    }
    let fits = |position: usize, caps: &DeviceCaps| match policy {
        DevicePolicy::Auto => true,
        DevicePolicy::Index(wanted) => position == *wanted,
        DevicePolicy::Name(part) => caps.name.to_lowercase().contains(&part.to_lowercase()),
        DevicePolicy::Uuid(uuid) => caps.uuid == *uuid,
    };
    let best = unique
        .iter()
        .enumerate()
        .filter(|(position, index)| fits(*position, devices[**index]))
        .min_by_key(|(position, index)| {
            let caps = devices[**index];
            let local = caps.heaps.iter().filter(|heap| heap.device_local);
            let memory: u64 = local.map(|heap| heap.size).sum();
            (caps.kind, Reverse(memory), *position)
        })
        .map(|(_, index)| *index);
    match best {
        Some(index) => Ok((index, reason(devices[index], unique.len(), policy))),
        None => Err(Error::NoMatchingDevice {
            wanted: policy.to_string(),
            found: listing(devices, &unique),
        }),
    }
}

fn without_duplicates(devices: &[&DeviceCaps]) -> Vec<usize> {
    let mut unique: Vec<usize> = Vec::new();
    for (index, caps) in devices.iter().enumerate() {
        let known = caps.uuid.0 != [0; 16] && unique.iter().any(|&i| devices[i].uuid == caps.uuid);
        if !known {
            unique.push(index);
        }
    }
    unique
}

fn reason(caps: &DeviceCaps, count: usize, policy: &DevicePolicy) -> String {
    match policy {
        DevicePolicy::Auto if count == 1 => format!("the only device ({})", caps.kind),
        DevicePolicy::Auto => format!("the best of {count} devices ({})", caps.kind),
        asked => format!("asked for by {asked}"),
    }
}

fn listing(devices: &[&DeviceCaps], unique: &[usize]) -> String {
    let lines = unique.iter().enumerate().map(|(position, &index)| {
        let caps = devices[index];
        format!(
            "{position}: {} ({}, UUID {})",
            caps.name, caps.kind, caps.uuid
        )
    });
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use crate::{DeviceKind, Uuid};

    fn choose(devices: &[DeviceCaps], policy: &DevicePolicy) -> Result<usize, Error> {
        Ok(choose_device(&devices.iter().collect::<Vec<_>>(), policy)?.0)
    }

    fn fleet() -> Vec<DeviceCaps> {
        vec![
            recorded::llvmpipe(),
            recorded::integrated(),
            recorded::h200(),
        ]
    }

    fn with_uuid(uuid: u8, caps: DeviceCaps) -> DeviceCaps {
        let uuid = Uuid([uuid; 16]);
        DeviceCaps { uuid, ..caps }
    }

    #[test]
    fn kinds_have_an_order_and_among_equals_the_most_memory_and_then_the_first_wins() {
        let mut devices = Vec::new();
        for (number, kind) in [
            (1, DeviceKind::Software),
            (2, DeviceKind::Virtual),
            (3, DeviceKind::Integrated),
            (4, DeviceKind::Discrete),
        ] {
            let caps = with_uuid(number, recorded::llvmpipe());
            devices.push(DeviceCaps { kind, ..caps });
            let choice = choose(&devices, &DevicePolicy::Auto).unwrap();
            assert_eq!(devices[choice].kind, kind);
        }
        let (small, twin) = (recorded::small_bar(), with_uuid(8, recorded::h200()));
        let devices = [with_uuid(7, small), recorded::h200(), twin];
        assert_eq!(choose(&devices, &DevicePolicy::Auto), Ok(1));
    }

    #[test]
    fn a_device_behind_two_drivers_counts_once() {
        let devices = [recorded::h200(), recorded::h200(), recorded::llvmpipe()];
        assert_eq!(choose(&devices, &DevicePolicy::Index(1)), Ok(2));
        let devices = [(); 2].map(|()| with_uuid(0, recorded::h200()));
        assert_eq!(choose(&devices, &DevicePolicy::Index(1)), Ok(1));
    }

    #[test]
    fn index_name_and_uuid_are_told_apart_and_found() {
        let devices = fleet();
        let uuid = devices[1].uuid.to_string();
        for (text, index) in [("0", 0), ("nvidia", 2), ("LLVM", 0), (uuid.as_str(), 1)] {
            let policy = DevicePolicy::parse(text).unwrap();
            let choice = choose(&devices, &policy).unwrap();
            assert_eq!(choice, index, "{text}");
        }
        assert_eq!(DevicePolicy::parse("  "), None);
    }

    #[test]
    fn a_miss_names_what_was_wanted_and_what_there_is() {
        let error = choose(&fleet(), &DevicePolicy::Index(9)).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("index 9") && text.contains("2: NVIDIA H200"),
            "{text}"
        );
        assert!(matches!(
            choose(&[], &DevicePolicy::Auto),
            Err(Error::NoDevice { .. })
        ));
    }
}
