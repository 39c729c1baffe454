//! Measures which path and which cut of the work is fastest on a device, for
//! each size, and stores it for every later run of the library.
//!
//! `cargo xtask calibrate`
#![allow(clippy::print_stdout, reason = "a command-line program")]

use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, Calibration, Effort, Measured, Tuning};

#[derive(Parser)]
#[command(about = "Measures and stores which data path is fastest for each size")]
struct Options {
    /// Measure as little as the library does on its own, once per machine.
    #[arg(long)]
    brief: bool,
}

fn main() -> Result<()> {
    tracing_subscriber::fmt().with_env_filter("warn").init();
    let effort = match Options::parse().brief {
        true => Effort::BRIEF,
        false => Effort::THOROUGH,
    };
    let mut backend = PersistentVulkanBackend::builder()
        // Opens every queue that a run may use.
        .calibration(Calibration::Off)
        .build()?;
    let device = backend.device();
    println!("{}, {}", device.name, device.driver);
    let start = Instant::now();
    let tuning = backend.calibrate(effort)?;
    println!("{}", table(tuning));
    println!(
        "inputs staged in cached memory: {}; copies on the kernel's queue: {}; measured in {:.2} s",
        yes_or_no(tuning.cached_upload),
        yes_or_no(tuning.one_queue),
        start.elapsed().as_secs_f64(),
    );
    if let Some(folder) = Cache::User.folder() {
        println!("stored in {}", folder.display());
    }
    Ok(())
}

fn yes_or_no(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn table(tuning: &Tuning) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "elements",
        "path",
        "chunks in flight",
        "chunk",
        "results past the caches",
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
            yes_or_no(row.strategy.streaming).to_owned(),
            format!("{:.1}", row.nanoseconds as f64 / 1e3),
            format!("{:.1}", row.elements as f64 * 1e3 / row.nanoseconds as f64),
            if is_fastest { "fastest" } else { "" }.to_owned(),
        ]);
    }
    table
}
