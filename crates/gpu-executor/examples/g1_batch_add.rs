//! A batch of additions on the curve, from operations on vectors alone: points P and Q
//! of G1 in affine coordinates, and P + Q for each pair, against the same by blst.
//!
//! `cargo run --release --features blst --example g1_batch_add -- --elements 65536`
//!
//! The two points of a pair have different x: neither doubling nor P - P, nor the point
//! at infinity, which would need a formula each, and a vector of which to take.
#![allow(clippy::print_stdout, reason = "a command-line program")]

#[path = "support/curve.rs"]
mod curve;
mod support;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use blst::{blst_fp, blst_p1_affine};
use clap::Parser;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{FieldVec, Fp, Queue, VectorEngine, VectorReport};

use support::ms;

#[derive(Parser)]
#[command(about = "Adds pairs of points of G1, and compares with blst")]
struct Options {
    /// Pairs of points, at least one.
    #[arg(long, value_delimiter = ',', default_values_t = [1 << 12, 1 << 16, 1 << 18])]
    elements: Vec<usize>,
    /// Compute on the CPU engine instead of a Vulkan device.
    #[arg(long)]
    cpu: bool,
    /// Timed runs per figure; the median is shown.
    #[arg(long, default_value_t = 5)]
    samples: usize,
}

/// Points in affine coordinates, on the engine.
struct Points {
    x: FieldVec<Fp>,
    y: FieldVec<Fp>,
}

/// Their coordinates on the host, as blst holds them.
#[derive(PartialEq)]
struct Coordinates {
    x: Vec<blst_fp>,
    y: Vec<blst_fp>,
}

/// What one run took: alone, and with all points going up and coming down.
struct Timed {
    report: VectorReport,
    with_transfers: Duration,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let engine = match options.cpu {
        true => VectorEngine::cpu()?,
        // Timestamps, to tell the kernels' own time.
        false => {
            let builder = PersistentVulkanBackend::builder().timestamps(true);
            builder.build()?.vectors()?
        }
    };
    let threads = std::thread::available_parallelism()?.get();
    println!("{}; medians, every result verified", engine.engine());
    let mut table = support::table([
        "elements".to_owned(),
        "kernels".to_owned(),
        "on the device ms".to_owned(),
        "computed ms".to_owned(),
        "with transfers ms".to_owned(),
        "blst, 1 thread ms".to_owned(),
        format!("blst, {threads} threads ms"),
        "blst, all threads / computed".to_owned(),
    ]);
    for &elements in &options.elements {
        table.add_row(row(&engine, elements, threads, options.samples)?);
    }
    println!("{table}");
    Ok(())
}

/// Times everything over so many pairs.
fn row(
    engine: &VectorEngine,
    elements: usize,
    threads: usize,
    samples: usize,
) -> Result<[String; 8]> {
    ensure!(
        elements > 0,
        "expected at least one pair of points, found 0"
    );
    let (p, q) = (curve::walk(elements, 1), curve::walk(elements, 2));
    let expected = curve::sums(&p, &q, 1);
    let by_blst = |threads| -> Result<Duration> {
        median(
            samples,
            |time| *time,
            || {
                let begin = Instant::now();
                let sums = curve::sums(&p, &q, threads);
                let time = begin.elapsed();
                ensure!(sums == expected, "blst on {threads} threads: other sums");
                Ok(time)
            },
        )
    };
    let (one, all) = (by_blst(1)?, by_blst(threads)?);
    let operands = [coordinates(&p), coordinates(&q)];
    let expected = coordinates(&expected);
    let timed = median(
        samples,
        |timed: &Timed| timed.report.total,
        || run(engine, &operands, &expected),
    )?;
    let report = timed.report;
    Ok([
        elements.to_string(),
        report.kernels.to_string(),
        report.device_time.map_or("-".to_owned(), ms),
        ms(report.total),
        ms(timed.with_transfers),
        ms(one),
        ms(all),
        format!("{:.2}x", all.as_secs_f64() / report.total.as_secs_f64()),
    ])
}

/// The sums of points whose x are different: the line through P and Q meets the curve
/// in a third point, and the sum is that point reflected.
fn add(queue: &Queue, p: &Points, q: &Points) -> Result<Points> {
    let rise = queue.sub(&q.y, &p.y)?;
    let run = queue.sub(&q.x, &p.x)?;
    let slope = queue.mul(&rise, &queue.inverse(&run)?)?;
    let x = queue.sub(&queue.sub(&queue.square(&slope)?, &p.x)?, &q.x)?;
    let y = queue.sub(&queue.mul(&slope, &queue.sub(&p.x, &x)?)?, &p.y)?;
    Ok(Points { x, y })
}

/// Adds once, and compares every sum with `expected`.
fn run(engine: &VectorEngine, [p, q]: &[Coordinates; 2], expected: &Coordinates) -> Result<Timed> {
    let upload = |points: &Coordinates| -> Result<Points> {
        Ok(Points {
            x: engine.upload(&points.x)?,
            y: engine.upload(&points.y)?,
        })
    };
    let begin = Instant::now();
    let (p, q) = (upload(p)?, upload(q)?);
    let queue = engine.queue();
    let sums = add(&queue, &p, &q)?;
    let done = queue.submit()?.wait()?;
    let found = Coordinates {
        x: sums.x.download()?,
        y: sums.y.download()?,
    };
    let with_transfers = begin.elapsed();
    let report = done.report().clone();
    ensure!(report.zeros == 0, "{} pairs have the same x", report.zeros);
    ensure!(&found == expected, "other sums than by blst");
    Ok(Timed {
        report,
        with_transfers,
    })
}

/// The run in the middle by `time`, after one that warms up.
fn median<T>(
    samples: usize,
    time: impl Fn(&T) -> Duration,
    mut run: impl FnMut() -> Result<T>,
) -> Result<T> {
    run()?;
    let runs = (0..samples.max(1)).map(|_| run());
    let mut runs = runs.collect::<Result<Vec<_>>>()?;
    runs.sort_by_key(&time);
    Ok(runs.swap_remove(runs.len() / 2))
}

fn coordinates(points: &[blst_p1_affine]) -> Coordinates {
    Coordinates {
        x: points.iter().map(|point| point.x).collect(),
        y: points.iter().map(|point| point.y).collect(),
    }
}
