//! Several jobs in one call, one after the other against overlapped.

use criterion::Criterion;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_benches::{Jobs, Plan};

use crate::measure::measure;

pub(crate) fn bench(criterion: &mut Criterion, plan: &Plan) -> anyhow::Result<()> {
    let mut backend = PersistentVulkanBackend::new()?;
    let kernel = backend.field_add_spirv();
    let mut group = criterion.benchmark_group("batch");
    for &elements in &plan.batch_sizes {
        for &count in &plan.batch_jobs {
            let jobs = Jobs::random(count, elements);
            let slices = jobs.as_slices();
            let check = |out: &Vec<Vec<u64>>| jobs.check(out);
            let name = |mode: &str| format!("{mode}, {count} jobs");
            let call = || backend.run_field_add_batch(kernel, &slices, elements, false);
            measure(&mut group, &name("sequential"), &jobs, call, check)?;
            let call = || backend.run_field_add_batch_pipelined(kernel, &slices, elements);
            measure(&mut group, &name("pipelined"), &jobs, call, check)?;
        }
    }
    group.finish();
    Ok(())
}
