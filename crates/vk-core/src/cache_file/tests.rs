//! A folder of files, what may be in it, and who else may write to it.

use std::time::SystemTime;

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
fn a_file_that_is_not_written_to_its_end_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = CacheFile::new(folder.path(), "name").unwrap();
    file.replace(b"first").unwrap();
    let failed = file.replace_by(|file| {
        file.write_all(b"half").unwrap();
        Err("why")
    });
    assert_eq!(failed.unwrap(), Err("why"));
    assert_eq!(file.read(10).unwrap().unwrap(), b"first");
    assert_eq!(names(folder.path()), ["name"]);
    let whole = file.replace_by(|file| file.write_all(b"second"));
    whole.unwrap().unwrap();
    let mut found = String::new();
    let mut opened = file.open().unwrap().unwrap();
    opened.read_to_string(&mut found).unwrap();
    assert_eq!(found, "second");
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
fn what_can_be_replaced_is_reported_and_stays_as_it_is() {
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
fn leftovers_of_killed_processes_go_once_they_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let file = CacheFile::new(folder.path(), "name").unwrap();
    let old = SystemTime::now() - 2 * LEFT_OVER_AFTER;
    for (name, written) in [
        ("gpu-executor-a.tmp", old),
        ("gpu-executor-b.tmp", SystemTime::now()),
        ("gpu-executor-c.bin", old),
        ("other-d.tmp", old),
    ] {
        let made = File::create(folder.path().join(name)).unwrap();
        made.set_modified(written).unwrap();
    }
    file.replace(b"data").unwrap();
    let kept = [
        "gpu-executor-b.tmp",
        "gpu-executor-c.bin",
        "name",
        "other-d.tmp",
    ];
    assert_eq!(names(folder.path()), kept);
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
