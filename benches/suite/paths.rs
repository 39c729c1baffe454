//! One job on each data path, over its size.

use criterion::Criterion;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Path, PathChoice};
use gpu_executor_benches::{Jobs, Plan};

use crate::measure::measure;

pub(crate) fn bench(criterion: &mut Criterion, plan: &Plan) -> anyhow::Result<()> {
    let mut host_visible = PersistentVulkanBackend::builder()
        .path(PathChoice::Fixed(Path::HostVisible))
        .build()?;
    let mut device_local = PersistentVulkanBackend::builder()
        .path(PathChoice::Fixed(Path::DeviceLocal))
        .build()?;
    let mut pipelined = PersistentVulkanBackend::new()?;
    let kernel = pipelined.field_add_spirv();

    let mut group = criterion.benchmark_group("paths");
    for &elements in &plan.sizes {
        let jobs = Jobs::random(1, elements);
        let slices = jobs.as_slices();
        let check = |out: &Vec<Vec<u64>>| jobs.check(out);
        let call = || host_visible.run_field_add_batch(kernel, &slices, elements, false);
        measure(&mut group, "host_visible", &jobs, call, check)?;
        let call = || device_local.run_field_add_batch(kernel, &slices, elements, true);
        measure(&mut group, "device_local", &jobs, call, check)?;
        let call = || pipelined.run_field_add_batch_pipelined(kernel, &slices, elements);
        measure(&mut group, "pipelined", &jobs, call, check)?;
    }
    group.finish();
    Ok(())
}
