//! Several jobs in one call, one after the other against overlapped.

use gpu_executor::Batch;
use gpu_executor_benches::Jobs;

use crate::backends;
use crate::measure::Suite;

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut backend = backends::automatic()?;
    let (mut group, plan) = suite.group("batch");
    for &elements in &plan.batch_sizes {
        for &count in &plan.batch_jobs {
            let jobs = Jobs::random(count, elements);
            let slices = jobs.as_slices();
            let overlapped = Batch::new(&slices, elements);
            let sequential = overlapped.sequential(false);
            for (mode, batch) in [("sequential", sequential), ("pipelined", overlapped)] {
                group.calls(&name(mode, count), &jobs, &mut backend, &batch)?;
            }
        }
    }
    Ok(())
}

/// The name of a benchmark of `count` jobs; the report reads them from it.
pub(crate) fn name(mode: &str, count: usize) -> String {
    match count {
        1 => format!("{mode}, 1 job"),
        _ => format!("{mode}, {count} jobs"),
    }
}
