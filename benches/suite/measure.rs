//! One benchmark: a call that is timed, and its result checked.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Throughput};
use gpu_executor_benches::Jobs;

/// Measures `call` on `jobs` as `function`/elements and checks its results:
/// the last of every sample, on the output of the timed call itself.
///
/// # Errors
/// The first error of `call` or `check`; what Criterion says of that
/// benchmark is then without meaning.
pub(crate) fn measure<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    function: &str,
    jobs: &Jobs,
    mut call: impl FnMut() -> anyhow::Result<T>,
    check: impl Fn(&T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    group.throughput(Throughput::Elements(jobs.total()));
    group.bench_function(BenchmarkId::new(function, jobs.elements()), |bencher| {
        bencher.iter_custom(|iterations| {
            // Criterion has no way to stop: after an error it is served fast.
            if outcome.is_err() {
                return Duration::from_micros(iterations);
            }
            match sample(iterations, &mut call, &check) {
                Ok(elapsed) => elapsed,
                Err(error) => {
                    outcome =
                        Err(error.context(format!("{function}, {} elements", jobs.elements())));
                    Duration::from_micros(iterations)
                }
            }
        });
    });
    outcome
}

fn sample<T>(
    iterations: u64,
    call: &mut impl FnMut() -> anyhow::Result<T>,
    check: impl Fn(&T) -> anyhow::Result<()>,
) -> anyhow::Result<Duration> {
    let mut last = None;
    let start = Instant::now();
    for _ in 0..iterations {
        // Freeing the result before belongs to what a caller pays.
        last = Some(black_box(call()?));
    }
    let elapsed = start.elapsed();
    last.as_ref().map_or(Ok(()), check)?;
    Ok(elapsed)
}
