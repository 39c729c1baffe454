//! What a program does with additions from host to host, and over host buffers, while a fault
//! is injected; and what a wrong one does.

use field_kernels::edge::random_elements;
use field_kernels::{Fp, arithmetic};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, Error, FieldAdd, PathChoice, TransferPath, VulkanError};

/// Elements of a job, and of a chunk: several chunks a run, each of which the
/// library would halve twice before it gives up.
const ELEMENTS: usize = 5000;
pub(super) const CHUNK: usize = 4096;
const JOBS: usize = 2;

type Jobs<'a> = [(&'a [u64], &'a [u64])];

fn batch(
    backend: &mut PersistentVulkanBackend,
    seed: u64,
    run: impl Fn(&mut PersistentVulkanBackend, &Jobs<'_>) -> anyhow::Result<Vec<Vec<u64>>>,
) -> anyhow::Result<bool> {
    let seeds = (100 * seed..).step_by(2).take(JOBS);
    let operands: Vec<_> = seeds
        .map(|seed| (elements(seed), elements(seed + 1)))
        .collect();
    let jobs: Vec<_> = operands.iter().map(|(a, b)| (&**a, &**b)).collect();
    let results = run(backend, &jobs)?;
    let right = operands.iter().map(|(a, b)| sums(a, b));
    Ok(right.eq(results))
}

/// Several jobs, whose chunks overlap.
pub(super) fn pipelined(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    batch(backend, seed, |backend, jobs| {
        backend.run_field_add_batch_pipelined(backend.field_add_spirv(), jobs, ELEMENTS)
    })
}

/// One job after the other.
pub(super) fn in_turn(
    backend: &mut PersistentVulkanBackend,
    seed: u64,
    device_local: bool,
) -> anyhow::Result<bool> {
    batch(backend, seed, |backend, jobs| {
        let spirv = backend.field_add_spirv();
        backend.run_field_add_batch(spirv, jobs, ELEMENTS, device_local)
    })
}

pub(super) fn one_job(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let (a, b) = (elements(seed), elements(seed + 100));
    let spirv = backend.field_add_spirv();
    let sum = backend.run_field_add(spirv, &a, &b, ELEMENTS, false)?;
    Ok(sum == sums(&a, &b))
}

pub(super) fn over_host_buffers(
    backend: &mut PersistentVulkanBackend,
    seed: u64,
) -> anyhow::Result<bool> {
    let mut a = backend.host_buffer(ELEMENTS)?;
    let mut b = backend.host_buffer(ELEMENTS)?;
    let mut out = backend.host_buffer(ELEMENTS)?;
    let spirv = backend.field_add_spirv();
    for (number, path) in (0..).zip([TransferPath::HostVisible, TransferPath::DeviceLocal]) {
        let seed = 100 * seed + 2 * number;
        a.copy_from_slice(&elements(seed));
        b.copy_from_slice(&elements(seed + 1));
        let path = PathChoice::Fixed(path);
        backend.run_field_add_host_on(spirv, &a, &b, &mut out, path)?;
        if *out != *sums(&a, &b) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn elements(seed: u64) -> Vec<u64> {
    random_elements::<Fp>(ELEMENTS, seed).into_flattened()
}

fn sums(a: &[u64], b: &[u64]) -> Vec<u64> {
    let pairs = a.as_chunks().0.iter().zip(b.as_chunks().0);
    pairs
        .flat_map(|(a, b)| arithmetic::add::<Fp>(a, b))
        .collect()
}

/// Keeps a backend for ever that has run.
pub(super) fn leak(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let result = one_job(backend, seed);
    if result.is_err() {
        let other = PersistentVulkanBackend::builder().cache(Cache::Off);
        let mut other = other.build()?;
        one_job(&mut other, seed)?;
        std::mem::forget(other);
    }
    result
}

/// Fails for ever after.
pub(super) fn refuse(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let call = "vkQueueSubmit";
    match seed {
        3 => Err(Error::from(VulkanError::OutOfHostMemory { call }).into()),
        _ => one_job(backend, seed),
    }
}
