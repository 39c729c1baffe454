//! Where compiled pipelines and calibrations outlive the process.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// Where a backend keeps what it need not find out again: compiled pipelines
/// and calibrations. Files that are damaged, or belong to another device,
/// driver or version, are ignored and replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// The user's cache folder: `$XDG_CACHE_HOME/gpu-executor` or
    /// `~/.cache/gpu-executor` on Linux, `~/Library/Caches/gpu-executor` on
    /// macOS, `%LOCALAPPDATA%\gpu-executor\cache` on Windows; none for a user
    /// without a home.
    #[default]
    User,
    /// This folder, made where it does not exist.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}

impl Cache {
    /// The folder, whether it exists or not.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::User => {
                let folders = ProjectDirs::from("", "", "gpu-executor");
                folders.map(|folders| folders.cache_dir().to_owned())
            }
            Self::Folder(folder) => Some(folder.clone()),
            Self::Off => None,
        }
    }
}

/// Writes the file `name` in `folder` as a whole or not at all, whoever else
/// writes it at the same time. On Unix nobody but the user can read it.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(folder.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("not/yet/there");
        for content in ["first", "second"] {
            write(&inner, "file", content.as_bytes()).unwrap();
            let found = std::fs::read_to_string(inner.join("file")).unwrap();
            assert_eq!(found, content);
        }
        // No temporary file stays behind.
        assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 1);
        let occupied = inner.join("file");
        assert!(write(&occupied, "file", b"x").is_err());
    }

    #[test]
    fn the_folder_is_the_one_named() {
        assert_eq!(Cache::Off.folder(), None);
        assert_eq!(Cache::Folder("here".into()).folder(), Some("here".into()));
        let user = Cache::User.folder();
        assert!(user.is_none_or(|folder| folder.ends_with("gpu-executor")));
    }
}
