//! The file of a cache, in a folder that nobody else may write to.
//!
//! A driver trusts the pipelines that it wrote itself, so whoever can write
//! their file can make the driver do anything. On Unix the folder and the file
//! must therefore belong to the user of this process, must not be symbolic
//! links, and only that user may write to them; what is made here only that
//! user may read. The folders above it are the caller's choice, as are access
//! rights elsewhere.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is replaced as a whole: a reader finds one of the contents
/// that were written, never a part or a mixture.
#[derive(Debug)]
pub struct CacheFile {
    folder: PathBuf,
    path: PathBuf,
}

impl CacheFile {
    /// The file `name` of `folder`; neither needs to be there.
    ///
    /// # Errors
    /// A folder that is there and may not be used, or is none.
    pub fn new(folder: &Path, name: &str) -> io::Result<Self> {
        // Without a slash at its end, which would name a link's target.
        let folder: PathBuf = folder.components().collect();
        absent_as_none(check_folder(&folder))?;
        Ok(Self {
            path: folder.join(name),
            folder,
        })
    }

    /// The file, whether or not it is there.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's content, of `limit` bytes at most; `None` where there is no
    /// file.
    ///
    /// # Errors
    /// A file that may not be used or is larger; one that cannot be read.
    pub fn read(&self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut options = OpenOptions::new();
        without_following_or_blocking(options.read(true));
        absent_as_none(options.open(&self.path).and_then(|file| read(&file, limit)))
    }

    /// Makes `bytes` the content of the file, and the folder where there is
    /// none.
    ///
    /// # Errors
    /// A folder that cannot be made or may not be used; a file that cannot be
    /// written or replaced.
    pub fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        file.persist(&self.path)?;
        Ok(())
    }

    /// Finds out whether [`Self::replace`] would work now: for what is worth
    /// its time only if it can be kept. The folder is made where there is
    /// none; the file stays as it is.
    ///
    /// # Errors
    /// As [`Self::replace`].
    pub fn expect_replaceable(&self) -> io::Result<()> {
        // A full disk has room for a name, but for no byte.
        self.temporary()?.write_all(&[0])?;
        match absent_as_none(fs::symlink_metadata(&self.path))? {
            Some(found) if found.is_dir() => {
                Err(refused("expected a file, found a folder".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// A file of the folder, which is made where there is none, of a name that
    /// no other process or call has; on Unix readable by the owner alone.
    /// Removed unless it comes to be the file.
    fn temporary(&self) -> io::Result<NamedTempFile> {
        let mut builder = DirBuilder::new();
        for_the_owner_alone(builder.recursive(true));
        builder.create(&self.folder)?;
        check_folder(&self.folder)?;
        tempfile::Builder::new()
            .prefix("gpu-executor-")
            .suffix(".tmp")
            .tempfile_in(&self.folder)
    }
}

fn check_folder(folder: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() {
        return Err(refused(format!(
            "expected a folder at {}, found another kind of file",
            folder.display()
        )));
    }
    expect_private(&found)
}

fn read(file: &File, limit: usize) -> io::Result<Vec<u8>> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(refused("expected a regular file".to_owned()));
    }
    expect_private(&found)?;
    let mut bytes = Vec::new();
    // One byte more tells a larger file, however it grows meanwhile.
    let most = (limit as u64).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    match bytes.len() <= limit {
        true => Ok(bytes),
        false => Err(refused(format!(
            "expected {limit} bytes at most, found more"
        ))),
    }
}

fn absent_as_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

fn refused(reason: String) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, reason)
}

#[cfg(unix)]
fn expect_private(found: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (owner, user) = (found.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(refused(format!(
            "expected user {user} as its owner, found user {owner}"
        )));
    }
    match found.mode() & 0o022 {
        0 => Ok(()),
        _ => Err(refused(format!(
            "expected it to be writable by its owner alone, found mode {:o}",
            found.mode() & 0o7777
        ))),
    }
}

#[cfg(not(unix))]
fn expect_private(_: &Metadata) -> io::Result<()> {
    Ok(())
}

/// A link is an error, and a pipe without a writer does not block.
#[cfg(unix)]
fn without_following_or_blocking(options: &mut OpenOptions) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
fn without_following_or_blocking(_: &mut OpenOptions) {}

#[cfg(unix)]
fn for_the_owner_alone(builder: &mut DirBuilder) {
    use std::os::unix::fs::DirBuilderExt;
    builder.mode(0o700);
}

