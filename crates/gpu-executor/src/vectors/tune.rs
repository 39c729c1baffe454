//! Which kernels are fastest on a device: looked at once, and kept.

use std::time::{Duration, Instant};

use field_kernels::chain::{Layout, MemoryAccess};
use field_kernels::edge::edge_elements_of;
use field_kernels::{Arithmetic, Field, Fp, Fr, arithmetic};
use vk_core::DeviceKind;

use super::VectorEngine;
use super::field_vec::FieldVec;
use super::queue::Queue;
use super::vulkan::{Choice, FieldChoice, VulkanRunner, runs};
use crate::Error;

/// Elements of a trial: more than a device's caches hold.
const ELEMENTS: usize = 1 << 21;
/// Likewise, of a software device.
const ELEMENTS_OF_SOFTWARE: usize = 1 << 12;
/// Results of one submission, so that its own cost hardly counts.
const RESULTS: usize = 4;
/// How long a trial of a way to memory takes.
const BRIEF: Duration = Duration::from_millis(15);
/// How long one of an arithmetic takes: a device that was idle is slow at first, and
/// some are slower again once they have been at work for a while.
const LONG: Duration = Duration::from_millis(100);

/// Ways to memory that may be the fastest.
const LAYOUTS: [(MemoryAccess, u32); 6] = [
    (MemoryAccess::Direct, 128),
    (MemoryAccess::Direct, 64),
    (MemoryAccess::Direct, 32),
    (MemoryAccess::StagedStores, 128),
    (MemoryAccess::StagedStores, 64),
    (MemoryAccess::StagedStores, 32),
];

/// Measures each kernel that the device can run, and chooses the fastest of those that
/// compute what they should. `engine` is that of `runner`, which it leaves with the
/// choice.
pub(crate) fn tune(engine: &VectorEngine, runner: &VulkanRunner) -> anyhow::Result<Choice> {
    let mut best = Choice::of(runner.caps());
    tune_field::<Fp>(engine, runner, &mut best)?;
    engine.trim();
    tune_field::<Fr>(engine, runner, &mut best)?;
    engine.trim();
    tracing::info!(choice = ?best, "the fastest kernels");
    Ok(best)
}

/// Whether a device that could not be measured cannot be used either: where it was
/// lost, and where no arithmetic is right on it.
pub(crate) fn is_fatal(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(
            Error::WrongResults { .. }
                | Error::Vulkan(vk_core::Error::DeviceLost { .. } | vk_core::Error::Timeout { .. })
        )
    )
}

fn tune_field<F: Field>(
    engine: &VectorEngine,
    runner: &VulkanRunner,
    best: &mut Choice,
) -> anyhow::Result<()> {
    let trial = Trial::<F>::new(engine, runner)?;
    let arithmetics = Arithmetic::ALL.into_iter();
    let arithmetics: Vec<_> = arithmetics.filter(|it| runs(runner.caps(), *it)).collect();
    let set = |choice: &mut FieldChoice, it| choice.arithmetic = it;
    let arithmetic = trial.fastest(best, &arithmetics, set, |trial| {
        match agrees::<F>(engine)? {
            true => trial.time(LONG, |queue, x, y| queue.mul(x, y)).map(Some),
            false => Ok(None),
        }
    })?;
    let arithmetic = arithmetic.ok_or_else(|| Error::WrongResults {
        device: runner.caps().name.clone(),
        operation: "mul",
    })?;
    best.field(F::ID).arithmetic = arithmetic;
    // Shared memory of a software device is memory like any other.
    if runner.caps().kind != DeviceKind::Software {
        let layouts = LAYOUTS.map(|(access, group_size)| Layout { access, group_size });
        let set = |choice: &mut FieldChoice, it| choice.light = it;
        let light = trial.fastest(best, &layouts, set, |trial| {
            let two = trial.time(BRIEF, |queue, x, y| queue.add(x, y))?;
            let one = trial.time(BRIEF, |queue, x, _| queue.neg(x))?;
            Ok(Some(two + one))
        })?;
        best.field(F::ID).light = light.unwrap_or(best.field(F::ID).light);
        let set = |choice: &mut FieldChoice, it| choice.heavy = it;
        let heavy = trial.fastest(best, &layouts, set, |trial| {
            let mul = trial.time(BRIEF, |queue, x, y| queue.mul(x, y));
            mul.map(Some)
        })?;
        best.field(F::ID).heavy = heavy.unwrap_or(best.field(F::ID).heavy);
    }
    runner.choose(*best);
    Ok(())
}

