//! One job on each data path, over its size: into new memory, into slices
//! that the caller keeps, and over buffers that host and device share.

use gpu_executor::FieldAdd;
use gpu_executor::TransferPath;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_benches::Jobs;

use crate::measure::{Group, Suite};
use crate::{backends, host_buffers};

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut pipelined = backends::automatic()?;
    let fixed = backends::paths(&suite.caps).map(|path| anyhow::Ok((path, backends::fixed(path)?)));
    let mut fixed = fixed.collect::<Result<Vec<_>, _>>()?;
    let mut shared = backends::fixed(TransferPath::HostVisible)?;

    let (mut group, plan) = suite.group("paths");
    for &elements in &plan.sizes {
        let jobs = Jobs::random(1, elements);
        for (path, backend) in &mut fixed {
            let name = path.to_string().replace('-', "_");
            sequential(&mut group, &name, &jobs, backend)?;
        }
        overlapped(&mut group, "pipelined", &jobs, &mut pipelined)?;
        host_buffers::measure(&mut group, &jobs, &mut shared)?;
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
        Ok(backend.run_field_add_batch_into(kernel, &slices, elements, false, &mut out)?)
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
    overlapped_into(group, name, jobs, backend)
}

/// The pipelined form on whichever path `backend` takes, into slices alone.
pub(crate) fn overlapped_into(
    group: &mut Group<'_>,
    name: &str,
    jobs: &Jobs,
    backend: &mut PersistentVulkanBackend,
) -> anyhow::Result<()> {
    let (slices, elements) = (jobs.as_slices(), jobs.elements());
    let kernel = backend.field_add_spirv();
    let call = |results: &mut [Vec<u64>]| {
        let mut out = as_slices(results);
        Ok(backend.run_field_add_batch_pipelined_into(kernel, &slices, elements, &mut out)?)
    };
    let (name, mut results) = (reused(name), jobs.results());
    group.reused(&name, jobs, &mut results, call, |out| jobs.check(out))
}

/// The name of a benchmark that writes to the same slices every time; the
/// report finds it by this.
pub(crate) fn reused(name: &str) -> String {
    format!("{name}, reused")
}

/// `results` as the library takes them.
pub(crate) fn as_slices(results: &mut [Vec<u64>]) -> Vec<&mut [u64]> {
    results.iter_mut().map(Vec::as_mut_slice).collect()
}
