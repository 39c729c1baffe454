//! Which kernels are fastest on a device, measured, and whether they are right.

use std::sync::Arc;
use std::time::{Duration, Instant};

use field_kernels::chain::{Layout, MemoryAccess};
use field_kernels::edge::edge_elements;
use field_kernels::{Arithmetic, Field, PRIME_FIELDS, arithmetic};
use vk_core::DeviceKind;

use super::VectorEngine;
use super::field_vec::FieldVec;
use super::fields::with_field;
use super::queue::Queue;
use super::vulkan::{Choice, FieldChoice, VulkanRunner, runs};
use crate::{Error, Inputs};

/// Elements of a trial: more than a device's caches hold.
const ELEMENTS: usize = 1 << 22;
/// Likewise, of a software device.
const ELEMENTS_OF_SOFTWARE: usize = 1 << 12;
/// How long candidates are compared: a device that was idle is slow at first, and takes
/// some 200 ms of work to be at its fastest. The first half does not count.
const LENGTH: Duration = Duration::from_millis(450);
/// Likewise, of a software device, which has no clocks to raise.
const LENGTH_OF_SOFTWARE: Duration = Duration::from_millis(100);

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
/// compute what they should.
pub(crate) fn tune(trial: &Arc<VulkanRunner>) -> crate::Result<Choice> {
    let mut best = Choice::of(trial.caps());
    let engine = VectorEngine::on(Arc::clone(trial) as _, Inputs::Any);
    for field in PRIME_FIELDS {
        with_field!(field, F => tune_field::<F>(&engine, trial, &mut best))?;
        engine.trim();
    }
    tracing::info!(choice = ?best, "the fastest kernels");
    Ok(best)
}

fn tune_field<F: Field>(
    engine: &VectorEngine,
    runner: &VulkanRunner,
    best: &mut Choice,
) -> crate::Result<()> {
    let measure = Measure::<F>::new(engine, runner)?;
    best.field(F::ID).arithmetic = measure.arithmetic(best)?;
    // Shared memory of a software device is memory like any other.
    if runner.caps().kind != DeviceKind::Software {
        best.field(F::ID).light = measure.light(best)?;
        best.field(F::ID).heavy = measure.heavy(best)?;
    }
    Ok(())
}

/// How an operation on both vectors is recorded.
type Record<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> crate::Result<FieldVec<F>>;

/// Two vectors to measure on.
struct Measure<'e, F: Field> {
    engine: &'e VectorEngine,
    runner: &'e VulkanRunner,
    x: FieldVec<F>,
    y: FieldVec<F>,
}

impl<'e, F: Field> Measure<'e, F> {
    fn new(engine: &'e VectorEngine, runner: &'e VulkanRunner) -> crate::Result<Self> {
        let count = match runner.caps().kind {
            DeviceKind::Software => ELEMENTS_OF_SOFTWARE,
            _ => ELEMENTS,
        };
        // Edge elements have all kinds of limbs.
        let edges = edge_elements::<F>();
        let elements: Vec<F::Limbs> = edges.iter().copied().cycle().take(count).collect();
        Ok(Self {
            engine,
            runner,
            x: uploaded::<F>(engine, &elements)?,
            y: uploaded::<F>(engine, &elements)?,
        })
    }

    /// The fastest arithmetic that is right: by products of two vectors, which memory may
    /// limit, and by the product of one's elements, which moves a third of the bytes. What
    /// else of it must be right is compiled for the fastest alone, if that is.
    fn arithmetic(&self, base: &Choice) -> crate::Result<Arithmetic> {
        let set = |choice: &mut FieldChoice, it| choice.arithmetic = it;
        let candidates = Arithmetic::ALL.into_iter();
        let candidates: Vec<_> = candidates
            .filter(|it| runs(self.runner.caps(), *it))
            .collect();
        let records: [Record<F>; 2] = [|q, x, y| q.mul(x, y), |q, x, _| q.product(x)];
        let times = self.times(base, &candidates, set, records)?;
        let mut timed: Vec<_> = candidates.into_iter().zip(times).collect();
        timed.sort_by_key(|(_, [mul, product])| *mul + *product);
        for (candidate, _) in timed {
            self.choose(base, candidate, set);
            if agrees::<F>(self.engine)? {
                return Ok(candidate);
            }
        }
        Err(Error::WrongResults {
            device: self.runner.caps().name.clone(),
            operation: "mul",
        })
    }

