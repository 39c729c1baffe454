//! Adds random field elements one job after the other and with jobs overlapping, and
//! compares both with the CPU's sums, limb by limb.
//!
//! `cargo run --release --example smoke_batch -- --jobs 8 --elements 65536`
#![allow(clippy::print_stdout, reason = "a command-line program")]

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use field_kernels::edge::random_elements;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::vectors::Fp;
use gpu_executor::{Executor, FieldAdd as _};

#[derive(Parser)]
#[command(about = "Adds random BLS12-381 field elements and checks every limb")]
struct Options {
    /// Jobs in the batch.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Elements in each job.
    #[arg(long, default_value_t = 262_144)]
    elements: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let (jobs, elements) = (options.jobs, options.elements);
    let vectors = (0..2 * jobs as u64).map(|seed| random_elements::<Fp>(elements, seed));
    let vectors: Vec<Vec<u64>> = vectors.map(Vec::into_flattened).collect();
    let pairs = vectors.chunks(2);
    let batch: Vec<_> = pairs.map(|pair| (&*pair[0], &*pair[1])).collect();
    let expected = CpuEngine::new()?.field_add_batch(&batch, elements)?;

    // A Vulkan device, or the CPU where there is none: the reports say so.
    let mut executor = Executor::auto()?;
    let spirv = executor.field_add_spirv();
    for overlapping in [false, true] {
        // Pipeline and memory are made by the first of two.
        for _ in 0..2 {
            let sums = match overlapping {
                false => executor.run_field_add_batch(spirv, &batch, elements, false)?,
                true => executor.run_field_add_batch_pipelined(spirv, &batch, elements)?,
            };
            ensure!(sums == expected, "expected the CPU's sums, found others");
        }
        println!("{}", executor.last_report().context("no report")?);
    }
    println!("All {jobs} jobs of {elements} elements agree: sequential, pipelined and CPU.");
    Ok(())
}
