//! Compiled pipelines on disk, with a real driver.

use std::fs;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

use field_kernels::{FIELD_ADD, FIELD_ADD_U64};
use sha2::{Digest, Sha256};
use vk_core::spirv::SpirvPolicy;
use vk_core::testing::{DeviceTest, device_under_test};
use vk_core::{Compiler, Device, KernelCache, PipelineCache, WaitPolicy};

fn setup() -> (DeviceTest, Arc<Device>, tempfile::TempDir) {
    let (guard, physical) = device_under_test().unwrap();
    let device = Device::new(&physical).unwrap();
    (guard, device, tempfile::tempdir().unwrap())
}

/// A new cache that has made a kernel, and the file that it is kept in.
fn warmed(device: &Arc<Device>, folder: &Path) -> Arc<PipelineCache> {
    let cache = PipelineCache::new(device, Some(folder));
    kernels(&cache).get(FIELD_ADD.spirv).unwrap();
    cache
}

fn kernels(cache: &Arc<PipelineCache>) -> KernelCache {
    let limit = WaitPolicy::default().timeout;
    let compiler = Compiler::new(Arc::clone(cache), limit);
    KernelCache::with_compiler(&compiler, SpirvPolicy::default())
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

#[test]
fn what_one_cache_saved_the_next_one_loads() {
    let (_guard, device, folder) = setup();
    let folder = folder.path().join("not/there/yet");
    let ((), warnings) = with_warnings(|| {
        let first = PipelineCache::new(&device, Some(&folder));
        assert!(!first.was_loaded());
        assert!(!folder.exists(), "the folder was made before it was needed");
        let first = warmed(&device, &folder);
        assert!(!first.was_loaded());
        let second = warmed(&device, &folder);
        assert!(second.was_loaded());
        assert_eq!(second.file(), first.file());
        assert_eq!(folder.read_dir().unwrap().count(), 1);
    });
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_damaged_file_is_refused_with_one_warning_and_replaced() {
    let (_guard, device, folder) = setup();
    let first = warmed(&device, folder.path());
    let path = first.file().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() - 1], b""] {
        fs::write(&path, damaged).unwrap();
        let (second, warnings) = with_warnings(|| warmed(&device, folder.path()));
        assert!(!second.was_loaded());
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let named = path.to_str().unwrap();
        assert!(warnings[0].contains(named), "{warnings:?}");
        assert!(warnings[0].contains("not used"), "{warnings:?}");
        let third = warmed(&device, folder.path());
        assert!(third.was_loaded());
    }
}

#[test]
fn a_file_of_another_driver_is_replaced_with_one_warning() {
    let (_guard, device, folder) = setup();
    let first = warmed(&device, folder.path());
    let path = first.file().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // The last byte of the UUID in the driver's header, and the hash anew.
    bytes[32 + 31] ^= 1;
    let hash: [u8; 32] = Sha256::digest(&bytes[32..]).into();
    bytes[..32].copy_from_slice(&hash);
    fs::write(&path, bytes).unwrap();
    let (second, warnings) = with_warnings(|| warmed(&device, folder.path()));
    assert!(!second.was_loaded());
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("another driver"), "{warnings:?}");
    let third = warmed(&device, folder.path());
    assert!(third.was_loaded());
}

#[test]
fn kernels_work_where_the_folder_cannot_be_used() {
    let (_guard, device, folder) = setup();
    let taken = folder.path().join("taken");
    fs::write(&taken, "").unwrap();
    for unusable in [taken.clone(), taken.join("below")] {
        let (cache, warnings) = with_warnings(|| warmed(&device, &unusable));
        assert!(!cache.was_loaded());
        assert_eq!(cache.file(), None);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(unusable.to_str().unwrap()));
    }
}

#[test]
fn a_failed_save_is_one_warning_and_kernels_go_on() {
    let (_guard, device, folder) = setup();
    let folder = folder.path().join("folder");
    let (cache, warnings) = with_warnings(|| {
        let cache = PipelineCache::new(&device, Some(&folder));
        fs::write(&folder, "").unwrap();
        cache
    });
    assert!(warnings.is_empty(), "{warnings:?}");
    let ((), warnings) = with_warnings(|| {
        for kernel in [FIELD_ADD, FIELD_ADD_U64] {
            kernels(&cache).get(kernel.spirv).unwrap();
        }
    });
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(cache.file(), None);
}

#[test]
fn without_a_folder_nothing_is_kept() {
    let (_guard, device, _folder) = setup();
    let cache = PipelineCache::new(&device, None);
    kernels(&cache).get(FIELD_ADD.spirv).unwrap();
    assert_eq!((cache.was_loaded(), cache.file()), (false, None));
}
