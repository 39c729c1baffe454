//! Adds random field elements sequentially, pipelined and on the CPU, and
//! compares the results limb by limb.
//!
//! `cargo run --release --example smoke_batch -- --jobs 8 --elements 65536`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use comfy_table::Table;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::Fp;
use gpu_executor::{Engine, Executor, FieldAdd, RunReport};

use support::{ms, random};

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
    let Options {
        engine,
        jobs,
        elements,
    } = Options::parse();
    let vectors = (0..2 * jobs as u64).map(|seed| random::<Fp>(elements, seed).into_flattened());
    let vectors: Vec<Vec<u64>> = vectors.collect();
    let pairs = vectors.chunks(2);
    let batch: Vec<_> = pairs.map(|pair| (&*pair[0], &*pair[1])).collect();

    let mut cpu = CpuEngine::new()?;
    let expected = cpu.field_add_batch(&batch, elements)?;
    let mut executor = engine.open()?;
    let spirv = executor.field_add_spirv();
    // Staging memory and pipeline are made by the first run of a shape.
    executor.run_field_add_batch(spirv, &batch, elements, false)?;
    executor.run_field_add_batch_pipelined(spirv, &batch, elements)?;

    let columns = ["run", "where", "path", "chunks", "ms", "G elements/s"];
    let mut table = support::table(columns);
    for (name, device_local) in [("sequential", false), ("device-local asked for", true)] {
        let sums = executor.run_field_add_batch(spirv, &batch, elements, device_local)?;
        ensure!(sums == expected, "{name}: other sums than the CPU's");
        add_row(&mut table, name, executor.last_report());
    }
    let sums = executor.run_field_add_batch_pipelined(spirv, &batch, elements)?;
    ensure!(sums == expected, "pipelined: other sums than the CPU's");
    add_row(&mut table, "pipelined", executor.last_report());
    add_row(&mut table, "CPU engine", cpu.last_report());

    if let Some(report) = executor.last_report() {
        println!("{}, kernel {}", report.engine, report.kernel);
    }
    println!("{table}");
    println!(
        "All {jobs} jobs of {elements} elements agree, limb by limb: sequential, pipelined and CPU."
    );
    Ok(())
}

fn add_row(table: &mut Table, name: &str, report: Option<&RunReport>) {
    let Some(report) = report else { return };
    table.add_row([
        name.to_owned(),
        match &report.engine {
            Engine::Vulkan { .. } => "Vulkan".to_owned(),
            other => other.to_string(),
        },
        report.path.map_or("-".to_owned(), |path| path.to_string()),
        format!("{} x {}", report.chunks, report.chunk.min(report.elements)),
        ms(report.total),
        format!("{:.4}", report.elements_per_second() * 1e-9),
    ]);
}
