//! Runs over pinned host buffers: what the device does where the host copies
//! nothing, on the direct and on the staged path.
//!
//! `cargo run --release --example bench_host_buffer -- --csv host.csv`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::kernels::ELEMENT_BYTES;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{HostBuffer, PathChoice, TransferPath};
use indicatif::ProgressBar;

use support::{Csv, ms, random_elements};

#[derive(Parser)]
#[command(about = "Times runs over pinned host buffers")]
struct Options {
    /// Elements per run.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [1 << 20, 1 << 21, 1 << 22, 1 << 23, 1 << 24]
    )]
    elements: Vec<usize>,
    /// Timed runs per figure; the median is shown.
    #[arg(long, default_value_t = 9)]
    samples: usize,
    /// Which path.
    #[arg(long, value_enum, default_value_t = PathOption::Both)]
    path: PathOption,
    /// Chunks in flight; the library's default otherwise.
    #[arg(long)]
    depth: Option<usize>,
    /// Elements per chunk at most; the library's default otherwise.
    #[arg(long)]
    chunk: Option<usize>,
    /// Also write the figures to this file.
    #[arg(long)]
    csv: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum PathOption {
    Direct,
    Staged,
    Both,
}

impl PathOption {
    fn paths(self) -> Vec<(&'static str, TransferPath)> {
        let (direct, staged) = (
            ("direct", TransferPath::HostVisible),
            ("staged", TransferPath::DeviceLocal),
        );
        match self {
            Self::Direct => vec![direct],
            Self::Staged => vec![staged],
            Self::Both => vec![direct, staged],
        }
    }
}

/// A, B, the output, and what it has to hold.
struct Run {
    a: HostBuffer,
    b: HostBuffer,
    out: HostBuffer,
    expected: Vec<u64>,
}

impl Run {
    fn new(backend: &mut PersistentVulkanBackend, elements: usize) -> Result<Self> {
        let mut filled = |seed| -> Result<HostBuffer> {
            let mut buffer = backend.host_buffer(elements)?;
            buffer.copy_from_slice(&random_elements(elements, seed));
            Ok(buffer)
        };
        let (a, b) = (filled(1)?, filled(2)?);
        Ok(Self {
            expected: CpuEngine::new()?.field_add(&a, &b)?,
            out: backend.host_buffer(elements)?,
            a,
            b,
        })
    }

    /// The median time of a run on `path`; the result of every run is
    /// compared with the CPU reference, outside the timed part.
    fn median(
        &mut self,
        backend: &mut PersistentVulkanBackend,
        path: TransferPath,
        samples: usize,
    ) -> Result<Duration> {
        let spirv = backend.field_add_spirv();
        let mut times = Vec::with_capacity(samples);
        // The first one warms up, and records.
        for sample in 0..=samples.max(1) {
            self.out.fill(u64::MAX);
            let start = Instant::now();
            backend.run_field_add_host_on(
                spirv,
                &self.a,
                &self.b,
                &mut self.out,
                PathChoice::Fixed(path),
            )?;
            times.push(start.elapsed());
            ensure!(
                self.out.as_slice() == self.expected,
                "{path}, run {sample}: the result is not that of the CPU reference"
            );
        }
        times.remove(0);
        times.sort_unstable();
        Ok(times[times.len() / 2])
    }
}

/// Billions per second.
#[expect(clippy::cast_precision_loss, reason = "figures for people to read")]
fn giga(count: usize, time: Duration) -> String {
    format!("{:.3}", count as f64 / time.as_secs_f64() * 1e-9)
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut builder = PersistentVulkanBackend::builder();
    if let Some(depth) = options.depth {
        builder = builder.depth(depth);
    }
    if let Some(chunk) = options.chunk {
        builder = builder.chunk_elements(chunk);
    }
    let mut backend = builder.build()?;
    let caps = backend.device();
    let (device, driver) = (caps.name.clone(), caps.driver.clone());
    println!("{device} ({driver}); medians, every result verified");

    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "elements",
        "path",
        "ms",
        "G elements/s",
        "GB/s in",
        "GB/s out",
        "chunk, chunks, depth",
    ]);
    let mut csv =
        Csv::new("device,driver,elements,path,ms,g_elements_s,gb_s_in,gb_s_out,chunk,chunks,depth");
    let paths = options.path.paths();
    let progress = ProgressBar::new((options.elements.len() * paths.len()) as u64);
    for &elements in &options.elements {
        let mut run = Run::new(&mut backend, elements)?;
        for (name, path) in &paths {
            let median = run.median(&mut backend, *path, options.samples)?;
            let bytes = elements * ELEMENT_BYTES;
            let figures = [
                elements.to_string(),
                (*name).to_owned(),
                ms(median),
                giga(elements, median),
                giga(2 * bytes, median),
                giga(bytes, median),
            ];
            let shape = backend.last_report().map(|report| {
                [report.chunk, report.chunks, report.depth].map(|value| value.to_string())
            });
            let shape = shape.unwrap_or_default();
            let mut row = figures.to_vec();
            row.push(shape.join(", "));
            table.add_row(row);
            let mut values = vec![device.clone(), driver.clone()];
            values.extend(figures);
            values.extend(shape);
            csv.row(&values);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    println!("{table}");
    csv.write(options.csv.as_deref())
}
