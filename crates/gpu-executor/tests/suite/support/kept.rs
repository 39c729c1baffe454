//! Backends that keep their calibration in a folder of the test's.

use std::path::{Path, PathBuf};

use gpu_executor::spirv::{Builder, PersistentVulkanBackend};
use gpu_executor::{Cache, Effort};
use vk_core::testing::DeviceTest;

use super::{assert_sums, borrowed, random_jobs};

/// No longer than it takes to have something measured.
pub(crate) const BRIEF: Effort = Effort {
    largest: 1 << 12,
    ..Effort::BRIEF
};

pub(crate) fn keeping(folder: &Path) -> Builder {
    PersistentVulkanBackend::builder().cache(Cache::Folder(folder.to_owned()))
}

pub(crate) fn build(guard: &mut DeviceTest, builder: Builder) -> PersistentVulkanBackend {
    let backend = builder.build().unwrap();
    guard.watch(&backend.device().name, backend.validation_log().clone());
    backend
}

pub(crate) fn add(backend: &mut PersistentVulkanBackend, elements: usize) {
    let jobs = random_jobs(2, elements, 5);
    let results = backend.field_add_batch(&borrowed(&jobs), elements).unwrap();
    assert_sums(&results, &jobs, "pipelined");
}

pub(crate) fn file_in(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    files.find(|file| file.extension().is_some_and(|end| end == "json"))
}

pub(crate) fn stored(folder: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(file_in(folder)?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// A backend that was calibrated, briefly, and has run.
pub(crate) fn measured(guard: &mut DeviceTest, folder: &Path) -> PersistentVulkanBackend {
    let mut backend = build(guard, keeping(folder));
    backend.calibrate(BRIEF).unwrap();
    add(&mut backend, 100);
    backend
}
