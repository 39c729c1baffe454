//! One pipelined run on each path, stage by stage, for the report to draw.

use std::time::Duration;

use anyhow::Context;
use gpu_executor::FieldAdd;
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Calibration, DeviceKind, PathChoice, RunReport, Span, StageKind, TransferPath};
use gpu_executor_benches::Jobs;
use serde_json::{Value, json};

use crate::device;
use crate::measure::{Suite, as_slices};

const JOBS: usize = 4;
/// Elements of a chunk: the jobs are many times as many, so that every slot
/// is used again.
const CHUNK: usize = 1 << 14;
/// Paths with the least and with the most stages.
const PATHS: [TransferPath; 2] = [TransferPath::HostVisible, TransferPath::DeviceLocal];

/// Runs the jobs and writes when each chunk was in each stage as
/// `timeline.json` into Criterion's output folder, where `CRITERION_HOME`
/// names one; times in milliseconds since the start of the run.
pub(crate) fn write_down(suite: &Suite) -> anyhow::Result<()> {
    if std::env::var_os("CRITERION_HOME").is_none() {
        return Ok(());
    }
    let jobs = Jobs::random(JOBS, suite.plan.timeline_elements);
    // Left to itself the library lets nothing overlap on a software device.
    let forced = suite.caps.kind == DeviceKind::Software;
    let runs = PATHS.map(|path| {
        let mut run = run(&jobs, builder(path, forced).build()?)?;
        run["forced"] = forced.into();
        anyhow::Ok(run)
    });
    let runs: Vec<Value> = runs.into_iter().collect::<Result<_, _>>()?;
    device::write("timeline.json", &runs.into())
}

fn builder(path: TransferPath, forced: bool) -> Builder<PersistentVulkanBackend> {
    let builder = PersistentVulkanBackend::builder()
        .path(PathChoice::Fixed(path))
        .calibration(Calibration::Off)
        .chunk_elements(CHUNK)
        .timestamps(true);
    match forced {
        true => builder.depth(4),
        false => builder,
    }
}

/// The second run: the first one makes what the others find made.
fn run(jobs: &Jobs, mut backend: PersistentVulkanBackend) -> anyhow::Result<Value> {
    let slices = jobs.as_slices();
    for _ in 0..2 {
        let mut results = jobs.results();
        backend.field_add_batch_into(&slices, jobs.elements(), &mut as_slices(&mut results))?;
        jobs.check(&results)?;
    }
    let report = backend.last_report().context("a run left no report")?;
    Ok(described(report))
}

fn described(report: &RunReport) -> Value {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let span = |span: &Span| {
        json!({
            "slot": span.slot,
            "chunk": span.chunk,
            "stage": name(span.stage),
            "start_ms": milliseconds(span.start),
            "end_ms": milliseconds(span.end),
        })
    };
    json!({
        "path": report.path.map(|path| path.to_string()),
        "jobs": report.jobs,
        "elements": report.elements,
        "chunks": report.chunks,
        "chunk": report.chunk,
        "total_ms": milliseconds(report.total),
        "overlap": report.overlap,
        "spans": report.timeline.iter().map(span).collect::<Vec<_>>(),
    })
}

fn name(stage: StageKind) -> &'static str {
    match stage {
        StageKind::CopyIn => "copy in",
        StageKind::Upload => "upload",
        StageKind::Kernel => "kernel",
        StageKind::Download => "download",
        StageKind::CopyOut => "copy out",
    }
}
