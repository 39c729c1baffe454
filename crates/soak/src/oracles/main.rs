//! `soak-oracles`: the CPU reference against ark-ff and blst, and every kernel
//! on every path against the reference; and random programs over vectors of elements and of
//! points against arkworks.
#![allow(
    clippy::print_stdout,
    reason = "a command-line program; the lint is for libraries"
)]

mod cpu;
mod device;
mod random_programs;

// The tests' own: their long form is here.
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../../gpu-executor/tests/suite/curves.rs"]
mod curves;
#[path = "../../../gpu-executor/tests/suite/oracle/mod.rs"]
mod oracle;
#[path = "../../../gpu-executor/tests/suite/programs/mod.rs"]
mod programs;

use clap::Parser;
use gpu_executor_soak::verdict;

/// How much of it to do.
#[derive(Parser)]
struct Args {
    /// Random pairs for the CPU's three implementations.
    #[arg(long, default_value_t = 10_000_000)]
    pairs: usize,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Chunks, in elements, around whose boundaries the kernels are compared.
    #[arg(long, value_delimiter = ',', default_values_t = [256, 4_096, 524_288])]
    chunks: Vec<usize>,
    /// Random programs over vectors.
    #[arg(long, default_value_t = 100)]
    programs: usize,
    /// Steps of each.
    #[arg(long, default_value_t = 150)]
    steps: usize,
    /// Only the CPU's implementations.
    #[arg(long)]
    no_device: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut kept = vec![cpu::edges()?, cpu::random(args.pairs, args.seed)?];
    if !args.no_device {
        kept.push(device::edges()?);
        kept.push(device::boundaries(&args.chunks, args.seed)?);
        kept.push(random_programs::run(args.programs, args.steps, args.seed)?);
    }
    verdict(&kept)
}
