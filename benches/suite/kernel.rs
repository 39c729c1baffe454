//! The kernels alone, on operands that stay in device memory, over their size.

use std::cell::LazyCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gpu_executor::kernels::{ELEMENT_BYTES, KERNELS, Kernel};
use gpu_executor_benches::Jobs;
use vk_core::{Device, KernelCache};
use vk_mem_paths::Resident;

use crate::device;
use crate::measure::{Group, Suite};

/// The most runs of one submission: some drivers end those that take long.
const MOST_ROUNDS: u32 = 256;
/// The runs of one submission that only keeps the device at work.
const WARM_UP_ROUNDS: u32 = 16;

/// How long a device must be at work until its clocks are up. An H200 that
/// was idle runs kernels at a quarter of their speed for its first 200 ms.
const RAMP: Duration = Duration::from_millis(400);
/// How much slower than the best run so far one may be with the clocks up: one
/// part in this many.
const AS_GOOD: u32 = 50;

/// Keeps the device at work until its clocks are up, and returns the time of
/// its best run.
pub(crate) fn warm_up(resident: &mut Resident) -> anyhow::Result<Duration> {
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < RAMP {
        best = best.min(resident.run(WARM_UP_ROUNDS)?);
    }
    Ok(best)
}

/// Keeps the device at work until it is as fast as at its `best`: while the
/// host checked the sample before, it may have lowered its clocks.
fn catch_up(resident: &mut Resident, best: &mut Duration) -> anyhow::Result<()> {
    let start = Instant::now();
    while start.elapsed() < RAMP {
        let time = resident.run(WARM_UP_ROUNDS)?;
        *best = time.min(*best);
        if time <= *best + *best / AS_GOOD {
            break;
        }
    }
    Ok(())
}

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
                Ok(resident) => measure(&mut group, kernel.name, &jobs, resident)?,
                // What a device cannot run or hold is no failure of the suite.
                Err(why) => group.pass_over(kernel.name, elements, &why),
            }
        }
    }
    Ok(())
}

fn resident(
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
    let mut best = warm_up(&mut resident)?;
    let mut results = jobs.results();
    group.timed(name, jobs.elements(), jobs.total(), |iterations| {
        catch_up(&mut resident, &mut best)?;
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
