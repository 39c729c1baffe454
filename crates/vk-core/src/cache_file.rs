//! The file of a cache, in a folder that nobody else may write to.
//!
//! A driver trusts the pipelines that it wrote itself, so whoever can write
//! their file can make the driver do anything. On Unix the folder and the file
//! must therefore belong to the user of this process, must not be symbolic
//! links, and only that user may write to them; what is made here only that
//! user may read. The folders above it are the caller's choice, as are access
//! rights elsewhere.

use std::fs::{self, DirBuilder, DirEntry, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
        let file = self.open()?;
        file.map(|file| read(&file, limit)).transpose()
    }

    /// The file, to be read; `None` where there is none.
    ///
    /// # Errors
    /// A file that may not be used, or cannot be opened.
    pub fn open(&self) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true);
        // A link is an error, and a pipe without a writer does not block.
        #[cfg(unix)]
        {
            use rustix::fs::OFlags;
            let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
        }
        let file = absent_as_none(options.open(&self.path))?;
        file.map(expect_usable).transpose()
    }

    /// Makes `bytes` the content of the file, and the folder where there is
    /// none.
    ///
    /// # Errors
    /// A folder that cannot be made or may not be used; a file that cannot be
    /// written or replaced.
    pub fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        self.replace_by(|file| file.write_all(bytes))?
    }

    /// Likewise, what `write` writes. Where that fails the file stays as it is.
    ///
    /// # Errors
    /// As [`Self::replace`], and inside what `write` returned.
    pub fn replace_by<E>(
        &self,
        write: impl FnOnce(&mut File) -> Result<(), E>,
    ) -> io::Result<Result<(), E>> {
        let mut file = self.temporary()?;
        if let Err(error) = write(file.as_file_mut()) {
            return Ok(Err(error));
        }
        file.persist(&self.path)?;
        Ok(Ok(()))
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
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&self.folder)?;
        check_folder(&self.folder)?;
        self.remove_leftovers();
        tempfile::Builder::new()
            .prefix(TEMPORARY.0)
            .suffix(TEMPORARY.1)
            .tempfile_in(&self.folder)
    }

    /// Removes the temporary files of processes that were killed before they
    /// could. What cannot be removed is somebody else's to remove.
    fn remove_leftovers(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries.filter(is_leftover) {
            let removed = fs::remove_file(entry.path());
            tracing::debug!(
                "left over: {}, removed: {removed:?}",
                entry.path().display()
            );
        }
    }
}

/// How the names of temporary files begin and end.
const TEMPORARY: (&str, &str) = ("gpu-executor-", ".tmp");
/// A temporary file this old is no longer being written: that takes moments.
const LEFT_OVER_AFTER: Duration = Duration::from_hours(1);

fn is_leftover(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let (starts, ends) = TEMPORARY;
    let ours = name
        .to_str()
        .is_some_and(|name| name.starts_with(starts) && name.ends_with(ends));
    // Not that of what a link points to.
    let written = entry.metadata().and_then(|found| found.modified());
    let age = written.map(|written| written.elapsed().unwrap_or_default());
    ours && age.is_ok_and(|age| age > LEFT_OVER_AFTER)
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

fn expect_usable(file: File) -> io::Result<File> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(refused("expected a regular file".to_owned()));
    }
    expect_private(&found)?;
    Ok(file)
}

fn read(file: &File, limit: usize) -> io::Result<Vec<u8>> {
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

#[cfg_attr(not(unix), expect(unused_variables))]
fn expect_private(found: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (owner, user) = (found.uid(), rustix::process::geteuid().as_raw());
        if owner != user {
            return Err(refused(format!(
                "expected user {user} as its owner, found user {owner}"
            )));
        }
        if found.mode() & 0o022 != 0 {
            return Err(refused(format!(
                "expected it to be writable by its owner alone, found mode {:o}",
                found.mode() & 0o7777
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
