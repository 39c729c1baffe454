//! `soak-life`: batches of jobs, of vectors and of points by the thousand in one process, and
//! backends and engines made and dropped by the hundred, with what the process takes
//! meanwhile.
#![allow(
    clippy::print_stdout,
    reason = "a command-line program; the lint is for libraries"
)]

mod batches;
mod points;
mod vectors;
mod watch;

use clap::Parser;
use gpu_executor_soak::verdict;

/// How much of it to do, and how much memory may be lost over all of it.
#[derive(Parser)]
struct Args {
    /// Batches that one backend computes.
    #[arg(long, default_value_t = 10_000)]
    batches: usize,
    /// The largest number of elements in a job.
    #[arg(long, default_value_t = 70_000)]
    elements: usize,
    /// Batches of vectors that one engine computes.
    #[arg(long, default_value_t = 4_000)]
    vectors: usize,
    /// Batches of points that one engine computes.
    #[arg(long, default_value_t = 1_000)]
    points: usize,
    /// Backends that are made, used and dropped, and engines of vectors.
    #[arg(long, default_value_t = 200)]
    cycles: usize,
    /// Mebibytes by which resident memory may grow in either part.
    #[arg(long, default_value_t = 16)]
    growth_mib: i64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let most = args.growth_mib << 20;
    let batches = batches::run(args.batches, args.elements, most)?;
    let cycles = batches::cycles(args.cycles, most)?;
    let vectors = vectors::batches(args.vectors, args.elements, most)?;
    let engines = vectors::cycles(args.cycles, most)?;
    let points = points::batches(args.points, most)?;
    verdict(&[batches, cycles, vectors, engines, points])
}
