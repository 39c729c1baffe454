//! A file of the cache that cannot be used, in every way that there is: runs
//! are right, one warning names it, and nothing is written elsewhere.

use std::fs;
use std::io::{BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};

use gpu_executor::Validation;
use gpu_executor::spirv::PersistentVulkanBackend;
use vk_core::testing::DeviceTest;

use crate::support::{
    self,
    kept::{BRIEF, add, build, keeping, measured},
};

/// The two files that are read, by how their names begin; the third one is for a lock.
const FILES: [&str; 2] = ["pipelines-", "calibration-"];

fn file(folder: &Path, begins: &str) -> PathBuf {
    let found = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let mut named = found.filter(|file| file.file_name().to_string_lossy().starts_with(begins));
    let path = named.next().unwrap().path();
    assert!(named.next().is_none(), "several {begins}");
    path
}

/// What `run` returned, and the warnings that it logged.
fn with_warnings<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    let mut log = tempfile::tempfile().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(log.try_clone().unwrap())
        .finish();
    let result = tracing::subscriber::with_default(subscriber, run);
    log.rewind().unwrap();
    let lines = BufReader::new(log).lines().map(Result::unwrap);
    (result, lines.collect())
}

/// A backend that was made, and ran right.
fn used(guard: &mut DeviceTest, folder: &Path) -> PersistentVulkanBackend {
    let mut backend = build(guard, keeping(folder));
    add(&mut backend, 300);
    backend
}

/// With what one process left, changed by `damage`, the next runs right and
/// warns once, and once it was replaced nobody has anything to say.
fn warns_once(begins: &str, damage: impl Fn(&Path)) {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    drop(measured(&mut guard, folder.path()));
    let path = file(folder.path(), begins);
    damage(&path);
    let (_, warnings) = with_warnings(|| drop(used(&mut guard, folder.path())));
    assert_eq!(warnings.len(), 1, "{begins}: {warnings:#?}");
    let named = warnings[0].contains(path.to_str().unwrap());
    assert!(named, "{begins}: {warnings:#?}");
    drop(measured(&mut guard, folder.path()));
    let (_, warnings) = with_warnings(|| drop(used(&mut guard, folder.path())));
    assert!(warnings.is_empty(), "{begins}: {warnings:#?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn nothing_is_said_of_files_that_are_as_they_were_left() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    for _ in 0..2 {
        let (_, warnings) = with_warnings(|| drop(used(&mut guard, folder.path())));
        assert!(warnings.is_empty(), "{warnings:#?}");
    }
}

#[test]
fn a_truncated_file() {
    for begins in FILES {
        for part in [0, 1, 2] {
            warns_once(begins, |path| {
                let whole = fs::read(path).unwrap();
                fs::write(path, &whole[..whole.len() * part / 3]).unwrap();
            });
        }
    }
}

#[test]
fn a_corrupt_file() {
    for begins in FILES {
        for place in [1, 2, 3] {
            // A digit that changes leaves a calibration well-formed.
            warns_once(begins, |path| {
                let mut bytes = fs::read(path).unwrap();
                let from = bytes.len() * place / 4;
                let digit = |byte: &u8| begins == "pipelines-" || byte.is_ascii_digit();
                let at = from + bytes[from..].iter().position(digit).unwrap();
                bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
                fs::write(path, bytes).unwrap();
            });
        }
    }
}

#[test]
fn a_foreign_file() {
    for begins in FILES {
        for other in [&b"something else entirely"[..], &[0; 4096]] {
            warns_once(begins, |path| fs::write(path, other).unwrap());
        }
    }
    // Whole, and of another machine: its name was changed.
    warns_once("calibration-", |path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace("\"driver\": \"", "\"driver\": \"other ")).unwrap();
    });
}

#[test]
fn a_file_that_cannot_be_written() {
    for begins in FILES {
        let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
        drop(measured(&mut guard, folder.path()));
        let path = file(folder.path(), begins);
        // A folder that is not empty, which not even root can replace.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        let (_, warnings) = with_warnings(|| drop(used(&mut guard, folder.path())));
        assert_eq!(warnings.len(), 1, "{begins}: {warnings:#?}");
        assert!(path.join("inside").is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_a_warning_for_each_file() {
    let (mut guard, root) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let taken = root.path().join("taken");
    fs::write(&taken, "").unwrap();
    for folder in [taken.clone(), taken.join("below")] {
        let (_, warnings) = with_warnings(|| drop(used(&mut guard, &folder)));
        assert_eq!(warnings.len(), FILES.len(), "{warnings:#?}");
        let named = warnings
            .iter()
            .all(|line| line.contains(folder.to_str().unwrap()));
        assert!(named, "{warnings:#?}");
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn several_backends_write_one_folder_at_once() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    drop(build(&mut guard, keeping(folder.path())));
    std::thread::scope(|scope| {
        for threads in [1, 2, 1, 2] {
            let folder = folder.path();
            scope.spawn(move || {
                for _ in 0..4 {
                    let ((), warnings) = with_warnings(|| {
                        let builder = keeping(folder).threads(threads);
                        let mut backend = builder.build().unwrap();
                        add(&mut backend, 300);
                        // Each measures alone, and writes over what others did.
                        backend.calibrate(BRIEF).unwrap();
                        add(&mut backend, 300);
                    });
                    assert!(warnings.is_empty(), "{warnings:#?}");
                }
            });
        }
    });
    // Pipelines, a calibration for each number of threads, and the lock.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_the_owner_alone() {
    use std::os::unix::fs::MetadataExt;
    let (mut guard, root) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let folder = root.path().join("above/folder");
    drop(measured(&mut guard, &folder));
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for begins in FILES.into_iter().chain(["calibration.lock"]) {
        assert_eq!(mode(&file(&folder, begins)), 0o600);
    }
}

/// Runs the ignored test below in a process whose every folder is known.
#[test]
fn nothing_is_written_outside_the_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let names = ["home", "cache", "config", "data", "temporary", "here"];
    let [home, cache, config, data, temporary, here] = names.map(folder);
    let kept = root.path().join("kept");
    let output = support::child::command("cache_files::writes_what_it_keeps", &cache)
        .args(["--ignored"])
        .env("HOME", &home)
        .env("XDG_CONFIG_HOME", &config)
        .env("XDG_DATA_HOME", &data)
        .env("TMPDIR", &temporary)
        .env("GPU_EXECUTOR_TEST_KEPT", &kept)
        // A cache of the driver's own, which nobody here can answer for.
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .env("__GL_SHADER_DISK_CACHE", "0")
        .current_dir(&here)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && text.contains("1 passed");
    assert!(passed, "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 3);
    for name in names {
        let found: Vec<_> = fs::read_dir(root.path().join(name)).unwrap().collect();
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
#[ignore = "run by `nothing_is_written_outside_the_folder`"]
fn writes_what_it_keeps() {
    let kept = PathBuf::from(std::env::var_os("GPU_EXECUTOR_TEST_KEPT").unwrap());
    // Without the layer, which keeps a file of its own.
    let builder = keeping(&kept).validation(Validation::Off);
    let mut backend = build(&mut DeviceTest::begin(), builder);
    backend.calibrate(BRIEF).unwrap();
    add(&mut backend, 100);
}
