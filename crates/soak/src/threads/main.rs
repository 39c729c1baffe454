//! `soak-threads`: threads that make, use and drop backends and engines of vectors beside
//! each other, and end while others open devices. It ends, or it does not: whoever starts
//! it sets a limit.
#![allow(
    clippy::print_stdout,
    reason = "a command-line program; the lint is for libraries"
)]

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use field_kernels::{Curve as _, Fp, Fr, G1, arithmetic};
use gpu_executor::Cache;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{PointCheck, Xyzz};
use gpu_executor_soak::operands::Operands;
use gpu_executor_soak::{finding, verdict};

/// What the threads do.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Each makes and drops backends, and makes pipelined calls of two jobs on each.
    Backends,
    /// Each makes and drops engines of vectors, and submits chains and multi-scalar
    /// multiplications on each.
    Engines,
    /// Both, in turn.
    Mixed,
    /// Short threads that begin and end all the time, with one backend or engine each.
    Ending,
}

#[derive(Parser)]
struct Args {
    #[arg(long, value_enum, default_value = "mixed")]
    what: What,
    /// Threads at once.
    #[arg(long, default_value_t = 4)]
    threads: usize,
    /// Backends or engines that each thread makes, one after the other.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Calls on each; of multi-scalar multiplications one.
    #[arg(long, default_value_t = 10)]
    calls: usize,
    /// Use the cache in the user's folder.
    #[arg(long)]
    cache: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!("{}", opening()?);
    let start = Instant::now();
    let mut made = 0;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let run = |thread: usize| {
            let args = &args;
            scope.spawn(move || work(args, thread))
        };
        let mut running: Vec<_> = (0..args.threads).map(run).collect();
        if args.what == What::Ending {
            // Each that ends is followed by another.
            for number in args.threads..args.threads * args.rounds {
                let oldest = running.remove(0);
                running.push(run(number));
                made += joined(oldest)?;
            }
        }
        for thread in running {
            made += joined(thread)?;
        }
        Ok(())
    })?;
    let promise = "threads make, use and drop backends and engines beside each other";
    let found = format!("{made} made, all right, in {:.1?}", start.elapsed());
    verdict(&[finding(true, promise, &found)])
}

/// How long making a backend takes, first and then again.
fn opening() -> anyhow::Result<String> {
    let open = || -> anyhow::Result<f64> {
        let start = Instant::now();
        let made = PersistentVulkanBackend::builder()
            .cache(Cache::Off)
            .build()?;
        let took = start.elapsed().as_secs_f64() * 1e3;
        drop(made);
        Ok(took)
    };
    let first = open()?;
    let mut again: Vec<f64> = (0..20).map(|_| open()).collect::<Result<_, _>>()?;
    again.sort_by(f64::total_cmp);
    let (median, most) = (again[10], again[19]);
    Ok(format!(
        "made a backend in {first:.1} ms, then again in {median:.2} ms (median of 20, {most:.2} at most)"
    ))
}

fn joined(
    thread: std::thread::ScopedJoinHandle<'_, anyhow::Result<usize>>,
) -> anyhow::Result<usize> {
    match thread.join() {
        Ok(made) => made,
        Err(_) => anyhow::bail!("a thread panicked"),
    }
}

/// What one thread does; how many backends and engines it made.
fn work(args: &Args, thread: usize) -> anyhow::Result<usize> {
    let rounds = match args.what {
        What::Ending => 1,
        _ => args.rounds,
    };
    for round in 0..rounds {
        let vectors = match args.what {
            What::Backends => false,
            What::Engines => true,
            What::Mixed | What::Ending => (thread + round).is_multiple_of(2),
        };
        let cache = match args.cache {
            true => Cache::User,
            false => Cache::Off,
        };
        let mut backend = PersistentVulkanBackend::builder().cache(cache).build()?;
        match vectors {
            true => chains(&mut backend, args.calls, thread),
            false => additions(&mut backend, args.calls, thread),
        }
        .with_context(|| format!("thread {thread}, round {round}"))?;
        if args.what == What::Ending {
            // Ends are spread over what the others do.
            std::thread::sleep(Duration::from_micros((thread as u64 * 7_919) % 3_000));
        }
    }
    Ok(rounds)
}

/// Pipelined calls of two jobs each, of 500 to 900 elements.
fn additions(
    backend: &mut PersistentVulkanBackend,
    calls: usize,
    seed: usize,
) -> anyhow::Result<()> {
    for call in 0..calls {
        let elements = 500 + (call * 137 + seed * 61) % 401;
        let operands = Operands::random(elements, (seed * 1_000 + call) as u64);
        let sums = operands.results(arithmetic::add::<Fp>);
        let jobs = [(&operands.a[..], &operands.b[..]); 2];
        let spirv = backend.field_add_spirv();
        let found = backend.run_field_add_batch_pipelined(spirv, &jobs, elements)?;
        ensure!(found == [sums.clone(), sums], "wrong sums in call {call}");
    }
    Ok(())
}

/// Chains of a sum and a product, and the sum of it all; and points times these.
fn chains(backend: &mut PersistentVulkanBackend, calls: usize, seed: usize) -> anyhow::Result<()> {
    let engine = backend.vectors()?;
    for call in 0..calls {
        let n = 500 + (call * 137 + seed * 61) % 401;
        let x = engine.upload_plain::<Fr>(&[3_u64, 0, 0, 0].repeat(n))?;
        let queue = engine.queue();
        let y = queue.to_montgomery(&x)?;
        let z = queue.mul(&queue.add(&y, &y)?, &y)?;
        let sum = queue.read(&queue.from_montgomery(&queue.sum(&z)?)?)?;
        let done = queue.submit()?.wait()?;
        let found = done.element(&sum)?;
        ensure!(
            found == [18 * n as u64, 0, 0, 0],
            "a wrong sum in call {call}"
        );
    }
    let n = 50 + seed % 50;
    let points =
        engine.upload_points::<G1>(&[G1::GENERATOR; 100].concat(), PointCheck::Subgroup)?;
    let integers = engine.upload_integers(&[3_u8; 100])?;
    let queue = engine.queue();
    let msm = queue.msm(&points.slice(..n)?, &integers.slice(..n)?)?;
    let sum = queue.submit()?.wait()?.msm(&msm)?;
    let expected = Xyzz::from_affine(&G1::GENERATOR).mul(&[3 * n as u64]);
    ensure!(sum == expected, "a wrong sum of {n} points");
    Ok(())
}