#[cfg(not(unix))]
fn for_the_owner_alone(_: &mut DirBuilder) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_absent_then_written_then_replaced() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("some/folder");
        let file = CacheFile::new(&folder, "name").unwrap();
        assert_eq!(file.read(10).unwrap(), None);
        for bytes in [&b"first one"[..], b"", b"second"] {
            file.replace(bytes).unwrap();
            assert_eq!(file.read(10).unwrap().unwrap(), bytes);
        }
        assert_eq!(names(&folder), ["name"]);
    }

    #[test]
    fn a_file_larger_than_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = CacheFile::new(folder.path(), "name").unwrap();
        file.replace(&[7; 10]).unwrap();
        assert_eq!(file.read(10).unwrap().unwrap(), [7; 10]);
        let refused = file.read(9).unwrap_err().to_string();
        assert_eq!(refused, "expected 9 bytes at most, found more");
    }

    #[test]
    fn what_is_no_folder_or_cannot_become_one_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let taken = root.path().join("file");
        fs::write(&taken, "").unwrap();
        let refused = CacheFile::new(&taken, "name").unwrap_err().to_string();
        assert!(refused.contains("expected a folder"), "{refused}");
        assert!(CacheFile::new(&taken.join("below"), "name").is_err());
        // Taken after it was looked at.
        let folder = root.path().join("folder");
        let file = CacheFile::new(&folder, "name").unwrap();
        fs::write(&folder, "").unwrap();
        assert!(file.replace(b"data").is_err());
        assert!(file.expect_replaceable().is_err());
    }

    #[test]
    fn what_can_be_replaced_is_told_and_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        let file = CacheFile::new(&folder, "name").unwrap();
        file.expect_replaceable().unwrap();
        assert_eq!(names(&folder), [""; 0]);
        file.replace(b"data").unwrap();
        file.expect_replaceable().unwrap();
        assert_eq!(file.read(10).unwrap().unwrap(), b"data");
        assert_eq!(names(&folder), ["name"]);
    }

    #[test]
    fn a_failed_replacement_keeps_the_old_content_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = CacheFile::new(folder.path(), "name").unwrap();
        fs::create_dir(file.path()).unwrap();
        fs::write(file.path().join("inside"), "").unwrap();
        assert!(file.replace(b"data").is_err());
        let refused = file.expect_replaceable().unwrap_err().to_string();
        assert_eq!(refused, "expected a file, found a folder");
        assert!(file.read(10).is_err());
        assert_eq!(names(folder.path()), ["name"]);
    }

    #[test]
    fn readers_never_see_a_part_or_a_mixture() {
        let folder = tempfile::tempdir().unwrap();
        let file = CacheFile::new(folder.path(), "name").unwrap();
        let content = |writer: u8| vec![writer; 50_000 + 9_000 * usize::from(writer)];
        std::thread::scope(|scope| {
            for writer in 0..6 {
                let file = &file;
                scope.spawn(move || {
                    for _ in 0..40 {
                        file.replace(&content(writer)).unwrap();
                        let found = file.read(1 << 20).unwrap().unwrap();
                        assert_eq!(found, content(found[0]));
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["name"]);
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

        use super::*;

        fn set_mode(path: &Path, mode: u32) {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn refusal<T: std::fmt::Debug>(result: io::Result<T>, expected: &str) {
            let refused = result.unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }

        #[test]
        fn what_is_made_is_for_the_owner_alone() {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("above/folder");
            let file = CacheFile::new(&folder, "name").unwrap();
            file.replace(b"data").unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
            assert_eq!(mode(&folder), 0o700);
            assert_eq!(mode(&root.path().join("above")), 0o700);
            assert_eq!(mode(file.path()), 0o600);
        }

        #[test]
        fn what_others_may_write_to_is_refused() {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("folder");
            let file = CacheFile::new(&folder, "name").unwrap();
            file.replace(b"data").unwrap();
            for mode in [0o602, 0o620] {
                set_mode(file.path(), mode);
                refusal(file.read(10), "writable by its owner alone, found mode 6");
            }
            file.replace(b"data").unwrap();
            for mode in [0o1777, 0o770] {
                set_mode(&folder, mode);
                refusal(file.replace(b"other"), "writable by its owner alone");
                refusal(file.expect_replaceable(), "writable by its owner alone");
                refusal(CacheFile::new(&folder, "name"), "writable by its owner");
            }
            set_mode(&folder, 0o755);
            let file = CacheFile::new(&folder, "name").unwrap();
            assert_eq!(file.read(10).unwrap().unwrap(), b"data");
        }

        #[test]
        fn what_belongs_to_another_user_is_refused() {
            let root = tempfile::tempdir().unwrap();
            // Root may give a folder away; to others, root's are foreign.
            let foreign = match rustix::process::geteuid().is_root() {
                true => root.path(),
                false => Path::new("/usr"),
            };
            if foreign == root.path() {
                chown(foreign, Some(65_534), None).unwrap();
            }
            refusal(CacheFile::new(foreign, "name"), "as its owner, found user");
        }

        #[test]
        fn links_are_refused() {
            let root = tempfile::tempdir().unwrap();
            let (folder, link) = (root.path().join("folder"), root.path().join("link"));
            let file = CacheFile::new(&folder, "name").unwrap();
            file.replace(b"data").unwrap();
            symlink(&folder, &link).unwrap();
            for link in [link.clone(), link.join("")] {
                refusal(CacheFile::new(&link, "name"), "expected a folder");
            }
            let linked = CacheFile::new(&folder, "linked").unwrap();
            symlink(file.path(), linked.path()).unwrap();
            assert!(linked.read(10).is_err());
            // Replaced itself, not the file that it points to.
            linked.replace(b"other").unwrap();
            assert_eq!(linked.read(10).unwrap().unwrap(), b"other");
            assert_eq!(file.read(10).unwrap().unwrap(), b"data");
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_pipe_is_refused_without_waiting_for_a_writer() {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            let folder = tempfile::tempdir().unwrap();
            let file = CacheFile::new(folder.path(), "name").unwrap();
            mknodat(CWD, file.path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            refusal(file.read(10), "expected a regular file");
        }
    }
}
