//! Operations on vectors that stay on the device: each verified, then timed by the
//! device's own clock, beside what the device copies and what the host's cores do.
//!
//! `cargo run --release -p gpu-executor --example bench_vectors -- --log2 22`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod chains;
mod copy;
mod measure;
mod operations;
mod peers;
#[path = "../support/mod.rs"]
mod support;
mod variants;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use field_kernels::{ElementType as _, Fp, Fr};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::VectorEngine;
use tracing_subscriber::filter::LevelFilter;

use chains::{calls, chains, products, small, transfers};
use measure::{best_copy, report, write_csv};
use operations::operations;
use variants::variants;

#[derive(Parser)]
#[command(about = "Times operations on vectors that stay on the device")]
struct Options {
    /// Elements of the vectors, as a power of two.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=28))]
    log2: u32,
    /// Timed submissions of each operation, of which the median counts.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Also times each arithmetic and each way to memory by itself.
    #[arg(long)]
    variants: bool,
    /// Leaves out the host's cores.
    #[arg(long)]
    no_cpu: bool,
    /// Writes the figures to this file as well.
    #[arg(long)]
    csv: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let level = std::env::var("RUST_LOG").map_or(Ok(LevelFilter::ERROR), |level| level.parse());
    tracing_subscriber::fmt().with_max_level(level?).init();
    let mut backend = PersistentVulkanBackend::builder()
        .timestamps(true)
        .build()?;
    println!("{} ({})", backend.device().name, backend.device().driver);
    let engine = backend.vectors()?;
    let n = 1 << options.log2;
    let rounds = usize::try_from(options.rounds)?;
    let mut rows = Vec::new();
    operations::<Fp>(&engine, n, rounds, &mut rows)?;
    operations::<Fr>(&engine, n, rounds, &mut rows)?;
    chains(&engine, n, rounds, &mut rows)?;
    products::<Fp>(&engine, n, rounds, &mut rows)?;
    products::<Fr>(&engine, n, rounds, &mut rows)?;
    drop((engine, backend));
    // Times of the host, without timestamps on the device.
    let engine = VectorEngine::new()?;
    calls(&engine, n, rounds, &mut rows)?;
    small(&engine, rounds, &mut rows)?;
    transfers(&engine, n, rounds, &mut rows)?;
    drop(engine);
    if options.variants {
        variants(n, rounds, &mut rows)?;
    }
    if !options.no_cpu {
        peers::measure(n.min(1 << 22), rounds, &mut rows)?;
    }
    let commands = copy::commands(n * Fp::BYTES, rounds)?;
    println!("copy commands: {:.0} GB/s", commands / 1e9);
    let copy = best_copy(commands, &rows);
    report(&rows, copy);
    if let Some(path) = &options.csv {
        write_csv(path, &rows, copy)?;
    }
    Ok(())
}
