//! Pipelined against sequential batches: what overlapping the transfers and
//! kernels of several chunks saves. With `--each-path` also the path that the
//! library chooses against each that it could have chosen.
//!
//! `cargo run --release --example bench_batch_pipelined -- --csv batch.csv`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::kernels::LIMBS;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{PathChoice, TransferPath};
use indicatif::ProgressBar;

use support::{Csv, borrowed, ms, random_jobs, ratio, throughput, verify};

#[derive(Parser)]
#[command(about = "Times pipelined against sequential batches")]
struct Options {
    /// Jobs per batch.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 3, 4, 8])]
    jobs: Vec<usize>,
    /// Elements per job.
    #[arg(long, value_delimiter = ',', default_values_t = [16_384, 65_536, 262_144, 1_048_576])]
    elements: Vec<usize>,
    /// Timed series of calls per figure; the median of all calls is shown.
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
    /// Also time pipelined runs into slices on each path that the device has.
    #[arg(long)]
    each_path: bool,
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
            PathOption::HostVisible => TransferPath::HostVisible,
            PathOption::DeviceLocal => TransferPath::DeviceLocal,
            PathOption::Bar => TransferPath::Bar,
        }));
    }
    Ok(builder.build()?)
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Sequential,
    SequentialDeviceLocal,
    Pipelined,
    SequentialInto,
    PipelinedInto,
    /// Pipelined into slices, on the path with this number.
    Fixed(usize),
}

impl Mode {
    const ALWAYS: [Self; 5] = [
        Self::Sequential,
        Self::SequentialDeviceLocal,
        Self::Pipelined,
        Self::SequentialInto,
        Self::PipelinedInto,
    ];
}

/// Calls of one series, at most, and how long they should take together.
const MOST_CALLS: usize = 100;
const SERIES: Duration = Duration::from_millis(50);

/// The backends and what they compute.
struct Bench<'a> {
    sequential: &'a mut PersistentVulkanBackend,
    pipelined: &'a mut PersistentVulkanBackend,
    /// A backend for each path that is timed by itself.
    fixed: &'a mut [PersistentVulkanBackend],
    spirv: &'a [u8],
    batch: &'a [(&'a [u64], &'a [u64])],
    elements: usize,
    expected: &'a [Vec<u64>],
    /// Where the runs into slices write, again and again.
    results: Vec<Vec<u64>>,
}

