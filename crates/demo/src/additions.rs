//! Additions from host memory to host memory, by the documented calls.

use anyhow::{Context, Result, ensure};
use field_kernels::edge::random_elements;
use field_kernels::{Fp, arithmetic};
use gpu_executor::cpu::CpuEngine;
use gpu_executor::{Batch, Engine, Executor, FieldAdd, RunReport};

use crate::print;

/// Adds the same `jobs` of `count` elements one after the other, with the device's own
/// memory asked for, overlapped, and on the CPU.
pub(crate) fn run(executor: &mut Executor, jobs: usize, count: usize) -> Result<()> {
    let operands = (0..2 * jobs as u64).map(|seed| random_elements::<Fp>(count, seed));
    let operands: Vec<_> = operands.collect();
    let pairs = operands.chunks(2).map(|pair| (&pair[0], &pair[1]));
    let sums = |(a, b): (&Vec<_>, &Vec<_>)| -> Vec<u64> {
        let pairs = a.iter().zip(b);
        pairs
            .flat_map(|(a, b)| arithmetic::add::<Fp>(a, b))
            .collect()
    };
    let expected: Vec<_> = pairs.clone().map(sums).collect();
    let pairs = pairs.map(|(a, b)| (a.as_flattened(), b.as_flattened()));
    let pairs: Vec<_> = pairs.collect();
    let overlapped = Batch::new(&pairs, count);
    for (what, batch) in [
        ("one after the other", overlapped.sequential(false)),
        ("in the device's own memory", overlapped.sequential(true)),
        ("overlapped", overlapped),
    ] {
        // Memory and pipeline are made by the first run.
        executor.run(&batch, None)?;
        let sums = executor.run(&batch, None)?;
        ensure!(sums == expected, "{what}: other sums than the reference's");
        // On the CPU engine each way is the last one.
        if let Some(report) = executor
            .last_report()
            .filter(|report| report.path.is_some())
        {
            print_report(what, report);
        }
    }
    let mut cpu = CpuEngine::new()?;
    let sums = cpu.run(&overlapped, None)?;
    ensure!(sums == expected, "CPU: other sums than the reference's");
    print_report("by the CPU engine", cpu.last_report().context("no report")?);
    Ok(())
}

fn print_report(what: &str, report: &RunReport) {
    let place = match (&report.engine, report.path) {
        (Engine::Vulkan { .. }, Some(path)) => format!("Vulkan, {path}"),
        (other, _) => other.to_string(),
    };
    print(what, &place, report.elements, report.total);
}
