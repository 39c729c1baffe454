//! Blobs on the device and on the CPU: the official cases, and how long batches take beside
//! c-kzg and rust_eth_kzg on all cores, in the same run and with the same bytes.
//!
//! `cargo run --release -p gpu-executor-kzg --example blobs -- --blobs 64`. With
//! `--vectors DIR` it runs the cases of a folder in the official layout,
//! `DIR/FUNCTION/SUITE/CASE/data.yaml`, and nothing else; it exits 1 where one fails.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program"
)]

#[allow(dead_code, reason = "the tests use more of it")]
mod cases;
mod compare;
mod soak;

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use gpu_executor::Cache;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{TableMemory, VectorEngine};
use gpu_executor_kzg::{Error, Kzg, TrustedSetup};

use crate::cases::Cases;

#[derive(Parser)]
struct Options {
    /// The largest batch.
    #[arg(long, default_value = "64")]
    blobs: NonZeroUsize,
    /// Run the cases of a folder, and nothing else.
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
    /// Without a device: all on the CPU.
    #[arg(long)]
    cpu: bool,
    /// Without c-kzg and rust_eth_kzg.
    #[arg(long)]
    alone: bool,
    /// MiB of the device's memory for multiples of points; as much as pays without it.
    #[arg(long, value_name = "MIB")]
    tables: Option<usize>,
    /// Where tables are kept, instead of the user's cache folder.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Instead of timing, compute so many small batches of all functions, on and on, and see that
    /// bytes stay the same and memory does not grow.
    #[arg(long, value_name = "BATCHES")]
    soak: Option<usize>,
    /// Instead of timing, say what the windows of batches are made of, of three functions, once all
    /// is warm.
    #[arg(long)]
    stages: bool,
    /// Calls that a median is of, fewer where they take longer than two seconds.
    #[arg(long, default_value_t = 5)]
    samples: usize,
}

impl Options {
    /// Numbers of blobs, up to the largest.
    fn batches(&self) -> Vec<usize> {
        let smaller = [1, 6, 21, 64, 256].into_iter();
        let smaller = smaller.filter(|it| *it < self.blobs.get());
        smaller.chain([self.blobs.get()]).collect()
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let setup = timed("the trusted setup, decoded", TrustedSetup::mainnet)?;
    let (mut engines, mut device) = (Vec::new(), None);
    if !options.cpu {
        let builder = PersistentVulkanBackend::builder().timestamps(options.stages);
        let backend = device.insert(timed("the device, opened", || builder.build())?);
        engines.push(backend.vectors()?);
    }
    if options.cpu || options.vectors.is_some() {
        engines.push(VectorEngine::cpu()?);
    }
    let cases = match &options.vectors {
        Some(folder) => cases::in_folder(folder)?,
        None => cases::built_in()?,
    };
    let cache = options.cache.clone().map_or(Cache::User, Cache::Folder);
    let mut all_passed = true;
    for engine in &engines {
        println!("{}", engine.engine());
        let tables = options
            .tables
            .map_or(TableMemory::AsPays, |it| TableMemory::Bytes(it << 20));
        let kzg = timed(
            "tables for commitments and for proofs of cells, made or read",
            || {
                let bar = Bar::new("tables", 0);
                let shown = |done, of| bar.show(done, of);
                let kzg = Kzg::with_tables_watched(engine, &setup, tables, &cache, shown);
                bar.clear();
                kzg
            },
        )?;
        all_passed &= run(&kzg, &cases);
        if options.vectors.is_none() {
            ensure!(all_passed, "a case failed");
            match options.soak {
                Some(batches) => all_passed &= soak::run(&kzg, batches, device.as_ref())?,
                None if options.stages => stages(&kzg, &options)?,
                None => compare::run(&kzg, &options)?,
            }
        }
    }
    Ok(match all_passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs all cases, and says of each function how many passed; whether all did.
fn run(kzg: &Kzg, cases: &Cases) -> bool {
    let mut all_passed = true;
    let bar = Bar::new("official cases", cases.values().map(|it| it.len()).sum());
    for (function, cases) in cases {
        let mut failed = Vec::new();
        for (name, case) in cases {
            if let Err(error) = case.check(kzg, function) {
                failed.push(format!("    {name}: {error:#}"));
            }
            bar.step();
        }
        bar.clear();
        println!(
            "  {function}: {} passed, {} failed",
            cases.len() - failed.len(),
            failed.len()
        );
        failed.iter().for_each(|it| println!("{it}"));
        all_passed &= failed.is_empty();
    }
    all_passed
}

/// Logs what this crate says of the last of several equal batches of three functions.
fn stages(kzg: &Kzg, options: &Options) -> Result<()> {
    let upper: Vec<u64> = (64..128).collect();
    for blobs in options.batches() {
        let blobs = compare::random_blobs(blobs)?;
        let blobs: Vec<_> = blobs.iter().map(|it| it.as_slice()).collect();
        let cells = compare::all(kzg.compute_cells_many(&blobs)?)?;
        let given: Vec<_> = cells.iter().map(|it| (&*upper, &it[64..])).collect();
        let logged = |what, call: &dyn Fn() -> Result<(), Error>| {
            for _ in 0..options.samples {
                call()?;
            }
            let log = tracing_subscriber::fmt()
                .with_ansi(false)
                .with_max_level(tracing::Level::DEBUG);
            let took = tracing::subscriber::with_default(log.finish(), || {
                let start = Instant::now();
                call().map(|()| start.elapsed())
            });
            println!("{} blobs, {what}: {:?}", blobs.len(), took?);
            anyhow::Ok(())
        };
        logged("commitments", &|| {
            kzg.blob_to_kzg_commitment_many(&blobs).map(drop)
        })?;
        logged("cells and proofs", &|| {
            kzg.compute_cells_and_kzg_proofs_many(&blobs).map(drop)
        })?;
        logged("recovery with proofs", &|| {
            kzg.recover_cells_and_kzg_proofs_many(&given).map(drop)
        })?;
    }
    Ok(())
}

fn timed<T, E>(what: &str, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let begin = Instant::now();
    let done = run()?;
    println!("{what}: {:.3} s", begin.elapsed().as_secs_f64());
    Ok(done)
}

/// A line that grows on a terminal, and is nothing elsewhere.
#[derive(Clone)]
struct Bar {
    what: String,
    done: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    of: usize,
}

impl Bar {
    fn new(what: &str, of: usize) -> Self {
        Self {
            what: what.to_owned(),
            done: Default::default(),
            of,
        }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let _ = self.show(done, self.of);
    }

    /// As [`Kzg::watched`] calls it.
    fn show(&self, done: usize, of: usize) -> ControlFlow<()> {
        const WIDTH: usize = 30;
        if std::io::stderr().is_terminal() {
            let full = WIDTH * done / of.max(1);
            let (full, rest) = ("#".repeat(full), ".".repeat(WIDTH - full));
            eprint!("\r{} [{full}{rest}] {done} of {of}\x1b[K", self.what);
            let _ = std::io::stderr().flush();
        }
        ControlFlow::Continue(())
    }

    fn clear(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
    }
}

/// The median time of a call, and what the last one returned.
fn median<T>(samples: usize, mut call: impl FnMut() -> Result<T>) -> Result<(Duration, T)> {
    let mut result = call()?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || (times.len() < samples && begin.elapsed() < Duration::from_secs(2)) {
        let begin = Instant::now();
        result = call()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok((times[times.len() / 2], result))
}
