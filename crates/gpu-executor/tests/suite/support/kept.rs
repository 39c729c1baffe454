//! Backends that keep their calibration in a folder of the test's.

use std::path::{Path, PathBuf};

use gpu_executor::FieldAdd;
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, Effort, Validation};
use vk_core::testing::DeviceTest;

use super::{assert_sums, borrowed, random_jobs};

/// No longer than it takes to have something measured.
pub(crate) const BRIEF: Effort = Effort {
    largest: 1 << 12,
    ..Effort::BRIEF
};

/// On a device of its own, which the layer brings: backends that share one share what they
/// read of the folder too, and here each stands for a process.
pub(crate) fn keeping(folder: &Path) -> Builder<PersistentVulkanBackend> {
    PersistentVulkanBackend::builder()
        .validation(Validation::On)
        .cache(Cache::Folder(folder.to_owned()))
}

pub(crate) fn build(
    guard: &mut DeviceTest,
    builder: Builder<PersistentVulkanBackend>,
) -> PersistentVulkanBackend {
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
