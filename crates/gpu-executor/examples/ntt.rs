//! Transforms of every direction and order, on a device or on the CPU engine, beside
//! ark-poly's on all cores, and whether all results are equal to those.
//!
//! `cargo run --release -p gpu-executor --features arkworks --example ntt -- --log2 20`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ark_bls12_381::Fr as ArkFr;
use ark_ff::{FftField as _, Field as _};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use clap::Parser;
use gpu_executor::vectors::{
    Domain, Element as _, FieldVec, Fr, Order, Scalar, Transform, VectorEngine,
};

use Order::{BitReversed, Natural};
use support::{Measured, Timed, equal, ms, ms_or_dash};

#[derive(Parser)]
#[command(about = "Times transforms over Fr, and compares with ark-poly")]
struct Options {
    /// log2 of the sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [12, 16, 20])]
    log2: Vec<u32>,
    /// Rows of that size in one vector, each transformed.
    #[arg(long, default_value_t = 1)]
    rows: usize,
    #[command(flatten)]
    measured: Measured,
    /// Transforms of a timed submission, each of what the one before it leaves; times are of
    /// one. A device that gets one short transform at a time lowers its clocks.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    chain: u32,
}

/// log2 of the longest transforms that ark-poly computes too. Longer ones are held to the values
/// of the polynomial at a few points, and to the way back.
const MOST_BY_ARK: u32 = 22;
/// The orders of what is taken and left.
const ORDERS: [(Order, Order); 3] = [
    (Natural, Natural),
    (Natural, BitReversed),
    (BitReversed, Natural),
];

const COLUMNS: [&str; 9] = [
    "log2",
    "rows",
    "transform",
    "from",
    "to",
    "on the device ms",
    "computed ms",
    "ark-poly ms",
    "equal",
];

