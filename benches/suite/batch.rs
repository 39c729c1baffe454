//! Several jobs in one call, one after the other against overlapped.

use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_benches::{Jobs, Plan};

use crate::measure::Suite;
use crate::paths::{overlapped, sequential};

pub(crate) fn count(plan: &Plan) -> usize {
    4 * plan.batch_sizes.len() * plan.batch_jobs.len()
}

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut backend = PersistentVulkanBackend::new()?;
    let (mut group, plan) = suite.group("batch");
    for &elements in &plan.batch_sizes {
        for &count in &plan.batch_jobs {
            let jobs = Jobs::random(count, elements);
            let name = |mode: &str| match count {
                1 => format!("{mode}, 1 job"),
                _ => format!("{mode}, {count} jobs"),
            };
            sequential(&mut group, &name("sequential"), &jobs, &mut backend)?;
            overlapped(&mut group, &name("pipelined"), &jobs, &mut backend)?;
        }
    }
    Ok(())
}
