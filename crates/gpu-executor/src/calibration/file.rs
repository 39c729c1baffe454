//! The file that a calibration is kept in: one for everything that it is for.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Error, Value};
use sha2::{Digest, Sha256};
use vk_core::{CacheFile, DeviceCaps};

use super::{Dated, Findings};
use crate::kernels::hex;

/// Everything that a calibration depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    format: u32,
    library: String,
    /// A debug build copies and submits more slowly.
    build: &'static str,
    device: String,
    uuid: String,
    driver: String,
    driver_version: u32,
    threads: usize,
}

/// What can be kept in a file for a subject.
pub(crate) trait Kept: Serialize + DeserializeOwned {
    /// How the file's name begins.
    const STEM: &'static str;
    /// Whether anything was measured.
    fn is_whole(&self) -> bool;
}

impl Kept for Findings {
    const STEM: &'static str = "calibration";

    fn is_whole(&self) -> bool {
        !self.tuning.measured.is_empty()
    }
}

/// The version of the file's layout, and of what its fields mean.
const FORMAT: u32 = 4;
/// Many times what a calibration takes.
const MOST_BYTES: usize = 1 << 20;
/// Bytes of the subject's SHA-256 in the file's name.
const NAME_HASH_BYTES: usize = 4;

impl Subject {
    pub(crate) fn new(caps: &DeviceCaps, threads: usize) -> Self {
        Self {
            format: FORMAT,
            library: env!("CARGO_PKG_VERSION").to_owned(),
            build: match cfg!(debug_assertions) {
                true => "debug",
                false => "release",
            },
            device: caps.name.clone(),
            uuid: caps.uuid.to_string(),
            driver: caps.driver.clone(),
            driver_version: caps.driver_version,
            threads,
        }
    }

    /// What is stored for this subject, if anything.
    ///
    /// # Errors
    /// In words, why a file or folder that is there cannot be used.
    pub(crate) fn load<T: Kept>(&self, folder: &Path) -> Result<Option<Dated<T>>, String> {
        let file = self.file::<T>(folder).map_err(|error| {
            let folder = folder.display();
            format!("no calibration in {folder} is used: {error}")
        })?;
        let path = file.path().display();
        let bytes = file.read(MOST_BYTES);
        let bytes = bytes.map_err(|error| format!("{path} is not used: {error}"))?;
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let found = self.findings_in(&bytes);
        let found = found.map_err(|error| format!("{path} is damaged: {error}"))?;
        match found {
            None => Err(format!("{path} is not used: expected it for {self:?}")),
            found => Ok(found),
        }
    }

    /// Stores `findings` for this subject. A failure is a warning: only time is
    /// lost.
    pub(crate) fn store<T: Kept>(&self, folder: &Path, findings: &Dated<T>) {
        let json = self.bytes_of(findings).map_err(io::Error::from);
        let stored = json.and_then(|json| self.file::<T>(folder)?.replace(&json));
        if let Err(error) = stored {
            let folder = folder.display();
            tracing::warn!("the calibration cannot be kept in {folder}: {error}");
        }
    }

    /// A file of its own, so that two subjects that take turns (a process with
    /// one thread, the next with all) keep what the other stored. The parts of
    /// the name that are for people may be equal; the hash is over all.
    fn file<T: Kept>(&self, folder: &Path) -> io::Result<CacheFile> {
        let hash = Sha256::digest(serde_json::to_vec(self)?);
        let hash = hex(&hash[..NAME_HASH_BYTES]);
        let name = format!("{}-{}-{}-{hash}.json", T::STEM, self.uuid, self.build);
        CacheFile::new(folder, &name)
    }

    /// The content of a file that holds `findings`.
    fn bytes_of<T: Kept>(&self, findings: &Dated<T>) -> serde_json::Result<Vec<u8>> {
        let mut content = serde_json::to_value(Content {
            subject: self,
            date: &findings.date,
            findings: &findings.found,
        })?;
        content[HASH] = hash(&content)?.into();
        serde_json::to_vec_pretty(&content)
    }

    /// What `bytes`, a file's content, holds for this subject; `None` where it
    /// is of another one, which may be laid out in any way.
    fn findings_in<T: Kept>(&self, bytes: &[u8]) -> serde_json::Result<Option<Dated<T>>> {
        let content: Value = serde_json::from_slice(bytes)?;
        if content["subject"] != serde_json::to_value(self)? {
            return Ok(None);
        }
        let (expected, found) = (hash(&content)?, &content[HASH]);
        if *found != expected {
            let reason = format!("expected the SHA-256 {expected}, found {found}");
            return Err(Error::custom(reason));
        }
        let date = content["date"].as_str().unwrap_or_default().to_owned();
        let found = T::deserialize(content)?;
        match found.is_whole() {
            true => Ok(Some(Dated { found, date })),
            false => Err(Error::custom("expected measured runs, found none")),
        }
    }
}

