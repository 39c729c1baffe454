//! Pipelined against sequential batches: what overlapping the transfers and
//! kernels of several chunks saves.
//!
//! `cargo run --release --example bench_batch_pipelined -- --csv batch.csv`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::kernels::LIMBS;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Path, PathChoice};
use indicatif::ProgressBar;

use support::{Csv, borrowed, median_of, ms, random_jobs, ratio, throughput, verify};

#[derive(Parser)]
#[command(about = "Times pipelined against sequential batches")]
struct Options {
    /// Jobs per batch.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 3, 4, 8])]
    jobs: Vec<usize>,
    /// Elements per job.
    #[arg(long, value_delimiter = ',', default_values_t = [16_384, 65_536, 262_144, 1_048_576])]
    elements: Vec<usize>,
    /// Timed calls per figure; the median is shown.
    #[arg(long, default_value_t = 9)]
    samples: usize,
    /// Chunks in flight; the library's default otherwise.
    #[arg(long)]
    depth: Option<usize>,
    /// Elements per chunk at most; the library's default otherwise.
    #[arg(long)]
    chunk: Option<usize>,
    /// The path of the pipelined runs; the library's choice otherwise.
    #[arg(long, value_enum)]
    path: Option<PathOption>,
    /// Also write the figures to this file.
    #[arg(long)]
    csv: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum PathOption {
    HostVisible,
    DeviceLocal,
    Bar,
}

/// The backend whose pipelined runs are timed; the sequential ones, which
/// take their path from each call, run on a plain one.
fn tuned(options: &Options) -> Result<PersistentVulkanBackend> {
    let mut builder = PersistentVulkanBackend::builder();
    if let Some(depth) = options.depth {
        builder = builder.depth(depth);
    }
    if let Some(chunk) = options.chunk {
        builder = builder.chunk_elements(chunk);
    }
    if let Some(path) = options.path {
        builder = builder.path(PathChoice::Fixed(match path {
            PathOption::HostVisible => Path::HostVisible,
            PathOption::DeviceLocal => Path::DeviceLocal,
            PathOption::Bar => Path::Bar,
        }));
    }
    builder.build()
}

/// The median of pipelined runs into slices that every run uses again.
fn reused_results(
    options: &Options,
    backend: &mut PersistentVulkanBackend,
    spirv: &[u8],
    batch: &[(&[u64], &[u64])],
    expected: &[Vec<u64>],
) -> Result<Duration> {
    let mut results: Vec<Vec<u64>> = expected.iter().map(|job| vec![0; job.len()]).collect();
    let elements = expected.first().map_or(0, |job| job.len() / LIMBS);
    let mut times = Vec::with_capacity(options.samples);
    // The first one warms up.
    for _ in 0..=options.samples.max(1) {
        results.iter_mut().for_each(|result| result.fill(0));
        let mut slices: Vec<&mut [u64]> = results.iter_mut().map(Vec::as_mut_slice).collect();
        let start = Instant::now();
        backend.run_field_add_batch_pipelined_into(spirv, batch, elements, &mut slices)?;
        times.push(start.elapsed());
        verify(&results, expected, "into reused slices")?;
    }
    times.remove(0);
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut backend = PersistentVulkanBackend::new()?;
    let mut pipeline = tuned(&options)?;
    let caps = backend.device();
    let (device, driver) = (caps.name.clone(), caps.driver.clone());
    let spirv = backend.field_add_spirv();
    println!("{device} ({driver}); medians, every result verified");

    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "jobs",
        "elements",
        "sequential ms",
        "device-local ms",
        "pipelined ms",
        "sequential / pipelined",
        "pipelined throughput",
        "into reused slices ms",
        "its throughput",
        "pipelined path, chunks, depth",
    ]);
    let mut csv = Csv::new(
        "device,driver,jobs,elements,sequential_ms,sequential_device_local_ms,pipelined_ms,pipelined_into_ms,path,chunks,depth",
    );
    let points = options.jobs.len() * options.elements.len();
    let progress = ProgressBar::new(points as u64);
    for &elements in &options.elements {
        for &jobs in &options.jobs {
            let operands = random_jobs(jobs, elements);
            let batch = borrowed(&operands);
            let expected = CpuEngine::new()?.field_add_batch(&batch, elements)?;
            let mut time = |device_local, what| {
                median_of(options.samples, &expected, what, || {
                    backend.run_field_add_batch(spirv, &batch, elements, device_local)
                })
            };
            let sequential = time(false, "sequential")?;
            let device_local = time(true, "sequential, device-local")?;
            let pipelined = median_of(options.samples, &expected, "pipelined", || {
                pipeline.run_field_add_batch_pipelined(spirv, &batch, elements)
            })?;
            let reused = reused_results(&options, &mut pipeline, spirv, &batch, &expected)?;
            let shape = pipeline.last_report().map(|report| {
                let path = report.path.map_or("-".to_owned(), |path| path.to_string());
                [path, report.chunks.to_string(), report.depth.to_string()]
            });
            let shape = shape.unwrap_or_default();
            table.add_row([
                jobs.to_string(),
                elements.to_string(),
                ms(sequential),
                ms(device_local),
                ms(pipelined),
                ratio(sequential, pipelined),
                throughput(jobs * elements, pipelined),
                ms(reused),
                throughput(jobs * elements, reused),
                shape.join(", "),
            ]);
            let mut values = vec![device.clone(), driver.clone()];
            values.extend([jobs, elements].map(|value| value.to_string()));
            values.extend([sequential, device_local, pipelined, reused].map(ms));
            values.extend(shape);
            csv.row(&values);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    println!("{table}");
    csv.write(options.csv.as_deref())
}
