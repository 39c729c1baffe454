//! Transforms over rows of points of G1 on a device or on the CPU engine, and whether they are
//! equal to the first row's on the CPU.
//!
//! `cargo run --release -p gpu-executor --example point_transforms -- --rows 1,64`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use gpu_executor::vectors::{
    Curve as _, Domain, Fr, G1, Order, PointCheck, PointVec, Queue, Transform, VectorEngine,
};

use support::{Measured, equal, ms, ms_or_dash};

#[derive(Parser)]
#[command(about = "Times transforms over rows of points of G1, and compares with the CPU engine")]
struct Options {
    /// log2 of the points of a row.
    #[arg(long, default_value_t = 7)]
    log2: u32,
    /// Rows of one submission.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 6, 21, 64, 256])]
    rows: Vec<usize>,
    #[command(flatten)]
    measured: Measured,
}

type Record = fn(&Queue, &PointVec<G1>, &Domain) -> gpu_executor::Result<PointVec<G1>>;

const OPERATIONS: [(&str, Record); 3] = [
    ("forward", |q, x, domain| {
        q.transform_points(x, &Transform::forward(domain))
    }),
    ("inverse", |q, x, domain| {
        q.transform_points(x, &Transform::inverse(domain))
    }),
    ("lower half", |q, x, domain| {
        q.lower_half_of_points(x, domain, [Order::Natural; 2])
    }),
];

const COLUMNS: [&str; 8] = [
    "operation",
    "log2",
    "rows",
    "kernels",
    "on the device ms",
    "computed ms",
    "ms a row",
    "equal",
];

fn main() -> Result<()> {
    let options = Options::parse();
    let engine = options.measured.engine()?;
    println!("{}; medians", engine.engine());
    let mut operations = OPERATIONS.to_vec();
    if options.log2 > 10 {
        println!("lower half: left out, it takes rows of 1,024 points at most");
        operations.retain(|(name, _)| *name != "lower half");
    }
    let shapes = operations
        .iter()
        .flat_map(|it| options.rows.iter().map(move |rows| (*it, *rows)));
    let rows = shapes.map(|(operation, rows)| row(&engine, operation, rows, &options));
    options.measured.table(&engine, COLUMNS, rows)
}

fn row(
    engine: &VectorEngine,
    (name, record): (&str, Record),
    rows: usize,
    options: &Options,
) -> Result<[String; 8]> {
    let domain = Domain::new(1 << options.log2)?;
    let points = |engine: &VectorEngine, rows: usize| -> Result<_> {
        let scalars = support::random::<Fr>(rows << options.log2, 3);
        let generators = vec![G1::GENERATOR; scalars.len()];
        let generators = generators.as_flattened();
        let generators = engine.upload_points::<G1>(generators, PointCheck::Trusted)?;
        let scalars = engine.upload::<Fr>(scalars.as_flattened())?;
        let queue = engine.queue();
        let points = queue.mul_points(&generators, &scalars)?;
        queue.submit()?.wait()?;
        Ok(points)
    };
    let x = points(engine, rows)?;
    let run = || -> Result<_> {
        let queue = engine.queue();
        let begin = Instant::now();
        let result = record(&queue, &x, &domain)?;
        let done = queue.submit()?.wait()?;
        Ok((result, begin.elapsed(), done.report().clone()))
    };
    let (result, timed, report) = support::timed(engine, options.measured.samples, run)?;

    let host = VectorEngine::cpu()?;
    let first = points(&host, 1)?;
    let queue = host.queue();
    let expected = record(&queue, &first, &domain)?;
    queue.submit()?.wait()?;
    let found = result.slice(..1 << options.log2)?.download::<u64>()?;
    let is_equal = found == expected.download::<u64>()?;
    Ok([
        name.to_owned(),
        options.log2.to_string(),
        rows.to_string(),
        report.kernels.to_string(),
        ms_or_dash(timed.device),
        ms(timed.total),
        format!("{:.3}", timed.total.as_secs_f64() * 1e3 / rows as f64),
        equal(is_equal),
    ])
}
