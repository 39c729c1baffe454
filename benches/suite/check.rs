//! What checking the inputs costs, on the device and on the CPU.

use gpu_executor::cpu::CpuEngine;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Batch, Executor, Inputs};
use gpu_executor_benches::{Jobs, Plan};

use crate::measure::Suite;

/// Jobs of a call.
const JOBS: usize = 4;

/// The most elements of all of them together.
const MOST: usize = 1 << 24;

fn sizes(plan: &Plan) -> impl Iterator<Item = usize> {
    plan.sizes
        .iter()
        .copied()
        .filter(|size| JOBS * size <= MOST)
}

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let device = |inputs| PersistentVulkanBackend::builder().inputs(inputs).build();
    let cpu = |inputs| anyhow::Ok(CpuEngine::new()?.with_inputs(inputs));
    // Those that are compared come one after the other.
    let mut engines = [
        (
            "device, checked",
            Executor::Vulkan(device(Inputs::Canonical)?),
        ),
        ("device, unchecked", Executor::Vulkan(device(Inputs::Any)?)),
        ("CPU, checked", Executor::Cpu(cpu(Inputs::Canonical)?)),
        ("CPU, unchecked", Executor::Cpu(cpu(Inputs::Any)?)),
    ];
    let (mut group, plan) = suite.group("check");
    for elements in sizes(plan) {
        let jobs = Jobs::random(JOBS, elements);
        let slices = jobs.as_slices();
        let batch = Batch::new(&slices, elements);
        for (name, engine) in &mut engines {
            group.calls_into(name, &jobs, engine, &batch)?;
        }
    }
    Ok(())
}