    /// The fastest way to memory of chains without products.
    fn light(&self, base: &Choice) -> crate::Result<Layout> {
        let set = |choice: &mut FieldChoice, it| choice.light = it;
        self.layout(base, set, [|q, x, y| q.add(x, y), |q, x, _| q.neg(x)])
    }

    /// That of chains with products: of one, which memory may limit, and of two.
    fn heavy(&self, base: &Choice) -> crate::Result<Layout> {
        let set = |choice: &mut FieldChoice, it| choice.heavy = it;
        self.layout(
            base,
            set,
            [|q, x, y| q.mul(x, y), |q, x, y| q.mul(&q.mul(x, y)?, y)],
        )
    }

    fn layout(
        &self,
        base: &Choice,
        set: impl Fn(&mut FieldChoice, Layout) + Copy,
        records: [Record<F>; 2],
    ) -> crate::Result<Layout> {
        let layouts = LAYOUTS.map(|(access, group_size)| Layout { access, group_size });
        let times = self.times(base, &layouts, set, records)?;
        let fastest = layouts
            .iter()
            .zip(times)
            .min_by_key(|(_, [one, other])| *one + *other);
        Ok(fastest.map_or(layouts[0], |(layout, _)| *layout))
    }

    fn choose<T>(&self, base: &Choice, candidate: T, set: impl Fn(&mut FieldChoice, T)) {
        let mut choice = *base;
        set(choice.field(F::ID), candidate);
        self.runner.choose(choice);
    }

    /// How long each candidate takes to each of `records`. They take turns, so that what
    /// a device's clocks do meanwhile is the same for all.
    fn times<T: Copy + std::fmt::Debug, const N: usize>(
        &self,
        base: &Choice,
        candidates: &[T],
        set: impl Fn(&mut FieldChoice, T) + Copy,
        records: [Record<F>; N],
    ) -> crate::Result<Vec<[Duration; N]>> {
        let length = match self.runner.caps().kind {
            DeviceKind::Software => LENGTH_OF_SOFTWARE,
            _ => LENGTH,
        };
        let mut begun = None;
        let mut times = vec![[(); N].map(|()| Vec::new()); candidates.len()];
        // The first turn is for the driver's compiler, and a device rests meanwhile.
        while begun.is_none_or(|begun: Instant| begun.elapsed() < length) {
            for (candidate, times) in candidates.iter().zip(&mut times) {
                self.choose(base, *candidate, set);
                for (record, times) in records.iter().zip(times) {
                    times.push(self.submit(*record)?);
                }
            }
            begun.get_or_insert_with(Instant::now);
        }
        let medians: Vec<_> = times.into_iter().map(|times| times.map(settled)).collect();
        for (candidate, times) in candidates.iter().zip(&medians) {
            tracing::debug!(?candidate, field = F::NAME, ?times, "measured");
        }
        Ok(medians)
    }

    fn submit(&self, record: Record<F>) -> crate::Result<Duration> {
        let queue = self.engine.queue();
        // Held: what nobody holds is not computed.
        let result = record(&queue, &self.x, &self.y)?;
        let done = queue.submit()?.wait()?;
        drop(result);
        let report = done.report();
        Ok(report.device_time.unwrap_or(report.total))
    }
}

/// The median of the second half.
fn settled(mut times: Vec<Duration>) -> Duration {
    let half = times.len() / 2;
    let later = &mut times[half..];
    later.sort_unstable();
    later[later.len() / 2]
}

