//! The crate through its public interface, on the device and on the CPU.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod batches;
mod official;
mod refused;
mod setups;

#[allow(dead_code, reason = "the example uses more of it")]
#[path = "../../examples/blobs/cases.rs"]
mod cases;

use std::sync::LazyLock;

use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::VectorEngine;
use gpu_executor::{Cache, Validation};
use gpu_executor_kzg::{Kzg, TrustedSetup};
use vk_core::testing::DeviceTest;

/// One for all tests: its tables take seconds.
static SETUP: LazyLock<TrustedSetup> = LazyLock::new(|| TrustedSetup::mainnet().unwrap());

static ON_CPU: LazyLock<Kzg> =
    LazyLock::new(|| Kzg::new(&VectorEngine::cpu().unwrap(), &SETUP).unwrap());

fn on_cpu(test: impl FnOnce(&Kzg)) {
    test(&ON_CPU);
}

/// On the device under test, which fails on any message of the validation layer.
fn on_device(test: impl FnOnce(&Kzg)) {
    let mut guard = DeviceTest::begin();
    let builder = PersistentVulkanBackend::builder();
    let builder = builder.validation(Validation::On).cache(Cache::Off);
    let mut backend = builder.build().unwrap();
    guard.watch(&backend.device().name, backend.validation_log().clone());
    test(&Kzg::new(&backend.vectors().unwrap(), &SETUP).unwrap());
}

/// Elements that any seed has its own of; the highest byte is one of a canonical element.
fn random_blob(seed: u8) -> Vec<u8> {
    let elements = field_kernels::edge::random_elements::<field_kernels::Fr>(4096, seed.into());
    let bytes = elements
        .iter()
        .flat_map(|it| it.iter().rev().flat_map(|limb| limb.to_be_bytes()));
    bytes.collect()
}
