//! What this process takes of the machine.

use std::fmt;

use vk_core::ash::{ext, vk};
use vk_core::{Device, DevicePolicy, Instance, Validation};

/// What the process takes, or how much more it took than before, printed with its sign by
/// `{:+}`. What a system does not say is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory, in bytes.
    pub resident: Option<i64>,
    /// Memory that the driver counts for this process on all heaps of the
    /// device, in bytes.
    pub device: Option<i64>,
    /// Open files, sockets and devices.
    pub files: Option<i64>,
    /// Threads.
    pub threads: Option<i64>,
}

impl Usage {
    /// What it takes now.
    ///
    /// # Errors
    /// Where there is no Vulkan device, or none can be made.
    pub fn now() -> anyhow::Result<Self> {
        let count = |folder: &str| {
            let entries = std::fs::read_dir(folder).ok()?;
            i64::try_from(entries.count()).ok()
        };
        Ok(Self {
            device: device_bytes()?,
            resident: resident(),
            files: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
        })
    }

    /// How much more of everything there is than `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let growth = |now: Option<i64>, before: Option<i64>| Some(now? - before?);
        Self {
            resident: growth(self.resident, before.resident),
            device: growth(self.device, before.device),
            files: growth(self.files, before.files),
            threads: growth(self.threads, before.threads),
        }
    }

    /// Whether resident memory grew by `bytes` at most and nothing else grew.
    /// What the system does not say did not grow as far as anybody knows,
    /// except for resident memory.
    #[must_use]
    pub fn is_within(&self, bytes: i64) -> bool {
        let flat = |growth: Option<i64>| growth.is_none_or(|growth| growth <= 0);
        self.resident.is_some_and(|growth| growth <= bytes)
            && flat(self.files)
            && flat(self.threads)
            && flat(self.device)
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = f.sign_plus();
        let count = |number: Option<i64>| match (number, signed) {
            (None, _) => "unknown".to_owned(),
            (Some(number), true) => format!("{number:+}"),
            (Some(number), false) => number.to_string(),
        };
        let kib = |bytes: Option<i64>| match bytes {
            Some(bytes) => count(Some(bytes / 1024)) + " KiB",
            None => count(None),
        };
        let (resident, device) = (kib(self.resident), kib(self.device));
        let (files, threads) = (count(self.files), count(self.threads));
        write!(
            f,
            "resident {resident}, device {device}, files {files}, threads {threads}"
        )
    }
}

/// Resident memory in bytes, where /proc has it: page by page, since the sum in
/// `status` lags behind.
fn resident() -> Option<i64> {
    let sums = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = sums.lines().find(|line| line.starts_with("Rss:"))?;
    let kib: i64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// The bytes that the driver counts for this process, over all heaps, where
/// it has `VK_EXT_memory_budget`.
fn device_bytes() -> anyhow::Result<Option<i64>> {
    let instance = Instance::new(Validation::Off)?;
    let device = Device::new(&instance.device(&DevicePolicy::Auto)?)?;
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
    Ok(i64::try_from(budget.heap_usage.iter().sum::<u64>()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_from_none() {
        let before = Usage {
            resident: Some(1 << 20),
            device: None,
            files: Some(7),
            threads: Some(3),
        };
        let resident = Some(3 << 20);
        let after = Usage { resident, ..before };
        let growth = after.since(&before);
        assert!(growth.is_within(2 << 20) && !growth.is_within((2 << 20) - 1));
        let text = "resident +2048 KiB, device unknown, files +0, threads +0";
        assert_eq!(format!("{growth:+}"), text);
        let text = "resident 3072 KiB, device unknown, files 7, threads 3";
        assert_eq!(after.to_string(), text);
        let files = Some(8);
        let more_files = Usage { files, ..after };
        assert!(!more_files.since(&before).is_within(i64::MAX));
        let resident = None;
        let unknown = Usage { resident, ..before };
        assert!(!unknown.since(&before).is_within(i64::MAX));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_what_is_resident() {
        assert!(resident().unwrap() > 100_000);
    }
}