/// Whether the device multiplies as the CPU does, over all pairs of edge elements and
/// some without a pattern, by the kernel of a single product; and how long that took to
/// make. A device whose `fma` rounds twice does not, on its double units.
pub(crate) fn multiplies_right<F: Field>(engine: &VectorEngine) -> crate::Result<(bool, Duration)> {
    let (x, y) = checked_pairs::<F>();
    let queue = engine.queue();
    let products = queue.mul(&uploaded::<F>(engine, &x)?, &uploaded::<F>(engine, &y)?)?;
    let done = queue.submit()?.wait()?;
    let right = products.download::<u64>()? == F::words(&products_of::<F>(&x, &y));
    Ok((right, done.report().compile))
}

fn uploaded<F: Field>(engine: &VectorEngine, elements: &[F::Limbs]) -> crate::Result<FieldVec<F>> {
    engine.upload::<F>(F::words(elements))
}

/// By the CPU.
fn products_of<F: Field>(x: &[F::Limbs], y: &[F::Limbs]) -> Vec<F::Limbs> {
    let pairs = x.iter().zip(y);
    pairs.map(|(x, y)| arithmetic::mul::<F>(x, y)).collect()
}

/// Pairs without a pattern, beside those of edge elements.
const WITHOUT_PATTERN: usize = 1_000;

fn checked_pairs<F: Field>() -> (Vec<F::Limbs>, Vec<F::Limbs>) {
    let (mut x, mut y) = edge_pairs::<F>();
    let (mut a, mut b) = (x[x.len() - 1], y[y.len() - 2]);
    for _ in 0..WITHOUT_PATTERN {
        let square = arithmetic::square::<F>(&b);
        (a, b) = (
            arithmetic::mul::<F>(&a, &b),
            arithmetic::add::<F>(&square, &a),
        );
        x.push(a);
        y.push(b);
    }
    (x, y)
}

/// Each edge element with each.
fn edge_pairs<F: Field>() -> (Vec<F::Limbs>, Vec<F::Limbs>) {
    let edges = edge_elements::<F>();
    let pairs = edges
        .iter()
        .flat_map(|x| edges.iter().map(move |y| (*x, *y)));
    pairs.unzip()
}

/// Whether products, squares and inner products of the device are the CPU's.
fn agrees<F: Field>(engine: &VectorEngine) -> crate::Result<bool> {
    let (x, y) = edge_pairs::<F>();
    let (a, b) = (uploaded::<F>(engine, &x)?, uploaded::<F>(engine, &y)?);
    let queue = engine.queue();
    let (products, squares) = (queue.mul(&a, &b)?, queue.square(&a)?);
    let sum = queue.inner_product(&a, &b)?;
    queue.submit()?.wait()?;
    let (expected, squared) = (products_of::<F>(&x, &y), products_of::<F>(&x, &x));
    let add = |sum, product: &F::Limbs| arithmetic::add::<F>(&sum, product);
    let total = expected.iter().fold(F::Limbs::default(), add);
    Ok(products.download::<u64>()? == F::words(&expected)
        && squares.download::<u64>()? == F::words(&squared)
        && sum.download::<u64>()? == total.as_ref())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use field_kernels::{Fp, Fr};

    use super::*;

    #[test]
    fn no_pair_without_a_pattern_comes_twice() {
        fn distinct<F: Field>() -> usize {
            let (x, y) = checked_pairs::<F>();
            let pairs = x.iter().zip(&y).rev().take(WITHOUT_PATTERN);
            let limbs = pairs.map(|(x, y)| [x.as_ref(), y.as_ref()].concat());
            limbs.collect::<BTreeSet<_>>().len()
        }
        assert_eq!(distinct::<Fp>(), WITHOUT_PATTERN);
        assert_eq!(distinct::<Fr>(), WITHOUT_PATTERN);
    }
}
