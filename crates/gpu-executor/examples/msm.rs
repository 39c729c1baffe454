//! Multi-scalar multiplications on a device or on the CPU engine, over G1 beside blst's on all
//! cores, and whether the sums are equal to those.
//!
//! `cargo run --release -p gpu-executor --features blst --example msm -- --log2 20`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use blst::{blst_p1, blst_p1_affine};
use clap::Parser;
use field_kernels::arithmetic;
use gpu_executor::vectors::{
    Bases, Curve, FieldVec, Fr, G1, G2, Integers, PointCheck, Scalars, TableMemory, VectorEngine,
    Xyzz,
};

use support::{Measured, equal, ms, ms_or_dash};

#[derive(Parser)]
#[command(about = "Times multi-scalar multiplications, and compares with blst")]
struct Options {
    /// The group of the points; blst is compared with over G1.
    #[arg(long, value_enum, default_value_t = Group::G1)]
    group: Group,
    /// log2 of the numbers of points.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 14, 18])]
    log2: Vec<u32>,
    /// Rows of scalars over the same points, a sum each.
    #[arg(long, default_value_t = 1)]
    rows: usize,
    /// Each row over points of its own.
    #[arg(long)]
    each: bool,
    /// Over prepared bases with so many multiples of each point at most, or `auto` for as many
    /// as pay.
    #[arg(long, value_parser = tables)]
    tables: Option<TableMemory>,
    /// What the scalars are.
    #[arg(long, value_enum, default_value_t = Kind::Uniform)]
    scalars: Kind,
    /// Scalars that are 0 or 1 as `bool`s, those of 32 bits as `u32`s.
    #[arg(long)]
    integers: bool,
    /// What the points are.
    #[arg(long, value_enum, default_value_t = Points::Distinct)]
    bases: Points,
    /// Do not compute by blst too; sums are held to known logarithms then.
    #[arg(long)]
    no_blst: bool,
    #[command(flatten)]
    measured: Measured,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Group {
    G1,
    G2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Random.
    Uniform,
    /// One random one for all.
    Equal,
    /// 0 or 1.
    ZeroOne,
    /// Every other one zero.
    HalfZero,
    /// Below 2^32.
    Short32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Points {
    /// Multiples of the generator.
    Distinct,
    /// The generator.
    Equal,
}

/// Scalars where they are multiplied by.
enum Resident {
    Elements(FieldVec<Fr>),
    Integers(Integers),
}

impl<'s> From<&'s Resident> for Scalars<'s> {
    fn from(resident: &'s Resident) -> Self {
        match resident {
            Resident::Elements(elements) => elements.into(),
            Resident::Integers(integers) => integers.into(),
        }
    }
}

fn tables(text: &str) -> Result<TableMemory> {
    match text {
        "auto" => Ok(TableMemory::AsPays),
        number => Ok(TableMemory::Multiples(number.parse()?)),
    }
}

const COLUMNS: [&str; 13] = [
    "log2",
    "rows",
    "points",
    "multiples",
    "prepared ms",
    "scalars",
    "kernels",
    "compiled ms",
    "on the device ms",
    "computed ms",
    "scalars from the host ms",
    "blst ms",
    "equal",
];

fn main() -> Result<()> {
    let options = Options::parse();
    let engine = options.measured.engine()?;
    let threads = std::thread::available_parallelism()?.get();
    println!(
        "{}; beside it blst on {threads} threads; medians",
        engine.engine()
    );
    let rows = options.log2.iter();
    let rows = rows.map(|log2| match options.group {
        Group::G1 if options.no_blst || options.rows > 1 => {
            row::<G1>(&engine, *log2, threads, &options, None)
        }
        Group::G1 => row::<G1>(&engine, *log2, threads, &options, Some(by_blst)),
        Group::G2 => row::<G2>(&engine, *log2, threads, &options, None),
    });
    options.measured.table(&engine, COLUMNS, rows)
}

/// A sum by another library, and the median of the times.
type Other<L> = fn(&[L], &[[u64; 4]], usize) -> Result<(L, Duration)>;

/// Everything over 2^log2 points.
fn row<C: Curve>(
    engine: &VectorEngine,
    log2: u32,
    threads: usize,
    options: &Options,
    by_blst: Option<Other<C::Limbs>>,
) -> Result<[String; 13]> {
    let n = 1_usize << log2;
    let step = match options.bases {
        Points::Distinct => 7,
        Points::Equal => 0,
    };
    let points = if options.each { n * options.rows } else { n };
    let points = walk::<C>(points, step, threads);
    let scalars = scalars(n * options.rows, options.scalars);
    let p = engine.upload_points::<C>(C::words(&points), PointCheck::Trusted)?;
    let upload = uploader(engine, &scalars, options)?;
    let s = upload()?;
    let prepare = |memory| Bases::prepare(&p, options.rows, memory);
    let prepare = || options.tables.map(prepare).transpose();
    // The second time nothing is compiled.
    drop(prepare()?);
    let begin = Instant::now();
    let bases = prepare()?;
    let prepared = begin.elapsed();
    let begun = |begin: Instant, s: &Resident| -> Result<_> {
        let queue = engine.queue();
        let msm = match (&bases, options.each) {
            (None, false) => queue.msm_rows(&p, s),
            (None, true) => queue.msm_each(&p, s, n),
            (Some(bases), false) => queue.msm_rows(bases, s),
            (Some(bases), true) => queue.msm_each(bases, s, n),
        }?;
        let done = queue.submit()?.wait()?;
        let sums = done.msm_rows(&msm)?;
        Ok((sums, begin.elapsed(), done.report().clone()))
    };
    let run = || begun(Instant::now(), &s);
    let first = run()?.2;
    let (_, timed, _) = support::timed(engine, options.measured.samples, run)?;
    let from_host = || begun(Instant::now(), &upload()?);
    let ((sums, report), total_from_host) = support::sampled(options.measured.samples, || {
        from_host().map(|(sums, time, report)| ((sums, report), time))
    })?;

    // Point i is the generator times i * step + 1.
    let by_logarithms = scalars.chunks(n).enumerate().map(|(number, row)| {
        let mut logarithm = [0; 4];
        let first = if options.each { number * n } else { 0 };
        for (i, scalar) in (first..).zip(row) {
            let of_point = arithmetic::to_montgomery::<Fr>(&[i as u64 * step + 1, 0, 0, 0]);
            let product = arithmetic::mul::<Fr>(scalar, &of_point);
            logarithm = arithmetic::add::<Fr>(&logarithm, &product);
        }
        Xyzz::<C>::from_affine(&C::GENERATOR).mul(&logarithm)
    });
    let mut is_equal = sums.iter().copied().eq(by_logarithms);
    let mut blst_time = None;
    if let Some(by_blst) = by_blst {
        let (sum, time) = by_blst(&points, &scalars, options.measured.samples)?;
        is_equal &= sum == sums[0].to_affine();
        blst_time = Some(time);
    }
    Ok([
        log2.to_string(),
        options.rows.to_string(),
        points.len().to_string(),
        bases.as_ref().map_or(1, Bases::multiples).to_string(),
        ms_or_dash(bases.map(|_| prepared)),
        scalars_and_points(options),
        report.kernels.to_string(),
        ms(first.compile),
        ms_or_dash(timed.device),
        ms(timed.total),
        ms(total_from_host),
        ms_or_dash(blst_time),
        equal(is_equal),
    ])
}

/// What brings the scalars up from the host.
fn uploader<'s>(
    engine: &'s VectorEngine,
    scalars: &'s [[u64; 4]],
    options: &Options,
) -> Result<Box<dyn Fn() -> Result<Resident> + 's>> {
    let low = scalars.iter().map(|limbs| limbs[0]);
    Ok(match (options.integers, options.scalars) {
        (false, _) => Box::new(move || {
            let elements = engine.upload_plain::<Fr>(scalars.as_flattened())?;
            Ok(Resident::Elements(elements))
        }),
        (true, Kind::ZeroOne) => {
            let integers: Vec<bool> = low.map(|it| it == 1).collect();
            Box::new(move || Ok(Resident::Integers(engine.upload_integers(&integers)?)))
        }
        (true, Kind::Short32) => {
            let integers: Result<Vec<u32>, _> = low.map(u32::try_from).collect();
            let integers = integers?;
            Box::new(move || Ok(Resident::Integers(engine.upload_integers(&integers)?)))
        }
        (true, _) => bail!("only scalars that are short can be integers"),
    })
}

