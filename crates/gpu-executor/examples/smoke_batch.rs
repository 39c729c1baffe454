//! Adds random field elements sequentially, pipelined and on the CPU, and
//! compares the three element by element.
//!
//! `cargo run --release --example smoke_batch -- --jobs 8 --elements 65536`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Engine, Executor, RunReport};
use indicatif::{ProgressBar, ProgressStyle};

use support::{borrowed, ms, random_jobs, throughput, verify};

#[derive(Parser)]
#[command(about = "Adds random BLS12-381 field elements and checks every limb")]
struct Options {
    /// Where to compute.
    #[arg(long, value_enum, default_value = "auto")]
    engine: Choice,
    /// Jobs in the batch.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Elements in each job.
    #[arg(long, default_value_t = 262_144)]
    elements: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    /// A Vulkan device if there is one, else the CPU.
    Auto,
    /// A Vulkan device, or an error.
    Vulkan,
    /// All cores of the CPU.
    Cpu,
}

impl Choice {
    fn open(self) -> Result<Executor> {
        match self {
            Self::Auto => Ok(Executor::auto()?),
            Self::Vulkan => Ok(Executor::Vulkan(PersistentVulkanBackend::new()?)),
            Self::Cpu => Ok(Executor::Cpu(CpuEngine::new()?)),
        }
    }
}

fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .init();
    let options = Options::parse();
    let (jobs, elements) = (options.jobs, options.elements);
    let progress = ProgressBar::new(6);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        progress.set_style(style);
    }
    let step = |message: &str| {
        progress.set_message(message.to_owned());
        progress.inc(1);
    };

    step("making random elements");
    let operands = random_jobs(jobs, elements);
    let batch = borrowed(&operands);

    step("adding on the CPU");
    let mut cpu = CpuEngine::new()?;
    let expected = cpu.field_add_batch(&batch, elements)?;

    step("opening the device");
    let mut executor = options.engine.open()?;
    let spirv = executor.field_add_spirv();
    // Staging memory and pipeline are made by the first run of a shape.
    executor.run_field_add_batch(spirv, &batch, elements, false)?;
    executor.run_field_add_batch_pipelined(spirv, &batch, elements)?;

    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "run",
        "where",
        "path",
        "chunks",
        "ms",
        "throughput",
        "verdict",
    ]);
    let mut add_row = |name: &str, report: Option<&RunReport>| {
        if let Some(report) = report {
            table.add_row(row(name, report));
        }
    };

    step("sequential, host-visible");
    let sequential = executor.run_field_add_batch(spirv, &batch, elements, false)?;
    verify(&sequential, &expected, "sequential")?;
    add_row("sequential", executor.last_report());
    step("sequential, device-local");
    let device_local = executor.run_field_add_batch(spirv, &batch, elements, true)?;
    verify(&device_local, &expected, "device-local")?;
    add_row("sequential, device-local asked for", executor.last_report());
    step("pipelined");
    let pipelined = executor.run_field_add_batch_pipelined(spirv, &batch, elements)?;
    verify(&pipelined, &expected, "pipelined")?;
    add_row("pipelined", executor.last_report());
    add_row("CPU engine", cpu.last_report());
    progress.finish_and_clear();

    if let Some(report) = executor.last_report() {
        println!("{}, kernel {}", report.engine, report.kernel);
    }
    println!("{table}");
    println!(
        "All {jobs} jobs of {elements} elements agree, limb by limb: sequential, pipelined and CPU."
    );
    Ok(())
}

fn row(name: &str, report: &RunReport) -> [String; 7] {
    [
        name.to_owned(),
        match &report.engine {
            Engine::Vulkan { .. } => "Vulkan".to_owned(),
            other => other.to_string(),
        },
        report.path.map_or("-".to_owned(), |path| path.to_string()),
        format!("{} x {}", report.chunks, report.chunk.min(report.elements)),
        ms(report.total),
        throughput(report.elements, report.total),
        "equal to the CPU".to_owned(),
    ]
}
