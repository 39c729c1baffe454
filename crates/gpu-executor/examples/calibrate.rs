//! Measures which path and which cut of the work is fastest on a device, for
//! each size, and which kernels are for vectors, and keeps it for every later
//! run of the library.
//!
//! `cargo xtask calibrate`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use comfy_table::Table;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{Fr, VectorEngine};
use gpu_executor::{Cache, Effort, Measured, Tuning};
use tracing_subscriber::filter::LevelFilter;

#[derive(Parser)]
#[command(about = "Measures and keeps which data paths and kernels are fastest")]
struct Options {
    /// Measure paths for a tenth of a second only, up to 2^18 elements.
    #[arg(long)]
    brief: bool,
}

fn main() -> Result<()> {
    let level = std::env::var("RUST_LOG").map_or(Ok(LevelFilter::WARN), |level| level.parse());
    tracing_subscriber::fmt().with_max_level(level?).init();
    let effort = match Options::parse().brief {
        true => Effort::BRIEF,
        false => Effort::THOROUGH,
    };
    let mut backend = PersistentVulkanBackend::new()?;
    let device = backend.device();
    println!("{}, {}", device.name, device.driver);
    let start = Instant::now();
    let tuning = backend.calibrate(effort)?;
    println!("{}", table(tuning));
    println!("measured in {:.2} s", start.elapsed().as_secs_f64());
    let engine = backend.vectors()?;
    let start = Instant::now();
    engine.calibrate()?;
    println!(
        "vectors: {}, measured in {:.2} s",
        choice(&engine)?,
        start.elapsed().as_secs_f64()
    );
    if let Some(folder) = Cache::User.folder() {
        println!("kept in {}", folder.display());
    }
    Ok(())
}

/// Which kernels `engine` uses, as the report of a product says.
fn choice(engine: &VectorEngine) -> Result<String> {
    let x = engine.upload::<Fr>(&[1_u64; 4])?;
    let queue = engine.queue();
    let _square = queue.square(&x)?;
    let done = queue.submit()?.wait()?;
    let choice = done.report().choice.as_ref();
    Ok(choice.map_or(String::new(), ToString::to_string))
}

fn table(tuning: &Tuning) -> Table {
    let mut table = support::table([
        "elements",
        "path",
        "chunks in flight",
        "chunk",
        "time, us",
        "M elements/s",
        "",
    ]);
    for row in &tuning.measured {
        let of_size = |other: &&Measured| other.elements == row.elements;
        let fastest = tuning.measured.iter().filter(of_size);
        let is_fastest = fastest.min_by_key(|other| other.nanoseconds) == Some(row);
        table.add_row([
            row.elements.to_string(),
            row.strategy.path.to_string(),
            row.strategy.depth.to_string(),
            row.strategy.chunk.to_string(),
            format!("{:.1}", row.nanoseconds as f64 / 1e3),
            format!("{:.1}", row.elements as f64 * 1e3 / row.nanoseconds as f64),
            if is_fastest { "fastest" } else { "" }.to_owned(),
        ]);
    }
    table
}
