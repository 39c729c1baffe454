//! What the device tests share.

pub(crate) mod child;
pub(crate) mod kept;

use field_kernels::Fp;
use gpu_executor::device::Builder;
use gpu_executor::kernels::LIMBS;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, Validation};
use proptest::prelude::*;
use vk_core::testing::DeviceTest;

use crate::oracle;

/// A validated backend, and the guard that fails the test on any validation
/// message. Bind the guard first, so that it drops last.
pub(crate) fn backend() -> (DeviceTest, PersistentVulkanBackend) {
    built(PersistentVulkanBackend::builder())
}

/// As [`backend`], with settings.
pub(crate) fn built(
    builder: Builder<PersistentVulkanBackend>,
) -> (DeviceTest, PersistentVulkanBackend) {
    unvalidated(builder.validation(Validation::On))
}

/// As [`built`], without the validation layer unless the settings ask for it.
pub(crate) fn unvalidated(
    builder: Builder<PersistentVulkanBackend>,
) -> (DeviceTest, PersistentVulkanBackend) {
    let mut guard = DeviceTest::begin();
    let backend = builder.cache(Cache::Off).build().unwrap();
    guard.watch(&backend.device().name, backend.validation_log().clone());
    (guard, backend)
}

/// `elements` random canonical elements, the first of them edge elements: other ones for
/// each seed, so that different ones meet.
pub(crate) fn random_elements(elements: usize, seed: u64) -> Vec<u64> {
    oracle::random::<Fp>(elements, seed).into_flattened()
}

/// `operation` over every pair of elements, by the CPU reference.
pub(crate) fn on_cpu(
    a: &[u64],
    b: &[u64],
    operation: impl Fn(&[u64; LIMBS], &[u64; LIMBS]) -> [u64; LIMBS],
) -> Vec<u64> {
    let pairs = a.as_chunks().0.iter().zip(b.as_chunks().0);
    pairs.flat_map(|(a, b)| operation(a, b)).collect()
}

/// The sums of A and B, by the CPU reference.
pub(crate) fn sums(a: &[u64], b: &[u64]) -> Vec<u64> {
    on_cpu(a, b, field_kernels::arithmetic::add::<field_kernels::Fp>)
}

/// Operands of `jobs` jobs of `elements` each.
pub(crate) fn random_jobs(jobs: usize, elements: usize, seed: u64) -> Vec<(Vec<u64>, Vec<u64>)> {
    let random = |seed| random_elements(elements, seed);
    let seeds = (seed..).step_by(2).take(jobs);
    seeds.map(|seed| (random(seed), random(seed + 1))).collect()
}

/// The jobs as the library takes them.
pub(crate) fn borrowed(jobs: &[(Vec<u64>, Vec<u64>)]) -> Vec<(&[u64], &[u64])> {
    jobs.iter().map(|(a, b)| (&a[..], &b[..])).collect()
}

/// Compares results with the sums of `jobs`, limb by limb.
pub(crate) fn assert_sums(results: &[Vec<u64>], jobs: &[(Vec<u64>, Vec<u64>)], what: &str) {
    assert_eq!(results.len(), jobs.len(), "{what}");
    for (number, (result, (a, b))) in results.iter().zip(jobs).enumerate() {
        assert_limbs(result, &sums(a, b), &format!("{what}, job {number}"));
    }
}

/// Compares two vectors, naming the first element that differs.
pub(crate) fn assert_limbs(found: &[u64], expected: &[u64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let mut pairs = found.chunks(LIMBS).zip(expected.chunks(LIMBS)).enumerate();
    let wrong = pairs.find(|(_, (found, expected))| found != expected);
    assert!(
        wrong.is_none(),
        "{what}: element, (found, expected): {wrong:x?}"
    );
}

/// A test kernel of `shaders/compiled/tests`.
pub(crate) fn test_kernel(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shaders/compiled/tests");
    std::fs::read(format!("{folder}/{name}.spv")).unwrap()
}

/// Canonical elements, edges and random ones mixed.
pub(crate) fn any_elements(elements: usize) -> impl Strategy<Value = Vec<u64>> {
    any::<u64>().prop_map(move |seed| random_elements(elements, seed))
}
