//! Where compiled pipelines and calibrations outlive the process.

use std::path::PathBuf;

use directories::ProjectDirs;

/// Where a backend keeps what it need not find out again: compiled pipelines
/// and calibrations. Files that are damaged, or belong to another device,
/// driver or version, are ignored and replaced. On Unix the folder must
/// belong to the user of the process, who alone may write to it.
#[non_exhaustive]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_one_named() {
        assert_eq!(Cache::Off.folder(), None);
        assert_eq!(Cache::Folder("here".into()).folder(), Some("here".into()));
        let user = Cache::User.folder();
        assert!(user.is_none_or(|folder| folder.ends_with("gpu-executor")));
    }
}
