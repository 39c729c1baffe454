//! What provers do with polynomials: each operation on vectors of Fr held
//! to the CPU engine, then timed by the device's own clock, beside a copy of the same bytes.
//!
//! `cargo run --release -p gpu-executor --features blst --example bench_polynomials -- --log2 20 24`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use field_kernels::Fr;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Domain, FieldVec, Indices, Order, Queue, Scalar, Scan, Transform, VectorEngine, VectorReport,
};

use support::random;

#[derive(Parser)]
#[command(about = "Times what provers do with polynomials on the device")]
struct Options {
    /// Elements of the vectors, as powers of two.
    #[arg(long, num_args = 1.., default_values_t = [20, 24], value_parser = clap::value_parser!(u32).range(4..=28))]
    log2: Vec<u32>,
}

/// Timed submissions of each operation, of which the median counts.
const ROUNDS: usize = 9;

/// What the operations take, on one engine.
struct Arguments {
    x: FieldVec<Fr>,
    /// Eight vectors in memory of their own.
    eight: Vec<FieldVec<Fr>>,
    scalars: Vec<Scalar<Fr>>,
    shuffled: Indices,
}

impl Arguments {
    fn on(engine: &VectorEngine, limbs: &[[u64; 4]]) -> Result<Self> {
        let (n, x) = (limbs.len(), engine.upload::<Fr>(limbs)?);
        let queue = engine.queue();
        let all = queue.concat(&vec![x.clone(); 8])?;
        queue.submit()?.wait()?;
        let eight = (0..8).map(|at| all.slice(at * n..(at + 1) * n));
        // An odd step goes to every place of a power of two.
        let places = (0..n).map(|place| u32::try_from(place * 0x9e37_79b1 % n));
        Ok(Self {
            eight: eight.collect::<Result<_, _>>()?,
            scalars: limbs[..8].iter().map(|it| Scalar::new(*it)).collect(),
            shuffled: engine.upload_indices(&places.collect::<Result<Vec<_>, _>>()?)?,
            x,
        })
    }
}

type Record = fn(&Queue, &Arguments) -> gpu_executor::Result<FieldVec<Fr>>;

/// Each operation, and the bytes that it must read and write for each element; of a scan
/// those that it does.
macro_rules! operations {
    (|$q:ident, $it:ident| $($name:literal $bytes:literal: $record:expr;)+) => {
        &[$(($name, $bytes, |$q, $it| $record)),+]
    };
}

const OPERATIONS: &[(&str, u32, Record)] = operations! { |q, it|
    "copy" 64: q.copy(&it.x);
    "concat" 64: q.concat(&[it.x.slice(it.x.len() / 3..)?, it.x.slice(..it.x.len() / 3)?]);
    "rotate" 64: q.rotate(&it.x, 1);
    "interleave 2" 64: q.interleave(&halves(&it.x)?);
    "strided by 2" 32: q.strided(&it.x, 1, 2);
    "gather, shuffled" 68: q.gather(&it.x, &it.shuffled);
    "powers" 32: q.powers(&it.scalars[3], it.x.len());
    "evaluate at 1 point" 32: q.evaluate(&it.x, &it.scalars[3]);
    "evaluate at 4 points" 128: q.evaluate(&it.x, it.x.slice(..4)?);
    "running sum" 96: q.running_sum(&it.x, Scan::Inclusive);
    "running product" 96: q.running_product(&it.x, Scan::Inclusive);
    "linear combination of 8" 288: q.linear_combination(&it.eight, &it.scalars);
    "inner product" 64: q.inner_product(&it.x, &it.eight[1]);
    "transform" 64: {
        let there = Transform::forward(&Domain::new(it.x.len())?).to(Order::BitReversed);
        q.transform(&it.x, &there)
    };
    "product of two halves" 64: halves(&it.x).and_then(|[a, b]| q.multiply_polynomials(&a, &b));
    "divide by X - z" 96: Ok(q.divide_by_linear(&it.x, &it.scalars[3])?.0);
    "divide by X^(n / 4) - 1" 64: Ok(q.divide_by_vanishing(&it.x, it.x.len() / 4)?.0);
};

fn halves(x: &FieldVec<Fr>) -> gpu_executor::Result<[FieldVec<Fr>; 2]> {
    Ok(x.split_at(x.len() / 2)?.into())
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut backend = PersistentVulkanBackend::builder()
        .timestamps(true)
        .build()?;
    println!("{} ({})", backend.device().name, backend.device().driver);
    let (engine, cpu) = (backend.vectors()?, VectorEngine::cpu()?);
    for log2 in options.log2 {
        let limbs = random::<Fr>(1 << log2, 1);
        let on_device = Arguments::on(&engine, &limbs)?;
        let on_cpu = Arguments::on(&cpu, &limbs)?;
        let mut copy = 0.0;
        println!(
            "2^{log2}{:>28}{:>10}{:>10}{:>10}",
            "ms", "GB/s", "of copy", "G/s"
        );
        for &(name, bytes, record) in OPERATIONS {
            let run = || once(&engine, &on_device, record);
            let (found, timed, _) = support::timed(&engine, ROUNDS, run)?;
            let time = timed.device.unwrap_or(timed.total);
            let expected = once(&cpu, &on_cpu, record)?.0;
            ensure!(
                found.download::<u64>()? == expected.download::<u64>()?,
                "{name} is wrong"
            );
            let elements = f64::from(1_u32 << log2);
            let rate = elements / time.as_secs_f64() / 1e9;
            let moved = rate * f64::from(bytes);
            copy = if name == "copy" { moved } else { copy };
            let milliseconds = time.as_secs_f64() * 1e3;
            println!(
                "{name:24}{milliseconds:>9.4}{moved:>10.0}{:>10.3}{rate:>10.2}",
                moved / copy
            );
        }
    }
    Ok(())
}

/// A submission: what came of it, and what it took.
fn once(
    engine: &VectorEngine,
    arguments: &Arguments,
    record: Record,
) -> Result<(FieldVec<Fr>, Duration, VectorReport)> {
    let queue = engine.queue();
    let result = record(&queue, arguments)?;
    let done = queue.submit()?.wait()?;
    Ok((result, done.total(), done.report().clone()))
}
