//! What keeping the backend saves over making one for each call.

use std::time::{Duration, Instant};

use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_benches::Jobs;

use crate::measure::{Group, Suite};
use crate::startup;

/// A call that is all overhead, and one with work in it.
const SIZES: [usize; 2] = [64, 65_536];

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let (mut group, _) = suite.group("overhead");
    for elements in SIZES {
        let jobs = Jobs::random(1, elements);
        let slices = jobs.as_slices();
        let check = |out: &Vec<Vec<u64>>| jobs.check(out);
        let one_shot = || {
            let mut backend = PersistentVulkanBackend::new()?;
            let kernel = backend.field_add_spirv();
            backend.run_field_add_batch(kernel, &slices, elements, false)
        };
        group.fresh("one_shot", &jobs, one_shot, check)?;
        let mut backend = PersistentVulkanBackend::new()?;
        let kernel = backend.field_add_spirv();
        let persistent = || backend.run_field_add_batch(kernel, &slices, elements, false);
        group.fresh("persistent", &jobs, persistent, check)?;
    }
    new(&mut group)?;
    first_run(&mut group)?;
    startup::bench(&mut group)
}

/// Making a backend, without the first call and without freeing it.
fn new(group: &mut Group<'_>) -> anyhow::Result<()> {
    group.timed("new", 0, 0, |iterations| {
        let mut elapsed = Duration::ZERO;
        for _ in 0..iterations {
            let start = Instant::now();
            let backend = PersistentVulkanBackend::new()?;
            elapsed += start.elapsed();
            drop(backend);
        }
        Ok(elapsed)
    })
}

/// The first call of a new backend, which makes the kernel's pipeline and
/// staging memory. The driver may remember the pipeline from before.
fn first_run(group: &mut Group<'_>) -> anyhow::Result<()> {
    let jobs = Jobs::random(1, SIZES[0]);
    let slices = jobs.as_slices();
    group.timed("first_run", jobs.elements(), jobs.total(), |iterations| {
        let mut elapsed = Duration::ZERO;
        for _ in 0..iterations {
            let mut backend = PersistentVulkanBackend::new()?;
            let kernel = backend.field_add_spirv();
            let start = Instant::now();
            let sums = backend.run_field_add_batch(kernel, &slices, jobs.elements(), false)?;
            elapsed += start.elapsed();
            jobs.check(&sums)?;
        }
        Ok(elapsed)
    })
}
