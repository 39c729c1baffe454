//! One-shot against persistent, host-visible against device-local: what
//! keeping instance, device, pipeline and staging memory saves.
//!
//! `cargo run --release --example bench_persistent -- --csv persistent.csv`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::kernels::{KERNELS, find_by_spirv};
use gpu_executor::spirv::PersistentVulkanBackend;
use indicatif::ProgressBar;

use support::{Csv, borrowed, median_of, ms, random_jobs, ratio, throughput};

#[derive(Parser)]
#[command(about = "Times one-shot against persistent calls, 64 to 1M elements")]
struct Options {
    /// Timed calls per figure; the median is shown.
    #[arg(long, default_value_t = 15)]
    samples: usize,
    /// Timed one-shot calls per figure, each with a new backend.
    #[arg(long, default_value_t = 3)]
    one_shot_samples: usize,
    /// The library kernel to run; the one for the device otherwise.
    #[arg(long)]
    kernel: Option<String>,
    /// Also write the figures to this file.
    #[arg(long)]
    csv: Option<PathBuf>,
}

const SIZES: [usize; 8] = [64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];

/// The kernel that was asked for, or the library's for the device.
fn spirv(options: &Options, backend: &PersistentVulkanBackend) -> Result<&'static [u8]> {
    let Some(name) = &options.kernel else {
        return Ok(backend.field_add_spirv());
    };
    let known = KERNELS.iter().find(|kernel| kernel.name == name);
    let names: Vec<_> = KERNELS.iter().map(|kernel| kernel.name).collect();
    let known = known.with_context(|| format!("no kernel {name:?}; there are {names:?}"))?;
    Ok(known.spirv)
}

fn main() -> Result<()> {
    let options = Options::parse();
    // Timestamps, to tell the kernel's own time from that of the copies.
    let mut persistent = PersistentVulkanBackend::builder()
        .timestamps(true)
        .build()?;
    let caps = persistent.device();
    let (device, driver) = (caps.name.clone(), caps.driver.clone());
    let spirv = spirv(&options, &persistent)?;
    let kernel = find_by_spirv(spirv).map_or("", |kernel| kernel.name);
    println!("{device} ({driver}), {kernel}; medians, every result verified");

    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "elements",
        "one-shot ms",
        "persistent ms, host-visible",
        "persistent ms, device-local",
        "one-shot / persistent",
        "host-visible throughput",
        "kernel ms, device-local",
        "kernel throughput",
    ]);
    let mut csv = Csv::new(
        "device,driver,kernel,elements,one_shot_ms,host_visible_ms,device_local_ms,kernel_ms",
    );
    let progress = ProgressBar::new(SIZES.len() as u64);
    for elements in SIZES {
        let operands = random_jobs(1, elements);
        let batch = borrowed(&operands);
        let expected = CpuEngine::new()?.field_add_batch(&batch, elements)?;
        let one_shot = median_of(options.one_shot_samples, &expected, "one-shot", || {
            PersistentVulkanBackend::new()?.run_field_add_batch(spirv, &batch, elements, false)
        })?;
        let mut time = |device_local, what| {
            median_of(options.samples, &expected, what, || {
                persistent.run_field_add_batch(spirv, &batch, elements, device_local)
            })
        };
        let host_visible = time(false, "host-visible")?;
        let device_local = time(true, "device-local")?;
        let kernel_time = persistent
            .last_report()
            .and_then(|report| report.stages.kernel);
        let best = host_visible.min(device_local);
        table.add_row([
            elements.to_string(),
            ms(one_shot),
            ms(host_visible),
            ms(device_local),
            ratio(one_shot, best),
            throughput(elements, host_visible),
            kernel_time.map_or("-".to_owned(), ms),
            kernel_time.map_or("-".to_owned(), |time| throughput(elements, time)),
        ]);
        csv.row(&[
            device.clone(),
            driver.clone(),
            kernel.to_owned(),
            elements.to_string(),
            ms(one_shot),
            ms(host_visible),
            ms(device_local),
            kernel_time.map_or(String::new(), ms),
        ]);
        progress.inc(1);
    }
    progress.finish_and_clear();
    println!("{table}");
    csv.write(options.csv.as_deref())
}
