//! Counts the tests that ran on a device.
//!
//! A test that finds no device and returns early passes without having run.
//! So each device test writes down its device and its name, and a run that
//! wrote nothing down has failed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The variable that names the file to append to.
pub(crate) const VARIABLE: &str = "GPU_EXECUTOR_DEVICE_TEST_LOG";

/// A file that device tests append `<device>\t<test>` lines to.
pub(crate) struct DeviceLog {
    path: PathBuf,
}

impl DeviceLog {
    /// An empty log in `folder`.
    pub(crate) fn fresh(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("device-tests.log");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, ""))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path })
    }

    /// The file's path, for [`VARIABLE`].
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that a test ran on a device whose name has `part` in it.
    ///
    /// # Errors
    /// When none did, or when the log cannot be read.
    pub(crate) fn expect_device(&self, part: &str) -> anyhow::Result<()> {
        let devices = self.summary()?;
        if devices.iter().any(|line| line.contains(part)) {
            return Ok(());
        }
        bail!("expected tests on {part}, found {}", devices.join(", "))
    }

    /// One line per device: how many tests ran on it.
    ///
    /// # Errors
    /// When the log cannot be read, or no test ran on a device.
    pub(crate) fn summary(&self) -> anyhow::Result<Vec<String>> {
        let text = std::fs::read_to_string(&self.path)
            .with_context(|| format!("{} cannot be read", self.path.display()))?;
        let counts = count(&text);
        if counts.is_empty() {
            bail!("no test ran on a Vulkan device");
        }
        Ok(counts
            .iter()
            .map(|(device, tests)| format!("device tests: {tests} on {device}"))
            .collect())
    }
}

/// Distinct tests per device: a test run under two feature sets is one test.
fn count(log: &str) -> BTreeMap<&str, usize> {
    let distinct: BTreeSet<(&str, &str)> = log
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut counts = BTreeMap::new();
    for (device, _) in distinct {
        *counts.entry(device).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_tests_are_counted_per_device() {
        let log = "gpu\tadd\ngpu\tadd\ngpu\tbatch\nsoftware\tadd\n\nno tab\n";
        let counts = count(log);
        assert_eq!(counts, BTreeMap::from([("gpu", 2), ("software", 1)]));
    }

    #[test]
    fn a_log_nobody_wrote_to_fails() {
        let folder = std::env::temp_dir().join(format!("device-log-{}", std::process::id()));
        let log = DeviceLog::fresh(&folder).unwrap();
        assert!(log.summary().is_err());
        std::fs::write(log.path(), "gpu\tadd\n").unwrap();
        assert_eq!(log.summary().unwrap(), ["device tests: 1 on gpu"]);
        log.expect_device("gpu").unwrap();
        let error = log.expect_device("SwiftShader").unwrap_err().to_string();
        assert!(error.contains("1 on gpu"), "{error}");
        // A second run does not count the first one's tests.
        let log = DeviceLog::fresh(&folder).unwrap();
        assert!(log.summary().is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
