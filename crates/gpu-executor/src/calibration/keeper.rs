//! Measures for one subject, one process at a time, and keeps what was found.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use vk_core::CacheFile;

use super::{ChosenBy, Kept, Subject, date};

/// What is kept for one subject.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    /// Nowhere, if `None`.
    folder: Option<PathBuf>,
    subject: Subject,
}

/// Something that was measured, and on which day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dated<T> {
    pub(crate) found: T,
    pub(crate) date: String,
}

impl<T> Dated<T> {
    pub(crate) fn chosen_by(&self) -> ChosenBy {
        let date = self.date.clone();
        ChosenBy::Calibration { date }
    }
}

/// The file that is locked while a process measures.
const LOCK: &str = "calibration.lock";

impl Keeper {
    pub(crate) fn new(folder: Option<PathBuf>, subject: Subject) -> Self {
        Self { folder, subject }
    }

    /// What was kept. A file or folder that cannot be used is nothing, and a warning.
    pub(crate) fn load<T: Kept>(&self) -> Option<Dated<T>> {
        let loaded = self.subject.load(self.folder.as_deref()?);
        loaded.unwrap_or_else(|reason| {
            tracing::warn!("{reason}");
            None
        })
    }

    /// What `measure` finds, which is kept. It runs while no other process of this user
    /// measures; where one did, and kept something for the same subject, that is taken.
    /// What cannot be locked or kept is a warning.
    ///
    /// # Errors
    /// Those of `measure`.
    pub(crate) fn measure<T: Kept + PartialEq, E>(
        &self,
        measure: impl FnOnce() -> Result<T, E>,
    ) -> Result<Dated<T>, E> {
        let measured = |found| Dated {
            found,
            date: date::today(),
        };
        let Some(folder) = self.folder.as_deref() else {
            return measure().map(measured);
        };
        let kept = || self.subject.load::<T>(folder).ok().flatten();
        let before = kept();
        let held = lock(folder);
        match &held {
            Ok((_, waited)) => {
                let now = kept().filter(|now| before.as_ref() != Some(now));
                if let (true, Some(now)) = (*waited, now) {
                    return Ok(now);
                }
            }
            Err(error) => {
                let folder = folder.display();
                tracing::warn!("{folder} is not locked, other processes may measure too: {error}");
            }
        }
        let found = measure().map(measured)?;
        self.subject.store(folder, &found);
        Ok(found)
    }
}

/// Waits until nobody else measures for `folder`, and keeps others from it as long as
/// the file lives. Says whether it had to wait. The operating system lets go of the lock
/// of a process that ends, however that comes.
fn lock(folder: &Path) -> io::Result<(File, bool)> {
    let place = CacheFile::new(folder, LOCK)?;
    // Makes the folder.
    place.expect_replaceable()?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(place.path())?;
    match file.try_lock() {
        Ok(()) => Ok((file, false)),
        Err(TryLockError::WouldBlock) => {
            let folder = folder.display();
            tracing::info!("waiting for another calibration that is kept in {folder}");
            file.lock()?;
            Ok((file, true))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use vk_core::testing::recorded;

    use super::*;
    use crate::calibration::Findings;
    use crate::calibration::tests::findings;

    fn keeper(folder: &Path, threads: usize) -> Keeper {
        let subject = Subject::new(&recorded::h200(), threads);
        Keeper::new(Some(folder.to_owned()), subject)
    }

    fn measure(keeper: &Keeper, find: impl FnOnce() -> Findings) -> Dated<Findings> {
        keeper.measure(|| Ok::<_, ()>(find())).unwrap()
    }

    #[test]
    fn what_was_measured_is_kept_with_its_date_and_measured_anew_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = keeper(folder.path(), 1);
        assert_eq!(keeper.load::<Findings>(), None);
        for nanoseconds in [1, 2] {
            let found = measure(&keeper, || findings(nanoseconds));
            assert_eq!(found.found, findings(nanoseconds));
            assert_eq!(found.date.len(), "2026-11-29".len());
            assert_eq!(keeper.load(), Some(found));
        }
        let failed = keeper.measure::<Findings, _>(|| Err("no"));
        assert_eq!(failed, Err("no"));
        assert_eq!(keeper.load().map(|kept| kept.found), Some(findings(2)));
        let nowhere = Keeper::new(None, keeper.subject);
        assert_eq!(measure(&nowhere, || findings(3)).found, findings(3));
        assert_eq!(nowhere.load::<Findings>(), None);
    }

    /// Two handles of one file exclude each other like two processes.
    #[test]
    fn one_measures_at_a_time_and_who_waited_for_the_same_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let (first, same, other) = (
            keeper(folder.path(), 1),
            keeper(folder.path(), 1),
            keeper(folder.path(), 2),
        );
        let (begun, has_begun) = mpsc::channel();
        let (finish, may_finish) = mpsc::channel();
        let (told, events) = mpsc::channel();
        std::thread::scope(|scope| {
            let one_told = told.clone();
            scope.spawn(move || {
                measure(&first, || {
                    begun.send(()).unwrap();
                    may_finish.recv().unwrap();
                    one_told.send("first").unwrap();
                    findings(1)
                });
            });
            has_begun.recv().unwrap();
            let same = scope.spawn(move || {
                measure(&same, || unreachable!("measured although another one did"))
            });
            let other = scope.spawn(move || {
                measure(&other, || {
                    told.send("other").unwrap();
                    findings(2)
                })
            });
            let early = events.recv_timeout(Duration::from_millis(200));
            assert!(early.is_err(), "{early:?} while the first one measured");
            finish.send(()).unwrap();
            assert_eq!(same.join().unwrap().found, findings(1));
            assert_eq!(other.join().unwrap().found, findings(2));
        });
        assert_eq!(events.iter().collect::<Vec<_>>(), ["first", "other"]);
    }

    #[test]
    fn what_cannot_be_locked_is_measured_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(LOCK)).unwrap();
        let keeper = keeper(folder.path(), 1);
        assert_eq!(measure(&keeper, || findings(1)).found, findings(1));
    }
}
