//! What was measured on a device, kept from process to process.

use std::io;

use serde::{Deserialize, Serialize};
use vk_core::{CacheFile, DeviceCaps};
use vk_mem_paths::{Path, Tuning};

/// When a backend measures which path and which cut of the work is fastest.
///
/// What was measured decides for pipelined runs wherever neither call nor
/// builder nor environment does; without it the planner goes by fixed rules
/// (docs/configuration.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calibration {
    /// With the first pipelined run of an element or more that leaves path and
    /// depth open, if nothing is stored for this device, driver, number of
    /// threads, version and kind of build of the library; about a tenth of a second then,
    /// once per machine. Nothing is measured where it cannot be kept: without
    /// a folder ([`Cache`](crate::Cache)), or with one that cannot be written
    /// to, which is a warning. The default; under the validation
    /// layer, which distorts every time, the same as [`Calibration::Off`].
    #[default]
    OnFirstUse,
    /// Never on its own: what is stored is used.
    Stored,
    /// Never, and what is stored is ignored.
    Off,
}

/// Everything that a calibration depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subject {
    format: u32,
    library: String,
    /// A debug build copies and submits more slowly.
    build: String,
    device: String,
    uuid: String,
    driver: String,
    driver_version: u32,
    threads: usize,
}

/// What is kept between processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// How runs over the caller's slices are fastest.
    pub(crate) tuning: Tuning,
    /// The faster path of runs over host buffers.
    pub(crate) host_buffers: Path,
    /// How long the CPU engine takes; empty where nobody asked.
    pub(crate) cpu: Vec<CpuTime>,
}

/// How long the CPU engine took for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CpuTime {
    pub(crate) elements: usize,
    pub(crate) nanoseconds: u64,
}

/// The version of the file's layout.
const FORMAT: u32 = 1;
/// Many times what a calibration takes.
const MOST_BYTES: usize = 1 << 20;

impl Subject {
    pub(crate) fn new(caps: &DeviceCaps, threads: usize) -> Self {
        Self {
            format: FORMAT,
            library: env!("CARGO_PKG_VERSION").to_owned(),
            build: match cfg!(debug_assertions) {
                true => "debug".to_owned(),
                false => "release".to_owned(),
            },
            device: caps.name.clone(),
            uuid: caps.uuid.to_string(),
            driver: caps.driver.clone(),
            driver_version: caps.driver_version,
            threads,
        }
    }

    fn file_name(&self) -> String {
        format!("calibration-{}-{}.json", self.uuid, self.build)
    }

    /// What is stored for this subject. A file that is not for it, or cannot
    /// be used, is none; the log says why.
    pub(crate) fn load(&self, folder: &std::path::Path) -> Option<Findings> {
        let path = folder.join(self.file_name());
        let read = CacheFile::new(folder, &self.file_name()).and_then(|file| file.read(MOST_BYTES));
        let bytes = read.unwrap_or_else(|error| {
            tracing::warn!("{} is not used: {error}", path.display());
            None
        })?;
        match serde_json::from_slice::<File>(&bytes) {
            Ok(file) if file.subject == *self => Some(file.findings),
            Ok(file) => {
                let (path, found) = (path.display(), file.subject);
                tracing::info!("{path} is not used: expected it for {self:?}, found {found:?}");
                None
            }
            Err(error) => {
                tracing::warn!("{} is damaged: {error}", path.display());
                None
            }
        }
    }

    /// Whether [`Self::store`] can be expected to work: what cannot be kept is
    /// not worth measuring.
    pub(crate) fn expect_storable(&self, folder: &std::path::Path) -> io::Result<()> {
        CacheFile::new(folder, &self.file_name())?.expect_replaceable()
    }

    /// Stores `findings` for this subject. A failure is a warning: only time is
    /// lost.
    pub(crate) fn store(&self, folder: &std::path::Path, findings: &Findings) {
        let file = File {
            subject: self.clone(),
            findings: findings.clone(),
        };
        let name = self.file_name();
        let json = serde_json::to_vec_pretty(&file).map_err(io::Error::from);
        let stored = json.and_then(|json| CacheFile::new(folder, &name)?.replace(&json));
        if let Err(error) = stored {
            let path = folder.join(name);
            tracing::warn!("{} cannot be written: {error}", path.display());
        }
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    subject: Subject,
    #[serde(flatten)]
    findings: Findings,
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::recorded;

    fn findings() -> Findings {
        Findings {
            tuning: Tuning {
                cached_upload: true,
                ..Tuning::default()
            },
            host_buffers: Path::DeviceLocal,
            cpu: vec![CpuTime {
                elements: 64,
                nanoseconds: 1,
            }],
        }
    }

    #[test]
    fn what_is_stored_is_for_that_device_driver_host_and_version_only() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let subject = Subject::new(&recorded::h200(), 16);
        assert_eq!(subject.load(folder), None);
        subject.store(folder, &findings());
        assert_eq!(subject.load(folder), Some(findings()));
        let mut updated = recorded::h200();
        updated.driver_version += 1;
        assert_eq!(Subject::new(&updated, 16).load(folder), None);
        assert_eq!(Subject::new(&recorded::h200(), 8).load(folder), None);
        assert_eq!(Subject::new(&recorded::llvmpipe(), 16).load(folder), None);
        let other = Subject {
            library: "0.0.1".to_owned(),
            ..subject.clone()
        };
        assert_eq!(other.load(folder), None);
    }

    #[test]
    fn a_damaged_file_is_none_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let subject = Subject::new(&recorded::h200(), 16);
        subject.store(folder.path(), &findings());
        let path = folder.path().join(subject.file_name());
        let whole = std::fs::read_to_string(&path).unwrap();
        for damaged in ["", "{}", &whole[..whole.len() / 2], "\0\0\0"] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(subject.load(folder.path()), None, "{damaged:?}");
        }
        subject.store(folder.path(), &findings());
        assert_eq!(subject.load(folder.path()), Some(findings()));
    }
}
