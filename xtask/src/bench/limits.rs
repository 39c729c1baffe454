//! The limits that the suite measured beside its benchmarks.

use std::path::Path;

use serde::Deserialize;

use super::measurements::json;

/// Bytes that an addition reads.
const BYTES_IN: f64 = 96.0;
/// Bytes that an addition writes.
const BYTES_OUT: f64 = 48.0;
/// Bytes that an addition moves.
pub(crate) const BYTES_PER_ADDITION: f64 = BYTES_IN + BYTES_OUT;

/// `limits.json`: bandwidths in bytes per second.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Limits {
    /// Bytes of each copy on the device.
    pub(crate) copy_bytes: u64,
    /// Inside the device's memory, bytes read plus bytes written.
    pub(crate) device_copy: f64,
    /// From the host's memory to the device's.
    pub(crate) host_to_device: f64,
    /// From the device's memory to the host's.
    pub(crate) device_to_host: f64,
    /// Both directions at once, the bytes of both together.
    pub(crate) both_directions: f64,
    /// On the host, bytes copied by one thread.
    pub(crate) memcpy_one_thread: f64,
    /// On the host, bytes copied by all threads together.
    pub(crate) memcpy_all_threads: f64,
    /// How many threads those are.
    pub(crate) threads: usize,
}

impl Limits {
    /// The limits of the run whose results lie in `criterion`.
    ///
    /// # Errors
    /// When the suite left no such file, or it cannot be read.
    pub(crate) fn read(criterion: &Path) -> anyhow::Result<Self> {
        json(&criterion.join("limits.json"))
    }

    /// Additions per second whose operands and results the device's copies
    /// could carry between host and device.
    pub(crate) fn staged_additions(&self) -> f64 {
        (self.both_directions / BYTES_PER_ADDITION).min(self.bus_additions())
    }

    /// Additions per second whose operands and results the bus could carry if
    /// neither direction slowed the other down.
    pub(crate) fn bus_additions(&self) -> f64 {
        (self.host_to_device / BYTES_IN).min(self.device_to_host / BYTES_OUT)
    }

    /// Additions per second whose operands and results the host could copy
    /// into and out of staging memory.
    pub(crate) fn copied_additions(&self) -> f64 {
        self.memcpy_all_threads / BYTES_PER_ADDITION
    }

    /// Each bandwidth with its name in the record.
    pub(crate) fn rows(&self) -> [(&'static str, f64); 6] {
        [
            ("device_copy", self.device_copy),
            ("host_to_device", self.host_to_device),
            ("device_to_host", self.device_to_host),
            ("both_directions", self.both_directions),
            ("memcpy_one_thread", self.memcpy_one_thread),
            ("memcpy_all_threads", self.memcpy_all_threads),
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn limits() -> Limits {
        Limits {
            copy_bytes: 1000,
            device_copy: 4000e9,
            host_to_device: 48e9,
            device_to_host: 49e9,
            both_directions: 53e9,
            memcpy_one_thread: 12e9,
            memcpy_all_threads: 57e9,
            threads: 16,
        }
    }

    #[test]
    fn the_tightest_of_three_bounds_staged_additions() {
        let mut limits = limits();
        assert_eq!(limits.staged_additions(), 53e9 / 144.0);
        assert_eq!(limits.bus_additions(), 48e9 / 96.0);
        limits.host_to_device = 12e9;
        assert_eq!(limits.staged_additions(), 12e9 / 96.0);
        limits.device_to_host = 1e9;
        assert_eq!(limits.staged_additions(), 1e9 / 48.0);
    }
}