/// As they are named in the table.
fn scalars_and_points(options: &Options) -> String {
    let integers = if options.integers { ", integers" } else { "" };
    let points = match options.bases {
        Points::Distinct => "",
        Points::Equal => ", equal points",
    };
    format!("{:?}{integers}{points}", options.scalars)
}

/// The generator times 1, step + 1, 2 step + 1, and so on.
fn walk<C: Curve>(n: usize, step: u64, threads: usize) -> Vec<C::Limbs> {
    let generator = Xyzz::<C>::from_affine(&C::GENERATOR);
    let step_point = generator.mul(&[step]).to_affine();
    let mut points = vec![C::GENERATOR; n];
    let each = n.div_ceil(threads).next_multiple_of(1024);
    std::thread::scope(|scope| {
        for (part, points) in points.chunks_mut(each).enumerate() {
            scope.spawn(move || {
                let first = (part * each) as u64 * step + 1;
                let mut point = generator.mul(&[first]);
                for block in points.chunks_mut(1024) {
                    let sums = block.iter().map(|_| {
                        let this = point;
                        point = point.add_affine(&step_point);
                        this
                    });
                    let sums: Vec<_> = sums.collect();
                    block.copy_from_slice(&Xyzz::to_affine_all(&sums));
                }
            });
        }
    });
    points
}