/// The field that holds the hash of all others: a digit that is damaged would
/// else be another measurement.
const HASH: &str = "sha256";

/// The SHA-256 of everything in `content` but its hash, in hexadecimal.
fn hash(content: &Value) -> serde_json::Result<String> {
    let mut rest = content.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.remove(HASH);
    }
    // In one order, whatever features the program chose for JSON.
    rest.sort_all_objects();
    Ok(hex(&Sha256::digest(serde_json::to_vec(&rest)?)))
}

#[derive(Serialize)]
struct Content<'a, T> {
    subject: &'a Subject,
    date: &'a str,
    #[serde(flatten)]
    findings: &'a T,
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::recorded;

    fn findings() -> Dated<Findings> {
        let (found, date) = (super::super::tests::findings(1), "2026-11-29".to_owned());
        Dated { found, date }
    }

    fn subject() -> Subject {
        Subject::new(&recorded::h200(), 16)
    }

    /// The subjects next to [`subject`], each different in one thing.
    fn others() -> Vec<Subject> {
        let change = |change: fn(&mut Subject)| {
            let mut other = subject();
            change(&mut other);
            other
        };
        vec![
            change(|other| other.format += 1),
            change(|other| other.library.push('1')),
            change(|other| other.build = "other"),
            change(|other| other.device.push('1')),
            change(|other| other.uuid.push('1')),
            change(|other| other.driver.push('1')),
            change(|other| other.driver_version += 1),
            change(|other| other.threads += 1),
        ]
    }

    fn content(subject: &Subject) -> String {
        String::from_utf8(subject.bytes_of(&findings()).unwrap()).unwrap()
    }

    #[test]
    fn each_subject_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let subject = subject();
        assert_eq!(subject.load::<Findings>(folder), Ok(None));
        subject.store(folder, &findings());
        for (number, other) in (1..).zip(others()) {
            assert_eq!(other.load::<Findings>(folder), Ok(None), "{other:?}");
            other.store(folder, &findings());
            assert_eq!(folder.read_dir().unwrap().count(), number + 1);
        }
        assert_eq!(subject.load(folder), Ok(Some(findings())));
    }

    #[test]
    fn what_is_for_another_subject_is_ignored_and_what_is_damaged_is_an_error() {
        let subject = subject();
        let whole = content(&subject);
        let read = |text: &str| subject.findings_in::<Findings>(text.as_bytes());
        assert_eq!(read(&whole).unwrap(), Some(findings()));
        for other in others() {
            assert_eq!(read(&content(&other)).unwrap(), None, "{other:?}");
        }
        for other in ["{}", "[]", r#"{"subject": {"format": 1}, "paths": 7}"#] {
            assert_eq!(read(other).unwrap(), None, "{other}");
        }
        let nonsense = whole.replace("device-local", "nowhere");
        let mut nothing = findings();
        nothing.found.tuning.measured.clear();
        let empty = String::from_utf8(subject.bytes_of(&nothing).unwrap()).unwrap();
        for damaged in ["", "\0\0\0", &whole[..whole.len() / 2], &nonsense, &empty] {
            assert!(read(damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn a_single_digit_that_is_damaged_is_told() {
        let subject = subject();
        let whole = content(&subject);
        // What was measured, and no part of the subject.
        let digit = whole.find(r#""nanoseconds": 1"#).unwrap() + r#""nanoseconds": "#.len();
        let damaged = format!("{}7{}", &whole[..digit], &whole[digit + 1..]);
        let refused = subject
            .findings_in::<Findings>(damaged.as_bytes())
            .unwrap_err();
        assert!(refused.to_string().contains("SHA-256"), "{refused}");
        let mut without: Value = serde_json::from_str(&whole).unwrap();
        without.as_object_mut().unwrap().remove(HASH);
        assert!(
            subject
                .findings_in::<Findings>(without.to_string().as_bytes())
                .is_err()
        );
        // However it is laid out.
        let compact = serde_json::from_str::<Value>(&whole).unwrap().to_string();
        let found = subject.findings_in(compact.as_bytes()).unwrap();
        assert_eq!(found, Some(findings()));
    }
}
