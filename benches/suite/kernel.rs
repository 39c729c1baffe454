//! The kernels alone, on operands that stay in device memory, over their size.

use std::cell::LazyCell;
use std::sync::Arc;
use std::time::Duration;

use gpu_executor::kernels::{ELEMENT_BYTES, KERNELS, Kernel};
use gpu_executor_benches::Jobs;
use vk_core::{Device, DeviceCaps, KernelCache};
use vk_mem_paths::Resident;

use crate::clocks::Clocks;
use crate::device;
use crate::measure::{Group, Suite};

/// The most runs of one submission: some drivers end those that take long.
const MOST_ROUNDS: u32 = 256;

pub(crate) fn count(suite: &Suite) -> usize {
    KERNELS.len() * suite.plan.kernel_sizes.len()
}

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let device = device::open()?;
    let mut kernels = KernelCache::new(&device)?;
    let (mut group, plan) = suite.group("kernel");
    for &elements in &plan.kernel_sizes {
        let jobs = LazyCell::new(|| Jobs::random(1, elements));
        for kernel in KERNELS {
            match resident(&device, &mut kernels, kernel, elements) {
                Ok(resident) => measure(&mut group, device.caps(), kernel.name, &jobs, resident)?,
                // What a device cannot run or hold is no failure of the suite.
                Err(why) => group.pass_over(kernel.name, elements, &why),
            }
        }
    }
    Ok(())
}

pub(crate) fn resident(
    device: &Arc<Device>,
    kernels: &mut KernelCache,
    kernel: &Kernel,
    elements: usize,
) -> anyhow::Result<Resident> {
    let compiled = kernels.get(kernel.spirv)?;
    let layout = kernels.set_layout();
    let resident = Resident::new(device, layout, &compiled, elements, ELEMENT_BYTES);
    Ok(resident?)
}

fn measure(
    group: &mut Group<'_>,
    caps: &DeviceCaps,
    name: &str,
    jobs: &Jobs,
    mut resident: Resident,
) -> anyhow::Result<()> {
    let slices = jobs.as_slices();
    let [(a, b)] = slices.as_slice() else {
        anyhow::bail!("one job was asked for");
    };
    // This also spoils the result, so that what is checked was computed.
    resident.upload(bytemuck::cast_slice(a), bytemuck::cast_slice(b))?;
    let mut clocks = Clocks::raise(caps, &mut resident)?;
    let mut results = jobs.results();
    group.timed(name, jobs.elements(), jobs.total(), |iterations| {
        clocks.catch_up(&mut resident)?;
        let mut elapsed = Duration::ZERO;
        let mut left = iterations;
        while left > 0 {
            let rounds = u32::try_from(left).map_or(MOST_ROUNDS, |left| left.min(MOST_ROUNDS));
            elapsed += resident.run(rounds)? * rounds;
            left -= u64::from(rounds);
        }
        for result in &mut results {
            resident.download(bytemuck::cast_slice_mut(result))?;
        }
        jobs.check(&results)?;
        Ok(elapsed)
    })
}
