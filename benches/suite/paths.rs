//! One job on each data path, over its size: into new memory, and into
//! slices that the caller keeps.

use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Path, PathChoice};
use gpu_executor_benches::{Jobs, Plan};

use crate::measure::{Group, Suite};

const PATHS: usize = 3;

pub(crate) fn count(plan: &Plan) -> usize {
    2 * PATHS * plan.sizes.len()
}

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let fixed = |path| {
        PersistentVulkanBackend::builder()
            .path(PathChoice::Fixed(path))
            .build()
    };
    let mut host_visible = fixed(Path::HostVisible)?;
    let mut device_local = fixed(Path::DeviceLocal)?;
    let mut pipelined = PersistentVulkanBackend::new()?;

    let (mut group, plan) = suite.group("paths");
    for &elements in &plan.sizes {
        let jobs = Jobs::random(1, elements);
        sequential(&mut group, "host_visible", &jobs, &mut host_visible)?;
        sequential(&mut group, "device_local", &jobs, &mut device_local)?;
        overlapped(&mut group, "pipelined", &jobs, &mut pipelined)?;
    }
    Ok(())
}

/// The sequential form on the path that `backend` was built for.
pub(crate) fn sequential(
    group: &mut Group<'_>,
    name: &str,
    jobs: &Jobs,
    backend: &mut PersistentVulkanBackend,
) -> anyhow::Result<()> {
    let (slices, elements) = (jobs.as_slices(), jobs.elements());
    let kernel = backend.field_add_spirv();
    let call = || backend.run_field_add_batch(kernel, &slices, elements, false);
    group.fresh(name, jobs, call, |out| jobs.check(out))?;
    let call = |results: &mut [Vec<u64>]| {
        let mut out = as_slices(results);
        backend.run_field_add_batch_into(kernel, &slices, elements, false, &mut out)
    };
    let (name, mut results) = (reused(name), jobs.results());
    group.reused(&name, jobs, &mut results, call, |out| jobs.check(out))
}

/// The pipelined form on the path that the library chooses.
pub(crate) fn overlapped(
    group: &mut Group<'_>,
    name: &str,
    jobs: &Jobs,
    backend: &mut PersistentVulkanBackend,
) -> anyhow::Result<()> {
    let (slices, elements) = (jobs.as_slices(), jobs.elements());
    let kernel = backend.field_add_spirv();
    let call = || backend.run_field_add_batch_pipelined(kernel, &slices, elements);
    group.fresh(name, jobs, call, |out| jobs.check(out))?;
    let call = |results: &mut [Vec<u64>]| {
        let mut out = as_slices(results);
        backend.run_field_add_batch_pipelined_into(kernel, &slices, elements, &mut out)
    };
    let (name, mut results) = (reused(name), jobs.results());
    group.reused(&name, jobs, &mut results, call, |out| jobs.check(out))
}

/// The name of a benchmark that writes to the same slices every time; the
/// report finds it by this.
pub(crate) fn reused(name: &str) -> String {
    format!("{name}, reused")
}

fn as_slices(results: &mut [Vec<u64>]) -> Vec<&mut [u64]> {
    results.iter_mut().map(Vec::as_mut_slice).collect()
}
