//! Which kernels are fastest on a device: looked at once, and kept.

use std::time::Duration;

use field_kernels::chain::{Layout, MemoryAccess};
use field_kernels::edge::edge_elements_of;
use field_kernels::{Arithmetic, Field, Fp, Fr, arithmetic};
use vk_core::DeviceKind;

use super::VectorEngine;
use super::field_vec::FieldVec;
use super::queue::Queue;
use super::vulkan::{Choice, VulkanRunner, runs};
use crate::Error;

/// Elements of a trial: enough to fill a device.
const ELEMENTS: usize = 1 << 20;
/// Likewise, of a software device.
const ELEMENTS_OF_SOFTWARE: usize = 1 << 12;
/// Results of one submission, so that its own cost hardly counts.
const RESULTS: usize = 4;
/// Submissions of a trial, of which the fastest counts; a first one is for the driver.
const ROUNDS: usize = 4;

/// Ways to memory that may be the fastest for chains that memory alone limits.
const LIGHT: [(MemoryAccess, u32); 4] = [
    (MemoryAccess::Direct, 128),
    (MemoryAccess::Staged, 128),
    (MemoryAccess::Staged, 64),
    (MemoryAccess::Staged, 32),
];
/// Likewise, for chains with products.
const HEAVY: [(MemoryAccess, u32); 4] = [
    (MemoryAccess::Direct, 128),
    (MemoryAccess::StagedStores, 128),
    (MemoryAccess::StagedStores, 64),
    (MemoryAccess::StagedStores, 32),
];

/// Measures each kernel that the device can run, and chooses the fastest of those that
/// compute what they should. `engine` is that of `runner`, which it leaves with the
/// choice.
pub(crate) fn tune(engine: &VectorEngine, runner: &VulkanRunner) -> anyhow::Result<Choice> {
    let mut best = Choice::of(runner.caps());
    best.fp = fastest_arithmetic::<Fp>(engine, runner, best)?;
    best.fr = fastest_arithmetic::<Fr>(engine, runner, best)?;
    // Shared memory of a software device is memory like any other.
    if runner.caps().kind != DeviceKind::Software {
        let x = upload::<Fp>(engine, trial_elements(runner))?;
        let y = upload::<Fp>(engine, trial_elements(runner))?;
        best.light = fastest_layout(&LIGHT, |layout| {
            runner.choose(Choice {
                light: layout,
                ..best
            });
            time(engine, |queue| queue.add(&x, &y))
        })?
        .unwrap_or(best.light);
        best.heavy = fastest_layout(&HEAVY, |layout| {
            runner.choose(Choice {
                heavy: layout,
                ..best
            });
            time(engine, |queue| queue.mul(&x, &y))
        })?
        .unwrap_or(best.heavy);
    }
    tracing::info!(choice = ?best, "the fastest kernels");
    runner.choose(best);
    engine.trim();
    Ok(best)
}

fn fastest_layout(
    candidates: &[(MemoryAccess, u32)],
    mut time: impl FnMut(Layout) -> anyhow::Result<Duration>,
) -> anyhow::Result<Option<Layout>> {
    let mut best: Option<(Layout, Duration)> = None;
    for &(access, group_size) in candidates {
        let layout = Layout { access, group_size };
        let time = time(layout)?;
        tracing::debug!(?layout, ?time, "measured");
        if best.is_none_or(|(_, fastest)| time < fastest) {
            best = Some((layout, time));
        }
    }
    Ok(best.map(|(layout, _)| layout))
}

/// Whether the device multiplies as the CPU does, over all pairs of edge elements of
/// both fields. A device whose `fma` rounds twice does not, on its double units.
pub(crate) fn multiplies_right(engine: &VectorEngine) -> anyhow::Result<bool> {
    Ok(agrees::<Fp>(engine)? && agrees::<Fr>(engine)?)
}

fn fastest_arithmetic<F: Field>(
    engine: &VectorEngine,
    runner: &VulkanRunner,
    base: Choice,
) -> anyhow::Result<Arithmetic> {
    let x = upload::<F>(engine, trial_elements(runner))?;
    let y = upload::<F>(engine, trial_elements(runner))?;
    let mut best: Option<(Arithmetic, Duration)> = None;
    for arithmetic in Arithmetic::ALL {
        if !runs(runner.caps(), arithmetic) {
            continue;
        }
        runner.choose(Choice {
            fp: arithmetic,
            fr: arithmetic,
            ..base
        });
        if !agrees::<F>(engine)? {
            tracing::debug!(%arithmetic, field = F::NAME, "not used: it computes something else");
            continue;
        }
        let time = time(engine, |queue| queue.mul(&x, &y))?;
        tracing::debug!(%arithmetic, field = F::NAME, ?time, "measured");
        if best.is_none_or(|(_, fastest)| time < fastest) {
            best = Some((arithmetic, time));
        }
    }
    let best = best.ok_or_else(|| Error::WrongResults {
        device: runner.caps().name.clone(),
        operation: "mul",
    })?;
    Ok(best.0)
}

fn agrees<F: Field>(engine: &VectorEngine) -> anyhow::Result<bool> {
    let edges = edge_elements_of::<F>();
    let pairs = edges
        .iter()
        .flat_map(|x| edges.iter().map(move |y| (*x, *y)));
    let (x, y): (Vec<_>, Vec<_>) = pairs.unzip();
    let [a, b] = [&x, &y].map(|elements| engine.upload::<F>(F::words(elements)));
    let queue = engine.queue();
    let product = queue.mul(&a?, &b?)?;
    queue.submit()?.wait()?;
    let found = product.to_elements()?;
    let expected = x.iter().zip(&y).map(|(x, y)| arithmetic::mul::<F>(x, y));
    Ok(found.into_iter().eq(expected))
}

/// The time of one result, at its fastest.
fn time<F: Field>(
    engine: &VectorEngine,
    record: impl Fn(&Queue) -> anyhow::Result<FieldVec<F>>,
) -> anyhow::Result<Duration> {
    let mut fastest = Duration::MAX;
    for round in 0..=ROUNDS {
        let queue = engine.queue();
        queue.set_fusion(false);
        let results: Vec<_> = (0..RESULTS)
            .map(|_| record(&queue))
            .collect::<Result<_, _>>()?;
        let done = queue.submit()?.wait()?;
        drop(results);
        let report = done.report();
        let time = report.device_time.unwrap_or(report.total);
        if round > 0 {
            fastest = fastest.min(time);
        }
    }
    Ok(fastest / u32::try_from(RESULTS)?)
}

fn upload<F: Field>(engine: &VectorEngine, elements: usize) -> anyhow::Result<FieldVec<F>> {
    // What is multiplied makes no difference to integers; the edges have all kinds of
    // limbs.
    let edges = edge_elements_of::<F>();
    let elements: Vec<F::Limbs> = edges.iter().copied().cycle().take(elements).collect();
    engine.upload::<F>(F::words(&elements))
}

fn trial_elements(runner: &VulkanRunner) -> usize {
    match runner.caps().kind {
        DeviceKind::Software => ELEMENTS_OF_SOFTWARE,
        _ => ELEMENTS,
    }
}
