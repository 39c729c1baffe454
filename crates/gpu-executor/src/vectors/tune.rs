//! Which kernels are fastest on a device: looked at once, and kept.

use std::time::Duration;

use field_kernels::chain::MemoryAccess;
use field_kernels::edge::edge_elements_of;
use field_kernels::{Arithmetic, Field, Fp, Fr, arithmetic};
use serde::{Deserialize, Serialize};
use vk_core::DeviceKind;

use super::VectorEngine;
use super::field_vec::FieldVec;
use super::queue::Queue;
use super::vulkan::{Choice, VulkanRunner, runs};
use crate::Error;
use crate::calibration::Kept;

/// Elements of a trial: enough to fill a device.
const ELEMENTS: usize = 1 << 20;
/// Likewise, of a software device.
const ELEMENTS_OF_SOFTWARE: usize = 1 << 12;
/// Results of one submission, so that its own cost hardly counts.
const RESULTS: usize = 4;
/// Submissions of a trial, of which the fastest counts; a first one is for the driver.
const ROUNDS: usize = 4;

/// What was measured, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VectorFindings {
    fp: Name,
    fr: Name,
    light: Way,
    heavy: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    U32,
    U64,
    F64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Direct,
    Staged,
}

impl Kept for VectorFindings {
    const STEM: &'static str = "vectors";

    fn is_whole(&self) -> bool {
        true
    }
}

impl VectorFindings {
    pub(crate) fn of(choice: Choice) -> Self {
        let name = |arithmetic| match arithmetic {
            Arithmetic::U32 => Name::U32,
            Arithmetic::U64 => Name::U64,
            Arithmetic::F64 => Name::F64,
        };
        let way = |access| match access {
            MemoryAccess::Direct => Way::Direct,
            MemoryAccess::Staged => Way::Staged,
        };
        Self {
            fp: name(choice.fp),
            fr: name(choice.fr),
            light: way(choice.light),
            heavy: way(choice.heavy),
        }
    }

    pub(crate) fn choice(self) -> Choice {
        let arithmetic = |name| match name {
            Name::U32 => Arithmetic::U32,
            Name::U64 => Arithmetic::U64,
            Name::F64 => Arithmetic::F64,
        };
        let access = |way| match way {
            Way::Direct => MemoryAccess::Direct,
            Way::Staged => MemoryAccess::Staged,
        };
        Choice {
            fp: arithmetic(self.fp),
            fr: arithmetic(self.fr),
            light: access(self.light),
            heavy: access(self.heavy),
        }
    }
}

/// Measures each kernel that the device can run, and chooses the fastest of those that
/// compute what they should. `engine` is that of `runner`, which it leaves with the
/// choice.
pub(crate) fn tune(engine: &VectorEngine, runner: &VulkanRunner) -> anyhow::Result<Choice> {
    let mut best = Choice::of(runner.caps());
    best.fp = fastest_arithmetic::<Fp>(engine, runner, best)?;
    best.fr = fastest_arithmetic::<Fr>(engine, runner, best)?;
    let x = upload::<Fp>(engine, trial_elements(runner))?;
    let mut times = Vec::new();
    for access in [MemoryAccess::Direct, MemoryAccess::Staged] {
        runner.choose(Choice {
            light: access,
            heavy: access,
            ..best
        });
        let light = time(engine, |queue| queue.add(&x, &x))?;
        let heavy = time(engine, |queue| queue.mul(&x, &x))?;
        times.push((access, light, heavy));
    }
    let fastest = |of: fn(&(MemoryAccess, Duration, Duration)) -> Duration| {
        times.iter().min_by_key(|row| of(row)).map(|row| row.0)
    };
    best.light = fastest(|row| row.1).unwrap_or(best.light);
    best.heavy = fastest(|row| row.2).unwrap_or(best.heavy);
    runner.choose(best);
    engine.trim();
    Ok(best)
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
        let time = time(engine, |queue| queue.mul(&x, &x))?;
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
