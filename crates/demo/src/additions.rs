//! Additions from host memory to host memory, by the documented calls.

use anyhow::{Context, Result, ensure};
use field_kernels::{ElementType, Fp, reference};
use gpu_executor::cpu::CpuEngine;
use gpu_executor::{Batch, Executor, FieldAdd, RunReport};

use crate::elements::{check, elements};
use crate::table::{Row, place, row};

/// Adds the same `jobs` of `count` elements one after the other, with the device's own
/// memory asked for, overlapped, and on the CPU.
///
/// # Errors
/// Those of the engines, and the first element that is not the reference's.
pub(crate) fn run(executor: &mut Executor, jobs: usize, count: usize) -> Result<Vec<Row>> {
    let seeds = 0..jobs as u64;
    let operands: Vec<_> = seeds
        .map(|job| [2 * job, 2 * job + 1].map(|seed| elements::<Fp>(count, seed)))
        .collect();
    let expected: Vec<Vec<_>> = operands
        .iter()
        .map(|[a, b]| a.iter().zip(b).map(|(a, b)| reference::add(a, b)).collect())
        .collect();
    let pairs: Vec<(&[u64], &[u64])> = operands
        .iter()
        .map(|[a, b]| (a.as_flattened(), b.as_flattened()))
        .collect();
    let overlapped = Batch::new(&pairs, count);
    let mut cpu = CpuEngine::new()?;
    let mut rows = Vec::new();
    for (what, batch) in [
        ("one after the other", overlapped.sequential(false)),
        ("in the device's own memory", overlapped.sequential(true)),
        ("overlapped", overlapped),
    ] {
        // Memory and pipeline are made by the first run.
        executor.run(&batch, None)?;
        let sums = executor.run(&batch, None)?;
        let report = executor.last_report();
        let row = checked(what, &sums, &expected, report)?;
        // On the CPU engine each way is the last one.
        rows.extend(report.and_then(|report| report.path).map(|_| row));
    }
    let sums = cpu.run(&overlapped, None)?;
    rows.push(checked(
        "by the CPU engine",
        &sums,
        &expected,
        cpu.last_report(),
    )?);
    Ok(rows)
}

/// The row of a run, once all its sums are the reference's.
fn checked(
    what: &str,
    sums: &[Vec<u64>],
    expected: &[Vec<<Fp as ElementType>::Limbs>],
    report: Option<&RunReport>,
) -> Result<Row> {
    let (found, jobs) = (sums.len(), expected.len());
    ensure!(
        found == jobs,
        "{what}: expected {jobs} results, found {found}"
    );
    for (job, (found, expected)) in sums.iter().zip(expected).enumerate() {
        check::<Fp>(found.as_chunks().0, expected, &format!("{what}, job {job}"))?;
    }
    let report = report.context("a run without a report")?;
    let (elements, place) = (report.elements, place(&report.engine, report.path));
    Ok(row(what, &place, elements, report.total, elements))
}
