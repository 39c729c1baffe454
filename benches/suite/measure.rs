//! One benchmark: a call that is timed, and its result checked.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use gpu_executor::{Batch, DeviceCaps, FieldAdd};
use gpu_executor_benches::{Jobs, Plan};
use rayon::prelude::*;

/// What every group works with.
pub(crate) struct Suite {
    pub(crate) criterion: Criterion,
    /// Those of the device that all backends are on.
    pub(crate) caps: DeviceCaps,
    pub(crate) plan: Plan,
}

impl Suite {
    /// The group `name`, and the plan.
    pub(crate) fn group(&mut self, name: &'static str) -> (Group<'_>, &Plan) {
        let group = Group {
            name,
            group: self.criterion.benchmark_group(name),
        };
        (group, &self.plan)
    }
}

/// A group whose benchmarks are measured one after the other.
pub(crate) struct Group<'a> {
    name: &'static str,
    group: BenchmarkGroup<'a, WallTime>,
}

impl Group<'_> {
    /// Measures `call` on `jobs`, which returns results in new memory, as
    /// `function`/elements and checks its results: the last of every sample,
    /// on the output of the timed call itself.
    pub(crate) fn fresh<T>(
        &mut self,
        function: &str,
        jobs: &Jobs,
        mut call: impl FnMut() -> anyhow::Result<T>,
        check: impl Fn(&T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.timed(function, jobs.elements(), jobs.total(), |iterations| {
            let mut last = None;
            let start = Instant::now();
            for _ in 0..iterations {
                // Freeing the result before belongs to what a caller pays.
                last = Some(black_box(call()?));
            }
            let elapsed = start.elapsed();
            last.as_ref().map_or(Ok(()), &check)?;
            Ok(elapsed)
        })
    }

    /// As [`Self::fresh`], of a `call` that writes to the same `results` every
    /// time. They are overwritten before every sample, so that what is
    /// checked was written in it.
    pub(crate) fn reused<T: Copy + Default + Send + Sync>(
        &mut self,
        function: &str,
        jobs: &Jobs,
        results: &mut [Vec<T>],
        mut call: impl FnMut(&mut [Vec<T>]) -> anyhow::Result<()>,
        check: impl Fn(&[Vec<T>]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.timed(function, jobs.elements(), jobs.total(), |iterations| {
            for result in &mut *results {
                result
                    .par_iter_mut()
                    .for_each(|place| *place = T::default());
            }
            let start = Instant::now();
            for _ in 0..iterations {
                call(black_box(results))?;
            }
            let elapsed = start.elapsed();
            check(results)?;
            Ok(elapsed)
        })
    }

    /// Measures `batch`, which is `jobs`, on an engine: into new vectors, and into slices that
    /// are used again.
    pub(crate) fn calls(
        &mut self,
        function: &str,
        jobs: &Jobs,
        engine: &mut impl FieldAdd,
        batch: &Batch<'_>,
    ) -> anyhow::Result<()> {
        let call = || Ok(engine.run(batch, None)?);
        self.fresh(function, jobs, call, |out| jobs.check(out))?;
        self.calls_into(function, jobs, engine, batch)
    }

    /// Likewise, into slices that are used again alone.
    pub(crate) fn calls_into(
        &mut self,
        function: &str,
        jobs: &Jobs,
        engine: &mut impl FieldAdd,
        batch: &Batch<'_>,
    ) -> anyhow::Result<()> {
        let call = |results: &mut [Vec<u64>]| {
            engine.run(batch, Some(&mut as_slices(results)))?;
            Ok(())
        };
        let (name, mut results) = (reused(function), jobs.results());
        self.reused(&name, jobs, &mut results, call, |out| jobs.check(out))
    }

    /// Measures `function`/`elements`, `total` elements at a time, by what
    /// `sample` says that a number of iterations took.
    ///
    /// # Errors
    /// The first error of `sample`; what Criterion says of that benchmark is
    /// then without meaning.
    pub(crate) fn timed(
        &mut self,
        function: &str,
        elements: usize,
        total: u64,
        mut sample: impl FnMut(u64) -> anyhow::Result<Duration>,
    ) -> anyhow::Result<()> {
        let name = format!("{}/{function}/{elements}", self.name);
        let mut outcome = Ok(());
        self.group.throughput(Throughput::Elements(total));
        let id = BenchmarkId::new(function, elements);
        self.group.bench_function(id, |bencher| {
            bencher.iter_custom(|iterations| {
                // Criterion has no way to stop: after an error it is served fast.
                let served = Duration::from_micros(iterations);
                if outcome.is_err() {
                    return served;
                }
                sample(iterations).unwrap_or_else(|error| {
                    outcome = Err(error.context(name.clone()));
                    served
                })
            });
        });
        outcome
    }

    /// Passes over a benchmark that cannot run here, and says so.
    pub(crate) fn pass_over(&self, function: &str, elements: usize, why: &anyhow::Error) {
        let name = self.name;
        eprintln!("{name}/{function}/{elements} is not measured: {why}");
    }
}

/// The name of a benchmark that writes to the same slices every time; the
/// report finds it by this.
pub(crate) fn reused(name: &str) -> String {
    format!("{name}, reused")
}

/// `results` as the library takes them.
pub(crate) fn as_slices(results: &mut [Vec<u64>]) -> Vec<&mut [u64]> {
    results.iter_mut().map(Vec::as_mut_slice).collect()
}
