//! The Criterion suite: what a call costs, path by path and size by size.
//!
//! Outputs of timed calls are compared with the CPU reference, outside the
//! timed region; the first wrong one ends the run.

mod batch;
mod cpu;
mod device;
mod measure;
mod overhead;
mod paths;

use criterion::Criterion;
use gpu_executor_benches::Plan;

fn main() -> anyhow::Result<()> {
    let plan = Plan::from_environment();
    let mut criterion = Criterion::default()
        .sample_size(plan.samples)
        .warm_up_time(plan.warm_up)
        .measurement_time(plan.measurement)
        // The record has its own plot; Criterion's take longer than the samples.
        .without_plots()
        .nresamples(10_000)
        .configure_from_args();
    device::write_down()?;
    overhead::bench(&mut criterion)?;
    paths::bench(&mut criterion, &plan)?;
    batch::bench(&mut criterion, &plan)?;
    cpu::bench(&mut criterion, &plan)?;
    criterion.final_summary();
    Ok(())
}
