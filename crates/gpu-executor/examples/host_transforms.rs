//! Transforms of arkworks' elements on the host, in place: how long they take, and how long
//! the upload, the transform and the download of the same take one after the other.
//!
//! `cargo run --release -p gpu-executor --features arkworks --example host_transforms`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ark_bls12_381::Fr as ArkFr;
use clap::Parser;
use gpu_executor::vectors::{Domain, Element as _, FieldVec, Fr, Transform, VectorEngine};

use support::{median, ms};

#[derive(Parser)]
#[command(about = "Times transforms over Fr from host to host")]
struct Options {
    /// log2 of the sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [20, 22, 24])]
    log2: Vec<u32>,
    /// Rows of that size, each transformed.
    #[arg(long, value_delimiter = ',', default_values_t = [1])]
    rows: Vec<usize>,
    /// Compute on the CPU engine instead of a Vulkan device.
    #[arg(long)]
    cpu: bool,
    /// Timed runs of each; the median is shown.
    #[arg(long, default_value_t = 9)]
    samples: usize,
    /// Keep the device at work before each sample: one that is idle, or only copies, lowers
    /// its clock.
    #[arg(long)]
    busy: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let engine = match options.cpu {
        true => VectorEngine::cpu()?,
        false => VectorEngine::new()?,
    };
    println!(
        "{}; forward, both orders natural; medians, ms",
        engine.engine()
    );
    let columns = [
        "log2",
        "rows",
        "host to host",
        "upload",
        "computed",
        "download",
        "sum",
    ];
    let mut table = support::table(columns);
    for &log2 in &options.log2 {
        for &rows in &options.rows {
            let size = 1_usize.checked_shl(log2).context("log2 is too large")?;
            let len = size.checked_mul(rows).context("too many rows")?;
            let times = times(&engine, &Domain::new(size)?, len, &options)?;
            let shape = [log2.to_string(), rows.to_string()];
            let times = times.into_iter().map(ms);
            table.add_row(shape.into_iter().chain(times));
        }
    }
    println!("{table}");
    println!("equal");
    Ok(())
}

/// Medians: from host to host, the upload, the transform, the download, and these three.
fn times(
    engine: &VectorEngine,
    domain: &Domain,
    len: usize,
    options: &Options,
) -> Result<[Duration; 5]> {
    let [there, back] = [Transform::forward(domain), Transform::inverse(domain)];
    let limbs = support::random::<Fr>(len, 1);
    let x: Vec<ArkFr> = limbs.into_iter().map(ArkFr::from_limbs).collect();
    let mut places = vec![ArkFr::default(); len];
    let mut all: [Vec<Duration>; 5] = Default::default();
    let mut resident: FieldVec<Fr> = engine.upload(&x)?;
    let mut keep_busy = || match options.busy {
        false => Ok(()),
        true => support::warm_up(engine, || {
            let queue = engine.queue();
            queue.transform_assign(&mut resident, &there)?;
            queue.submit()?.wait()?;
            Ok(())
        }),
    };
    for sample in 0..=options.samples.max(1) {
        places.copy_from_slice(&x);
        keep_busy()?;
        let begin = Instant::now();
        engine.transform(&mut places, &there)?;
        let at_once = begin.elapsed();
        let found = places.clone();
        places.copy_from_slice(&x);
        keep_busy()?;
        let begin = Instant::now();
        let mut vector: FieldVec<Fr> = engine.upload(&places)?;
        let uploaded = begin.elapsed();
        let queue = engine.queue();
        queue.transform_assign(&mut vector, &there)?;
        queue.submit()?.wait()?;
        let computed = begin.elapsed();
        vector.download_into(&mut places)?;
        let downloaded = begin.elapsed();
        ensure!(
            found == places,
            "expected the same elements both ways, found others"
        );
        if sample == 0 {
            // It warms up, and is held to the way back.
            engine.transform(&mut places, &back)?;
            ensure!(
                places == x,
                "expected the elements there were, found others"
            );
            continue;
        }
        let steps = [
            uploaded,
            computed - uploaded,
            downloaded - computed,
            downloaded,
        ];
        let times = [at_once].into_iter().chain(steps);
        all.iter_mut()
            .zip(times)
            .for_each(|(all, time)| all.push(time));
    }
    Ok(all.map(median))
}
