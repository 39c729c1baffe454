//! What keeping the backend saves over making one for each call.

use criterion::Criterion;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_benches::Jobs;

use crate::measure::measure;

/// A call that is all overhead, and one with work in it.
const SIZES: [usize; 2] = [64, 65_536];

pub(crate) fn bench(criterion: &mut Criterion) -> anyhow::Result<()> {
    let mut group = criterion.benchmark_group("overhead");
    for elements in SIZES {
        let jobs = Jobs::random(1, elements);
        let slices = jobs.as_slices();
        let one_shot = || {
            let mut backend = PersistentVulkanBackend::new()?;
            let kernel = backend.field_add_spirv();
            backend.run_field_add_batch(kernel, &slices, elements, false)
        };
        measure(&mut group, "one_shot", &jobs, one_shot, |out| {
            jobs.check(out)
        })?;
        let mut backend = PersistentVulkanBackend::new()?;
        let kernel = backend.field_add_spirv();
        let persistent = || backend.run_field_add_batch(kernel, &slices, elements, false);
        measure(&mut group, "persistent", &jobs, persistent, |out| {
            jobs.check(out)
        })?;
    }
    group.finish();
    Ok(())
}