/// How an operation on both vectors is recorded.
type Record<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> anyhow::Result<FieldVec<F>>;

/// Two vectors to measure on.
struct Trial<'e, F: Field> {
    engine: &'e VectorEngine,
    runner: &'e VulkanRunner,
    x: FieldVec<F>,
    y: FieldVec<F>,
}

impl<'e, F: Field> Trial<'e, F> {
    fn new(engine: &'e VectorEngine, runner: &'e VulkanRunner) -> anyhow::Result<Self> {
        let count = match runner.caps().kind {
            DeviceKind::Software => ELEMENTS_OF_SOFTWARE,
            _ => ELEMENTS,
        };
        // Edge elements have all kinds of limbs.
        let edges = edge_elements_of::<F>();
        let elements: Vec<F::Limbs> = edges.iter().copied().cycle().take(count).collect();
        Ok(Self {
            engine,
            runner,
            x: engine.upload::<F>(F::words(&elements))?,
            y: engine.upload::<F>(F::words(&elements))?,
        })
    }

    /// The candidate that takes the least time; none where all are out of the question.
    fn fastest<T: Copy + std::fmt::Debug>(
        &self,
        base: &Choice,
        candidates: &[T],
        set: impl Fn(&mut FieldChoice, T),
        time: impl Fn(&Self) -> anyhow::Result<Option<Duration>>,
    ) -> anyhow::Result<Option<T>> {
        let mut best: Option<(T, Duration)> = None;
        for candidate in candidates {
            let mut choice = *base;
            set(choice.field(F::ID), *candidate);
            self.runner.choose(choice);
            let time = time(self)?;
            tracing::debug!(?candidate, field = F::NAME, ?time, "measured");
            let Some(time) = time else { continue };
            if best.is_none_or(|(_, fastest)| time < fastest) {
                best = Some((*candidate, time));
            }
        }
        Ok(best.map(|(candidate, _)| candidate))
    }

    /// The time of one result, at the end of a trial of `length`: the median of the
    /// second half of the submissions.
    fn time(&self, length: Duration, record: Record<F>) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let mut times = Vec::new();
        // The first one is for the driver.
        self.submit(record)?;
        while times.is_empty() || begun.elapsed() < length {
            times.push(self.submit(record)?);
        }
        let later = times.len() / 2;
        let later = &mut times[later..];
        later.sort_unstable();
        Ok(later[later.len() / 2] / u32::try_from(RESULTS)?)
    }

    fn submit(&self, record: Record<F>) -> anyhow::Result<Duration> {
        let queue = self.engine.queue();
        queue.set_fusion(false);
        let record = |_| record(&queue, &self.x, &self.y);
        let results: Vec<_> = (0..RESULTS).map(record).collect::<Result<_, _>>()?;
        let done = queue.submit()?.wait()?;
        drop(results);
        let report = done.report();
        Ok(report.device_time.unwrap_or(report.total))
    }
}

/// Whether the device multiplies as the CPU does, over all pairs of edge elements of
/// both fields. A device whose `fma` rounds twice does not, on its double units.
pub(crate) fn multiplies_right(engine: &VectorEngine) -> anyhow::Result<bool> {
    Ok(agrees::<Fp>(engine)? && agrees::<Fr>(engine)?)
}

fn agrees<F: Field>(engine: &VectorEngine) -> anyhow::Result<bool> {
    let edges = edge_elements_of::<F>();
    let pairs = edges
        .iter()
        .flat_map(|x| edges.iter().map(move |y| (*x, *y)));
    let (x, y): (Vec<_>, Vec<_>) = pairs.unzip();
    let [a, b] = [&x, &y].map(|elements| engine.upload::<F>(F::words(elements)));
    let (a, b) = (a?, b?);
    let queue = engine.queue();
    let (products, squares) = (queue.mul(&a, &b)?, queue.square(&a)?);
    let sum = queue.inner_product(&a, &b)?;
    queue.submit()?.wait()?;
    let pairs = x.iter().zip(&y);
    let expected: Vec<_> = pairs.map(|(x, y)| arithmetic::mul::<F>(x, y)).collect();
    let squared: Vec<_> = x.iter().map(arithmetic::square::<F>).collect();
    let add = |sum, product: &F::Limbs| arithmetic::add::<F>(&sum, product);
    let total = expected.iter().fold(F::Limbs::default(), add);
    Ok(products.to_elements()? == expected
        && squares.to_elements()? == squared
        && sum.to_elements()? == [total])
}