impl Bench<'_> {
    /// The medians of all modes, in order. The modes take turns, so that a
    /// moment in which the machine was busy hits all of them.
    fn medians(&mut self, samples: usize) -> Result<Vec<Duration>> {
        let fixed = (0..self.fixed.len()).map(Mode::Fixed);
        let modes: Vec<_> = Mode::ALWAYS.into_iter().chain(fixed).collect();
        let mut times = vec![Vec::new(); modes.len()];
        for _ in 0..samples.max(1) {
            for (mode, times) in modes.iter().zip(&mut times) {
                self.series(*mode, times)?;
            }
        }
        let median = |mut times: Vec<Duration>| {
            times.sort_unstable();
            times[times.len() / 2]
        };
        Ok(times.into_iter().map(median).collect())
    }

    /// Calls one after the other: while the host compares results, a device
    /// lowers its clocks, and caches fill with other things. The results of
    /// the last call are compared with the expected ones.
    fn series(&mut self, mode: Mode, times: &mut Vec<Duration>) -> Result<()> {
        self.results.iter_mut().for_each(|result| result.fill(0));
        let begin = Instant::now();
        let mut fresh = self.call(mode)?;
        for _ in 0..MOST_CALLS {
            let start = Instant::now();
            let results = self.call(mode)?;
            // Without freeing the results before: that is up to the caller.
            times.push(start.elapsed());
            fresh = results;
            if begin.elapsed() > SERIES {
                break;
            }
        }
        let found = fresh.as_ref().unwrap_or(&self.results);
        verify(found, self.expected, &format!("{mode:?}"))
    }

    /// One call, and its results where it returns them.
    fn call(&mut self, mode: Mode) -> Result<Option<Vec<Vec<u64>>>> {
        let (spirv, batch, elements) = (self.spirv, self.batch, self.elements);
        let (sequential, pipelined) = (&mut *self.sequential, &mut *self.pipelined);
        let mut out: Vec<_> = self.results.iter_mut().map(Vec::as_mut_slice).collect();
        Ok(match mode {
            Mode::Sequential | Mode::SequentialDeviceLocal => {
                let device_local = mode == Mode::SequentialDeviceLocal;
                Some(sequential.run_field_add_batch(spirv, batch, elements, device_local)?)
            }
            Mode::Pipelined => {
                Some(pipelined.run_field_add_batch_pipelined(spirv, batch, elements)?)
            }
            Mode::SequentialInto => {
                sequential.run_field_add_batch_into(spirv, batch, elements, false, &mut out)?;
                None
            }
            Mode::PipelinedInto => {
                pipelined.run_field_add_batch_pipelined_into(spirv, batch, elements, &mut out)?;
                None
            }
            Mode::Fixed(path) => {
                let backend = &mut self.fixed[path];
                backend.run_field_add_batch_pipelined_into(spirv, batch, elements, &mut out)?;
                None
            }
        })
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut backend = PersistentVulkanBackend::new()?;
    let mut pipeline = tuned(&options)?;
    let caps = backend.device();
    let (device, driver) = (caps.name.clone(), caps.driver.clone());
    let spirv = backend.field_add_spirv();
    println!("{device} ({driver}); medians, every result verified");
    let usable = |path: &TransferPath| options.each_path && path.is_usable(backend.device());
    let paths: Vec<TransferPath> = TransferPath::ALL.into_iter().filter(usable).collect();
    let fixed = paths.iter().map(|path| {
        let builder = PersistentVulkanBackend::builder();
        builder.path(PathChoice::Fixed(*path)).build()
    });
    let mut fixed = fixed.collect::<gpu_executor::Result<Vec<_>>>()?;

    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let mut header = vec![
        "jobs",
        "elements",
        "sequential ms",
        "device-local ms",
        "pipelined ms",
        "sequential / pipelined",
        "pipelined throughput",
        "sequential, reused slices ms",
        "pipelined, reused slices ms",
        "sequential / pipelined, reused",
        "its throughput",
        "pipelined path, chunks, depth",
    ];
    let of_paths: Vec<_> = paths.iter().map(|path| format!("{path} ms")).collect();
    header.extend(of_paths.iter().map(String::as_str));
    if options.each_path {
        header.push("chosen / fastest path");
    }
    table.set_header(header);
    let mut csv = Csv::new(
        "device,driver,jobs,elements,sequential_ms,sequential_device_local_ms,pipelined_ms,sequential_into_ms,pipelined_into_ms,path,chunks,depth,host_visible_into_ms,device_local_into_ms,bar_into_ms",
    );
    let points = options.jobs.len() * options.elements.len();
    let progress = ProgressBar::new(points as u64);
    for &elements in &options.elements {
        for &jobs in &options.jobs {
            let operands = random_jobs(jobs, elements);
            let batch = borrowed(&operands);
            let expected = CpuEngine::new()?.field_add_batch(&batch, elements)?;
            let mut bench = Bench {
                sequential: &mut backend,
                pipelined: &mut pipeline,
                fixed: &mut fixed,
                spirv,
                batch: &batch,
                elements,
                expected: &expected,
                results: vec![vec![0; elements * LIMBS]; jobs],
            };
            let medians = bench.medians(options.samples)?;
            let [
                sequential,
                device_local,
                pipelined,
                sequential_into,
                into,
                on_paths @ ..,
            ] = medians.as_slice()
            else {
                bail!("expected five medians or more, found {}", medians.len());
            };
            let shape = pipeline.last_report().map(|report| {
                let path = report.path.map_or("-".to_owned(), |path| path.to_string());
                [path, report.chunks.to_string(), report.depth.to_string()]
            });
            let shape = shape.unwrap_or_default();
            let mut row = vec![
                jobs.to_string(),
                elements.to_string(),
                ms(*sequential),
                ms(*device_local),
                ms(*pipelined),
                ratio(*sequential, *pipelined),
                throughput(jobs * elements, *pipelined),
                ms(*sequential_into),
                ms(*into),
                ratio(*sequential_into, *into),
                throughput(jobs * elements, *into),
                shape.join(", "),
            ];
            row.extend(on_paths.iter().copied().map(ms));
            row.extend(on_paths.iter().min().map(|fastest| ratio(*into, *fastest)));
            table.add_row(row);
            let mut values = vec![device.clone(), driver.clone()];
            values.extend([jobs, elements].map(|value| value.to_string()));
            values.extend(medians[..Mode::ALWAYS.len()].iter().copied().map(ms));
            values.extend(shape);
            values.extend(TransferPath::ALL.map(|path| {
                let at = paths.iter().position(|timed| *timed == path);
                at.map_or(String::new(), |at| ms(on_paths[at]))
            }));
            csv.row(&values);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    println!("{table}");
    csv.write(options.csv.as_deref())
}
