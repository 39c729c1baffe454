//! What checking the inputs costs: calls with and without the check, in turn.
//!
//! `cargo run --release --example bench_input_check -- --csv check.csv`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::kernels::LIMBS;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Executor, Inputs};

use support::{Csv, borrowed, ms, random_jobs, ratio, verify};

#[derive(Parser)]
#[command(about = "Times calls whose inputs are checked against calls whose are not")]
struct Options {
    /// Jobs per call.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Elements per job.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [1 << 6, 1 << 10, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22]
    )]
    elements: Vec<usize>,
    /// How long each size is measured, in seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Also write the figures to this file.
    #[arg(long)]
    csv: Option<PathBuf>,
}

/// Calls of one round, at most, and how long they should take together.
const MOST_CALLS: usize = 50;
const ROUND: Duration = Duration::from_millis(10);
/// Rounds at least.
const ROUNDS: usize = 5;

/// An engine with the check and one without.
type Pair = [Executor; 2];

fn main() -> Result<()> {
    let options = Options::parse();
    let backend = |inputs| {
        let builder = PersistentVulkanBackend::builder();
        builder.inputs(inputs).build()
    };
    let cpu = |inputs| -> Result<_> { Ok(CpuEngine::new()?.with_inputs(inputs)) };
    let device = backend(Inputs::Canonical)?;
    let name = device.device().name.clone();
    println!("{name} and the CPU engine; medians, every result verified");
    let mut engines: [(&str, Pair); 2] = [
        (
            "device",
            [
                Executor::Vulkan(device),
                Executor::Vulkan(backend(Inputs::Any)?),
            ],
        ),
        (
            "CPU",
            [
                Executor::Cpu(cpu(Inputs::Canonical)?),
                Executor::Cpu(cpu(Inputs::Any)?),
            ],
        ),
    ];
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "engine",
        "jobs",
        "elements",
        "checked ms",
        "unchecked ms",
        "ratio",
    ]);
    let mut csv = Csv::new("device,engine,jobs,elements,checked_ms,unchecked_ms");
    for &elements in &options.elements {
        for (engine, pair) in &mut engines {
            let [checked, unchecked] = medians(pair, &options, elements)?;
            table.add_row([
                (*engine).to_owned(),
                options.jobs.to_string(),
                elements.to_string(),
                ms(checked),
                ms(unchecked),
                ratio(checked, unchecked),
            ]);
            csv.row(&[
                name.clone(),
                (*engine).to_owned(),
                options.jobs.to_string(),
                elements.to_string(),
                ms(checked),
                ms(unchecked),
            ]);
        }
    }
    println!("{table}");
    csv.write(options.csv.as_deref())
}

/// The median times of a pipelined call into reused memory. The two take
/// turns, so that a moment in which the machine was busy hits both.
fn medians(pair: &mut Pair, options: &Options, elements: usize) -> Result<[Duration; 2]> {
    let operands = random_jobs(options.jobs, elements);
    let batch = borrowed(&operands);
    let expected = CpuEngine::new()?.field_add_batch(&batch, elements)?;
    let mut results = vec![vec![0; elements * LIMBS]; options.jobs];
    let mut times = [const { Vec::new() }; 2];
    let begin = Instant::now();
    let mut rounds = 0;
    while rounds < ROUNDS || begin.elapsed().as_secs_f64() < options.seconds {
        for (engine, times) in pair.iter_mut().zip(&mut times) {
            results.iter_mut().for_each(|result| result.fill(0));
            let mut call = || {
                let mut out: Vec<_> = results.iter_mut().map(Vec::as_mut_slice).collect();
                let start = Instant::now();
                engine.field_add_batch_into(&batch, elements, &mut out)?;
                Ok::<_, anyhow::Error>(start.elapsed())
            };
            // The first one finds cold caches.
            call()?;
            let round = Instant::now();
            for _ in 0..MOST_CALLS {
                times.push(call()?);
                if round.elapsed() > ROUND {
                    break;
                }
            }
            verify(&results, &expected, "a timed call")?;
        }
        rounds += 1;
    }
    Ok(times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    }))
}
