//! What this process takes of the machine.

use std::fmt;

use vk_core::ash::{ext, vk};
use vk_core::{Device, DevicePolicy, Instance, InstanceOptions, choose_device};

/// What the process takes now. What a system does not tell is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory, in bytes.
    pub resident: Option<u64>,
    /// Open files, sockets and devices.
    pub files: Option<usize>,
    /// Threads.
    pub threads: Option<usize>,
    /// Memory that the driver counts for this process on all heaps of the
    /// device, in bytes.
    pub device: Option<u64>,
}

impl Usage {
    /// Reads it.
    ///
    /// # Errors
    /// Where there is no Vulkan device, or none can be made.
    pub fn now() -> anyhow::Result<Self> {
        let count = |folder: &str| std::fs::read_dir(folder).ok().map(Iterator::count);
        Ok(Self {
            device: device_bytes()?,
            resident: resident(),
            files: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
        })
    }

    /// How much more of everything there is than `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Growth {
        Growth {
            resident: growth(self.resident, before.resident),
            files: growth(self.files, before.files),
            threads: growth(self.threads, before.threads),
            device: growth(self.device, before.device),
        }
    }
}

/// Differences of two [`Usage`]s, `None` where the system does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Bytes of resident memory.
    pub resident: Option<i128>,
    /// Open files.
    pub files: Option<i128>,
    /// Threads.
    pub threads: Option<i128>,
    /// Bytes of the device's memory.
    pub device: Option<i128>,
}

impl Growth {
    /// Whether resident memory grew by `bytes` at most and nothing else grew.
    /// What the system does not tell did not grow as far as anybody knows,
    /// except for resident memory.
    #[must_use]
    pub fn is_within(&self, bytes: u64) -> bool {
        let flat = |growth: Option<i128>| growth.is_none_or(|growth| growth <= 0);
        self.resident
            .is_some_and(|growth| growth <= i128::from(bytes))
            && flat(self.files)
            && flat(self.threads)
            && flat(self.device)
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "resident {}, device {}, files {}, threads {}",
            told(self.resident, |bytes| format!("{} KiB", bytes / 1024)),
            told(self.device, |bytes| format!("{} KiB", bytes / 1024)),
            told(self.files, |count| count.to_string()),
            told(self.threads, |count| count.to_string())
        )
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "resident {}, device {}, files {}, threads {}",
            told(self.resident, |bytes| format!("{:+} KiB", bytes / 1024)),
            told(self.device, |bytes| format!("{:+} KiB", bytes / 1024)),
            told(self.files, |count| format!("{count:+}")),
            told(self.threads, |count| format!("{count:+}"))
        )
    }
}

fn told<T>(number: Option<T>, text: impl FnOnce(T) -> String) -> String {
    number.map_or_else(|| "unknown".to_owned(), text)
}

fn growth<T: TryInto<i128>>(now: Option<T>, before: Option<T>) -> Option<i128> {
    Some(now?.try_into().ok()? - before?.try_into().ok()?)
}

/// Resident memory in bytes, where /proc tells: page by page, since the sum in
/// `status` lags behind.
fn resident() -> Option<u64> {
    let sums = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = sums.lines().find(|line| line.starts_with("Rss:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// The bytes that the driver counts for this process, over all heaps, where
/// it has `VK_EXT_memory_budget`.
fn device_bytes() -> anyhow::Result<Option<u64>> {
    let instance = Instance::new(&InstanceOptions::default())?;
    let devices = instance.devices()?;
    let caps: Vec<_> = devices.iter().map(|found| found.caps().clone()).collect();
    let choice = choose_device(&caps, &DevicePolicy::Auto)?;
    let device = Device::new(&devices[choice.index])?;
    // SAFETY: the handle is of this instance, which is alive.
    let offered = unsafe {
        instance
            .raw()
            .enumerate_device_extension_properties(device.physical())
    }?;
    let has_budget = |extension: &vk::ExtensionProperties| {
        extension.extension_name_as_c_str() == Ok(ext::memory_budget::NAME)
    };
    if !offered.iter().any(has_budget) {
        return Ok(None);
    }
    let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
    let mut memory = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budget);
    // SAFETY: as above; the chained struct is of an extension that the device
    // has.
    unsafe {
        instance
            .raw()
            .get_physical_device_memory_properties2(device.physical(), &mut memory);
    }
    Ok(Some(budget.heap_usage.iter().sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_from_none() {
        let before = Usage {
            resident: Some(1 << 20),
            files: Some(7),
            threads: Some(3),
            device: None,
        };
        let after = Usage {
            resident: Some(3 << 20),
            ..before
        };
        let growth = after.since(&before);
        assert!(growth.is_within(2 << 20) && !growth.is_within((2 << 20) - 1));
        let text = "resident +2048 KiB, device unknown, files +0, threads +0";
        assert_eq!(growth.to_string(), text);
        let more_files = Usage {
            files: Some(8),
            ..after
        };
        assert!(!more_files.since(&before).is_within(u64::MAX));
        let unknown = Usage {
            resident: None,
            ..before
        };
        assert!(!unknown.since(&before).is_within(u64::MAX));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_what_is_resident() {
        assert!(resident().unwrap() > 100_000);
    }
}
