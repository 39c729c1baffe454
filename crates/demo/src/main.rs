//! `cargo xtask demo`: field elements added from host memory to host memory, and vectors
//! that stay on the device; every limb is compared with the reference on the CPU.
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod additions;
mod vectors;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use gpu_executor::Executor;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::spirv::PersistentVulkanBackend;

#[derive(Parser)]
#[command(about = "Computes on BLS12-381 field elements and checks every limb")]
struct Options {
    /// Where to compute.
    #[arg(long, value_enum, default_value = "auto")]
    engine: Choice,
    /// Jobs of additions in a batch.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Elements in each job, and in each vector.
    #[arg(long, default_value_t = 1 << 16, value_parser = at_least_one)]
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

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected 1 or more, found 0".to_owned()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("expected a number: {error}")),
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut executor = options.engine.open()?;
    let engine = executor.vectors()?;
    println!("\nOn {}", engine.engine());
    let (jobs, elements) = (options.jobs, options.elements);
    println!("\nAdditions in Fp, {jobs} jobs of {elements} elements, from host memory and back:\n");
    additions::run(&mut executor, jobs, elements)?;
    println!("\nVectors in Fr, {elements} elements, that stay where they are computed:\n");
    vectors::run(&engine, elements)?;
    println!(
        "\nEvery limb is the reference's. This program was built to be built quickly; \
         `cargo xtask bench`\nmeasures what the library can do."
    );
    Ok(())
}

/// Prints a row: what was computed over so many elements, where, and how long it took.
#[expect(clippy::cast_precision_loss, reason = "figures for people to read")]
fn print(what: &str, place: &str, elements: usize, time: Duration) {
    let seconds = time.as_secs_f64();
    let rate = elements as f64 / seconds * 1e-6;
    println!(
        "  {what:26}  {place:20}  {:9.2} ms  {rate:8.2} M/s",
        seconds * 1e3
    );
}
