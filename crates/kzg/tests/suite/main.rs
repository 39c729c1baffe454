//! The crate through its public interface, on the device and on the CPU.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod batches;
mod official;
mod refused;
mod setups;
mod tables;

#[allow(dead_code, reason = "the example uses more of it")]
#[path = "../../examples/blobs/cases.rs"]
mod cases;

use std::path::Path;
use std::sync::LazyLock;

use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{TableMemory, VectorEngine};
use gpu_executor::{Cache, Validation};
use gpu_executor_kzg::{Kzg, TrustedSetup};
use vk_core::testing::DeviceTest;

static SETUP: LazyLock<TrustedSetup> = LazyLock::new(|| TrustedSetup::mainnet().unwrap());

static ON_CPU: LazyLock<Kzg> = LazyLock::new(|| with_tables(&VectorEngine::cpu().unwrap()));

/// Tables for proofs of cells take seconds: made once for all tests of a build.
static TABLES: LazyLock<Cache> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kzg-tables");
    let written = |path: &Path| path.metadata().and_then(|it| it.modified()).ok();
    if written(&folder) < written(&std::env::current_exe().unwrap()) {
        let _of_another_build = std::fs::remove_dir_all(&folder);
    }
    Cache::Folder(folder)
});

fn with_tables(engine: &VectorEngine) -> Kzg {
    Kzg::with_tables(engine, &SETUP, TableMemory::None, &TABLES).unwrap()
}

fn on_cpu(test: impl FnOnce(&Kzg)) {
    test(&ON_CPU);
}

fn on_device(test: impl FnOnce(&Kzg)) {
    on_device_with(|engine| test(&with_tables(engine)));
}

/// On the device under test, which fails on any message of the validation layer.
fn on_device_with(test: impl FnOnce(&VectorEngine)) {
    let mut guard = DeviceTest::begin();
    let builder = PersistentVulkanBackend::builder();
    let builder = builder.validation(Validation::On).cache(Cache::Off);
    let mut backend = builder.build().unwrap();
    guard.watch(&backend.device().name, backend.validation_log().clone());
    test(&backend.vectors().unwrap());
}

/// Elements that any seed has its own of; the highest byte is one of a canonical element.
fn random_blob(seed: u8) -> Vec<u8> {
    let elements = field_kernels::edge::random_elements::<field_kernels::Fr>(4096, seed.into());
    let bytes = elements
        .iter()
        .flat_map(|it| it.iter().rev().flat_map(|limb| limb.to_be_bytes()));
    bytes.collect()
}