fn main() -> Result<()> {
    let options = Options::parse();
    ensure!(options.rows > 0, "expected one row at least, found 0");
    let engine = options.measured.engine()?;
    let threads = std::thread::available_parallelism()?.get();
    println!(
        "{}; beside it ark-poly on {threads} threads; medians",
        engine.engine()
    );
    let rows = options
        .log2
        .iter()
        .flat_map(|log2| match rows_of_size(&engine, *log2, &options) {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
    options.measured.table(&engine, COLUMNS, rows)
}

/// All transforms of one size.
fn rows_of_size(engine: &VectorEngine, log2: u32, options: &Options) -> Result<Vec<[String; 9]>> {
    let size = 1_usize.checked_shl(log2).context("log2 is too large")?;
    if log2 > MOST_BY_ARK {
        return rows_without_ark(engine, size, options);
    }
    let limbs = support::random::<Fr>(size * options.rows, 1);
    let natural: Vec<ArkFr> = limbs.into_iter().map(ArkFr::from_limbs).collect();
    let x = engine.upload(&natural)?;
    let x_reversed = engine.upload(&bit_reversed(&natural, size))?;
    let mut rows = Vec::new();
    for (name, inverse, coset) in [
        ("forward", false, false),
        ("forward, coset", false, true),
        ("inverse", true, false),
        ("inverse, coset", true, true),
    ] {
        let domain = Domain::new(size)?;
        let (domain, offset) = match coset {
            true => (domain.coset_of_generator(), ArkFr::GENERATOR),
            false => (domain, ArkFr::ONE),
        };
        let by_ark = Radix2EvaluationDomain::new_coset(size, offset);
        let by_ark = by_ark.context("a domain of ark-poly")?;
        let (expected, ark_time) = ark(&by_ark, inverse, &natural, options.measured.samples)?;
        let transform = match inverse {
            false => Transform::forward(&domain),
            true => Transform::inverse(&domain),
        };
        for (from, to) in ORDERS {
            let x = if from == Natural { &x } else { &x_reversed };
            let transform = transform.from(from).to(to);
            let (found, timed) = timed(engine, x, &transform, options)?;
            let mut found = found.download()?;
            if to == BitReversed {
                found = bit_reversed(&found, size);
            }
            let times = (timed, Some(ark_time));
            let names = (name, from, to);
            rows.push(row(log2, options, names, times, found == expected));
        }
    }
    Ok(rows)
}

/// Of a size that ark-poly would take too long for: of c^i + d^i at place i.
fn rows_without_ark(
    engine: &VectorEngine,
    size: usize,
    options: &Options,
) -> Result<Vec<[String; 9]>> {
    let len = size.checked_mul(options.rows).context("too many rows")?;
    let domain = Domain::new(size)?;
    let queue = engine.queue();
    let [c, d] = [5, 6].map(|seed| support::random::<Fr>(1, seed)[0]);
    let x = queue.add(
        queue.powers(Scalar::new(c), len)?,
        queue.powers(Scalar::new(d), len)?,
    )?;
    queue.submit()?.wait()?;
    let forward = Transform::forward(&domain);
    let (y, there) = timed(engine, &x, &forward, options)?;
    let mut equal = true;
    for place in [0, 1, size / 3, size - 1] {
        let queue = engine.queue();
        let point = Scalar::new(domain.element(place));
        let value = queue.evaluate(&x.slice(..size)?, point)?;
        let same = queue.equal(&value, &y.slice(place..=place)?)?;
        equal &= queue.submit()?.wait()?.equal(&same)?;
    }
    let inverse = Transform::inverse(&domain);
    let (x_again, back) = timed(engine, &y, &inverse, options)?;
    let queue = engine.queue();
    let same = queue.equal(&x_again, &x)?;
    let back_is_equal = queue.submit()?.wait()?.equal(&same)?;
    let both = [("forward", there, equal), ("inverse", back, back_is_equal)];
    let row = |(name, timed, equal)| {
        let names = (name, Natural, Natural);
        row(size.ilog2(), options, names, (timed, None), equal)
    };
    Ok(both.into_iter().map(row).collect())
}

fn row(
    log2: u32,
    options: &Options,
    (name, from, to): (&str, Order, Order),
    (timed, ark): (Timed, Option<Duration>),
    is_equal: bool,
) -> [String; 9] {
    [
        log2.to_string(),
        options.rows.to_string(),
        name.to_owned(),
        title(from).to_owned(),
        title(to).to_owned(),
        ms_or_dash(timed.device),
        ms(timed.total),
        ms_or_dash(ark),
        equal(is_equal),
    ]
}

/// The result, and the medians of the time on the device and of that until it was waited for.
fn timed(
    engine: &VectorEngine,
    x: &FieldVec<Fr>,
    transform: &Transform,
    options: &Options,
) -> Result<(FieldVec<Fr>, Timed)> {
    let run = |chain: u32| -> Result<_> {
        let queue = engine.queue();
        let mut result = queue.transform(x, transform)?;
        for _ in 1..chain {
            result = queue.transform(&result, transform)?;
        }
        let done = queue.submit()?.wait()?;
        Ok((result, done.total(), done.report().clone()))
    };
    let chained = || run(options.chain);
    let (_, all, _) = support::timed(engine, options.measured.samples, chained)?;
    let of_one = Timed {
        device: all.device.map(|it| it / options.chain),
        total: all.total / options.chain,
    };
    Ok((run(1)?.0, of_one))
}

/// What ark-poly computes of each row, and the median of the times.
fn ark(
    domain: &Radix2EvaluationDomain<ArkFr>,
    inverse: bool,
    x: &[ArkFr],
    samples: usize,
) -> Result<(Vec<ArkFr>, Duration)> {
    let (rows, time) = support::sampled(samples, || {
        let rows = x.chunks(domain.size()).map(<[ArkFr]>::to_vec);
        let mut rows: Vec<Vec<ArkFr>> = rows.collect();
        let begin = Instant::now();
        for row in &mut rows {
            match inverse {
                false => domain.fft_in_place(row),
                true => domain.ifft_in_place(row),
            }
        }
        let time = begin.elapsed();
        Ok((rows, time))
    })?;
    Ok((rows.concat(), time))
}

fn bit_reversed(x: &[ArkFr], size: usize) -> Vec<ArkFr> {
    let bits = size.ilog2();
    let reverse = |i: usize| {
        i.reverse_bits()
            .checked_shr(usize::BITS - bits)
            .unwrap_or(0)
    };
    let rows = x.chunks(size);
    rows.flat_map(|row| (0..size).map(move |i| row[reverse(i)]))
        .collect()
}

fn title(order: Order) -> &'static str {
    match order {
        Natural => "natural",
        BitReversed => "bit-reversed",
    }
}