/// Plain integers below r.
fn scalars(n: usize, which: Kind) -> Vec<[u64; 4]> {
    let random = support::random::<Fr>(n, 5);
    let first = random[0];
    let scalars = random
        .into_iter()
        .enumerate()
        .map(|(i, scalar)| match which {
            Kind::Uniform => scalar,
            Kind::Equal => first,
            Kind::ZeroOne => [scalar[0] & 1, 0, 0, 0],
            Kind::HalfZero if i % 2 == 0 => [0; 4],
            Kind::HalfZero => scalar,
            Kind::Short32 => [scalar[0] & 0xffff_ffff, 0, 0, 0],
        });
    scalars.collect()
}

/// blst's.
fn by_blst(
    points: &[[u64; 12]],
    scalars: &[[u64; 4]],
    samples: usize,
) -> Result<([u64; 12], Duration)> {
    let points: Vec<blst_p1_affine> = points
        .iter()
        .map(|limbs| {
            let mut point = blst_p1_affine::default();
            point.x.l.copy_from_slice(&limbs[..6]);
            point.y.l.copy_from_slice(&limbs[6..]);
            point
        })
        .collect();
    let bytes: Vec<u8> = scalars
        .as_flattened()
        .iter()
        .flat_map(|limb| limb.to_le_bytes())
        .collect();
    let (sum, time): (blst_p1, _) = support::sampled(samples, || {
        let begin = Instant::now();
        let sum = blst::MultiPoint::mult(points.as_slice(), &bytes, 255);
        Ok((sum, begin.elapsed()))
    })?;
    let mut affine = blst_p1_affine::default();
    // SAFETY: both are there, and all of blst's limbs are values of it.
    unsafe { blst::blst_p1_to_affine(&mut affine, &sum) };
    let mut limbs = [0; 12];
    limbs[..6].copy_from_slice(&affine.x.l);
    limbs[6..].copy_from_slice(&affine.y.l);
    Ok((limbs, time))
}
