//! The kernels alone, on operands that stay in device memory, over their size.

use std::cell::LazyCell;
use std::time::Duration;

use gpu_executor::kernels::KERNELS;
use gpu_executor_benches::Jobs;
use vk_core::DeviceCaps;

use crate::clocks::Clocks;
use crate::device;
use crate::measure::{Group, Suite};
use crate::resident::Resident;

/// The most runs of one submission: some drivers end those that take long.
const MOST_ROUNDS: u32 = 256;

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let device = device::open()?;
    let (mut group, plan) = suite.group("kernel");
    for &elements in &plan.kernel_sizes {
        let jobs = LazyCell::new(|| Jobs::random(1, elements));
        for kernel in KERNELS {
            match Resident::new(&device, kernel.spirv, elements) {
                Ok(resident) => measure(&mut group, device.caps(), kernel.name, &jobs, resident)?,
                // What a device cannot run or hold is no failure of the suite.
                Err(why) => group.pass_over(kernel.name, elements, &why),
            }
        }
    }
    Ok(())
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
    let mut results = jobs.results();
    // Also on the device the result is none before the first run.
    resident.upload(a, b, &results[0])?;
    let mut clocks = Clocks::raise(caps, &mut resident)?;
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
            resident.download(result)?;
        }
        jobs.check(&results)?;
        Ok(elapsed)
    })
}
