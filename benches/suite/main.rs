//! The Criterion suite: what a call costs, path by path and size by size,
//! and the limits beside which that is judged.
//!
//! Outputs of timed calls are compared with the CPU reference, outside the
//! timed region; the first wrong one ends the run.
#![allow(
    clippy::print_stderr,
    reason = "a command-line program; the lint is for libraries"
)]

mod auto;
mod backends;
mod batch;
mod check;
mod clocks;
mod copies;
mod cpu;
mod device;
mod host_buffers;
mod kernel;
mod limits;
mod measure;
mod operations;
mod overhead;
mod paths;
mod peers;
mod resident;
mod startup;
mod timed;
mod timeline;
mod vectors;

use criterion::Criterion;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_benches::Plan;

use measure::Suite;

/// Runs the benchmarks of a group.
type Bench = fn(&mut Suite) -> anyhow::Result<()>;

/// Each group by its name.
const GROUPS: [(&str, Bench); 10] = [
    ("overhead", overhead::bench),
    ("kernel", kernel::bench),
    ("paths", paths::bench),
    ("batch", batch::bench),
    ("check", check::bench),
    ("vectors", vectors::bench),
    ("device", vectors::bench_by_device),
    // Products heat the device, and here it rests.
    ("cpu", cpu::bench),
    ("peers", peers::bench),
    // The longest.
    ("auto", auto::bench),
];

fn main() -> anyhow::Result<()> {
    if startup::is_child() {
        return startup::child();
    }
    let plan = Plan::from_environment();
    let criterion = Criterion::default()
        .sample_size(plan.samples)
        .warm_up_time(plan.warm_up)
        .measurement_time(plan.measurement)
        // The record has its own plots; Criterion's take longer than the samples.
        .without_plots()
        .nresamples(10_000)
        .configure_from_args();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let groups: Vec<_> = GROUPS
        .iter()
        .filter(|(name, _)| wanted(name, &arguments))
        .collect();
    let mut suite = Suite {
        criterion,
        caps: PersistentVulkanBackend::new()?.device().clone(),
        plan,
    };
    device::write_down(&suite)?;
    limits::write_down(&suite.plan)?;
    timeline::write_down(&suite)?;
    for (_, bench) in groups {
        bench(&mut suite)?;
    }
    suite.criterion.final_summary();
    Ok(())
}

/// Whether `group` may hold what the filter among `arguments` asks for: all
/// do, unless it begins with the name of another one. Criterion would pass
/// over the others' benchmarks, but not over making their inputs.
fn wanted(group: &str, arguments: &[String]) -> bool {
    let named = |name: &str| {
        let mut filters = arguments.iter().filter(|a| !a.starts_with('-'));
        filters.any(|filter| filter.starts_with(name))
    };
    named(group) || !GROUPS.iter().any(|(name, _)| named(name))
}
