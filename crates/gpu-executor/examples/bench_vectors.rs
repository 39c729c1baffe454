//! Operations on vectors that stay on the device: each verified, then timed by the
//! device's own clock, beside what the device copies and what the host's cores do.
//!
//! `cargo run --release -p gpu-executor --example bench_vectors -- --log2 22`
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use field_kernels::{Field, Fp, Fr, arithmetic};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{Arithmetic, FieldVec, MemoryAccess, Queue, Scalar, VectorEngine};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

#[derive(Parser)]
#[command(about = "Times operations on vectors that stay on the device")]
struct Options {
    /// Elements of the vectors, as a power of two.
    #[arg(long, default_value_t = 20)]
    log2: u32,
    /// Timed submissions of each operation, of which the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Also times each arithmetic and each way to memory by itself.
    #[arg(long)]
    variants: bool,
    /// Leaves out the host's cores.
    #[arg(long)]
    no_cpu: bool,
    /// Writes the figures to this file as well.
    #[arg(long)]
    csv: Option<PathBuf>,
}

/// How long a device is at work before it is timed: its clocks rise slowly.
const WARM_UP: Duration = Duration::from_millis(700);

/// One figure.
struct Row {
    name: String,
    elements: usize,
    time: Duration,
    /// Bytes that it reads and writes, where that bounds it.
    bytes: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let mut backend = PersistentVulkanBackend::builder()
        .timestamps(true)
        .build()?;
    println!("{} ({})", backend.device().name, backend.device().driver);
    let engine = backend.vectors()?;
    let n = 1 << options.log2;
    let mut rows = Vec::new();
    operations::<Fp>(&engine, n, options.rounds, &mut rows)?;
    operations::<Fr>(&engine, n, options.rounds, &mut rows)?;
    chains(&engine, n, options.rounds, &mut rows)?;
    drop((engine, backend));
    // Times of the host, without timestamps on the device.
    let engine = VectorEngine::new()?;
    calls(&engine, n, options.rounds, &mut rows)?;
    small(&engine, options.rounds, &mut rows)?;
    crossings(&engine, n, options.rounds, &mut rows)?;
    drop(engine);
    if options.variants {
        variants(n, options.rounds, &mut rows)?;
    }
    if !options.no_cpu {
        cpu::measure(n.min(1 << 22), options.rounds, &mut rows)?;
    }
    let commands = device_copy(n * Fp::BYTES)?;
    println!("copy commands: {:.0} GB/s", commands / 1e9);
    let copy = best_copy(commands, &rows);
    report(&rows, copy);
    if let Some(path) = &options.csv {
        write_csv(path, &rows, copy)?;
    }
    Ok(())
}

/// What `record` computes from the operands, and the bytes of an element that it moves,
/// in elements.
struct Operation<F: Field> {
    name: &'static str,
    moved: usize,
    record: Record<F>,
    expected: fn(&F::Limbs, &F::Limbs) -> F::Limbs,
}

fn element_wise<F: Field>() -> Vec<Operation<F>> {
    vec![
        Operation {
            name: "copy",
            moved: 2,
            record: |q, x, _| q.copy(x),
            expected: |x, _| *x,
        },
        Operation {
            name: "add",
            moved: 3,
            record: |q, x, y| q.add(x, y),
            expected: arithmetic::add::<F>,
        },
        Operation {
            name: "sub",
            moved: 3,
            record: |q, x, y| q.sub(x, y),
            expected: arithmetic::sub::<F>,
        },
        Operation {
            name: "neg",
            moved: 2,
            record: |q, x, _| q.neg(x),
            expected: |x, _| arithmetic::neg::<F>(x),
        },
        Operation {
            name: "double",
            moved: 2,
            record: |q, x, _| q.double(x),
            expected: |x, _| arithmetic::double::<F>(x),
        },
        Operation {
            name: "mul",
            moved: 3,
            record: |q, x, y| q.mul(x, y),
            expected: arithmetic::mul::<F>,
        },
        Operation {
            name: "square",
            moved: 2,
            record: |q, x, _| q.square(x),
            expected: |x, _| arithmetic::square::<F>(x),
        },
        Operation {
            name: "axpy",
            moved: 3,
            record: |q, x, y| q.axpy(Scalar::new(F::R2), x, y),
            expected: |x, y| arithmetic::add::<F>(&arithmetic::mul::<F>(x, &F::R2), y),
        },
        Operation {
            name: "inverse",
            moved: 2,
            record: |q, x, _| q.inverse(x),
            expected: |x, _| arithmetic::inverse::<F>(x).unwrap_or_default(),
        },
    ]
}

/// What memory alone limits comes first: products take a device to its power limit,
/// and some stay slow for a while after that.
fn operations<F: Field>(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let on = Operands::<F>::new(engine, n)?;
    let heavy = ["mul", "square", "axpy", "inverse"];
    let (heavy, light): (Vec<_>, Vec<_>) = element_wise::<F>()
        .into_iter()
        .partition(|operation| heavy.contains(&operation.name));
    light
        .iter()
        .try_for_each(|it| on.element(it, rounds, rows))?;
    on.bit_reverse(rounds, rows)?;
    for reduction in reductions::<F>() {
        on.reduction(reduction, rounds, rows)?;
    }
    heavy.iter().try_for_each(|it| on.element(it, rounds, rows))
}

/// Two vectors, here and on the device.
struct Operands<'e, F: Field> {
    engine: &'e VectorEngine,
    x: Vec<F::Limbs>,
    y: Vec<F::Limbs>,
    a: FieldVec<F>,
    b: FieldVec<F>,
}

impl<'e, F: Field> Operands<'e, F> {
    fn new(engine: &'e VectorEngine, n: usize) -> Result<Self> {
        let (x, y) = (random::<F>(n, 1), random::<F>(n, 2));
        let [a, b] = [&x, &y].map(|elements| engine.upload::<F>(F::words(elements)));
        let (a, b) = (a?, b?);
        Ok(Self { engine, x, y, a, b })
    }

    fn element(&self, operation: &Operation<F>, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
        let (n, name) = (self.x.len(), format!("{} {}", F::NAME, operation.name));
        // The batched inverse is of 2^22 elements in the goals.
        let lengths: &[usize] = match operation.name {
            "inverse" => &[1 << 22, n],
            _ => &[n],
        };
        for &elements in lengths.iter().filter(|length| **length <= n) {
            let (a, b) = (self.a.slice(0..elements)?, self.b.slice(0..elements)?);
            let record = |queue: &Queue| (operation.record)(queue, &a, &b);
            let (time, result) = device_time(self.engine, rounds, record)?;
            verify::<F>(&name, &self.x, &self.y, &result, operation.expected)?;
            let (name, bytes) = (name.clone(), operation.moved * elements * F::BYTES);
            rows.push(Row {
                name,
                elements,
                time,
                bytes,
            });
        }
        Ok(())
    }

    fn reduction(
        &self,
        (name, moved, record): (&str, usize, Record<F>),
        rounds: usize,
        rows: &mut Vec<Row>,
    ) -> Result<()> {
        let record_one = |queue: &Queue| record(queue, &self.a, &self.b);
        let (time, result) = device_time(self.engine, rounds, record_one)?;
        let expected = on_cpu::<F>(&self.x, &self.y, record)?;
        ensure!(
            result.to_elements()? == expected,
            "{name}: another result than the CPU's"
        );
        let (elements, name) = (self.x.len(), format!("{} {name}", F::NAME));
        let bytes = moved * elements * F::BYTES;
        rows.push(Row {
            name,
            elements,
            time,
            bytes,
        });
        Ok(())
    }

    fn bit_reverse(&self, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
        let elements = self.x.len();
        let record = |queue: &Queue| queue.bit_reverse(&self.a);
        let (time, result) = device_time(self.engine, rounds, record)?;
        let second = result.slice(1..2)?.to_elements()?;
        ensure!(
            second == [self.x[elements / 2]],
            "bit_reverse: another result than expected"
        );
        let (name, bytes) = (format!("{} bit_reverse", F::NAME), 2 * elements * F::BYTES);
        rows.push(Row {
            name,
            elements,
            time,
            bytes,
        });
        Ok(())
    }
}

type Record<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> Result<FieldVec<F>>;

fn reductions<F: Field>() -> [(&'static str, usize, Record<F>); 3] {
    [
        ("sum", 1, |q, x, _| q.sum(x)),
        ("product", 1, |q, x, _| q.product(x)),
        ("inner_product", 2, |q, x, y| q.inner_product(x, y)),
    ]
}

fn on_cpu<F: Field>(x: &[F::Limbs], y: &[F::Limbs], record: Record<F>) -> Result<Vec<F::Limbs>> {
    let engine = VectorEngine::cpu()?;
    let (a, b) = (
        engine.upload::<F>(F::words(x))?,
        engine.upload::<F>(F::words(y))?,
    );
    let queue = engine.queue();
    let result = record(&queue, &a, &b)?;
    queue.submit()?.wait()?;
    result.to_elements()
}

/// The median time of a submission by the device's clock, and the last result.
fn device_time<F: Field>(
    engine: &VectorEngine,
    rounds: usize,
    record: impl Fn(&Queue) -> Result<FieldVec<F>>,
) -> Result<(Duration, FieldVec<F>)> {
    let mut times = Vec::new();
    let mut last = None;
    let begun = Instant::now();
    while times.len() < rounds {
        let queue = engine.queue();
        let result = record(&queue)?;
        let done = queue.submit()?.wait()?;
        let report = done.report();
        // Until the device's clocks are up.
        if begun.elapsed() > WARM_UP {
            times.push(report.device_time.unwrap_or(report.total));
        }
        last = Some(result);
    }
    times.sort_unstable();
    let last = last.ok_or_else(|| anyhow::anyhow!("no rounds"))?;
    Ok((times[times.len() / 2], last))
}

/// Compares elements from the start, the end and in between.
fn verify<F: Field>(
    name: &str,
    x: &[F::Limbs],
    y: &[F::Limbs],
    result: &FieldVec<F>,
    expected: fn(&F::Limbs, &F::Limbs) -> F::Limbs,
) -> Result<()> {
    let n = result.len();
    let part = 2_000.min(n);
    for start in [0, n / 2 - part / 2, n - part] {
        let found = result.slice(start..start + part)?.to_elements()?;
        for (i, found) in found.iter().enumerate() {
            let i = start + i;
            ensure!(
                *found == expected(&x[i], &y[i]),
                "{name}: wrong at element {i}"
            );
        }
    }
    Ok(())
}

/// Ten additions as one kernel, as ten kernels and as ten submissions; and a chain of
/// five operations on few elements, host time of submission and wait included.
fn chains(engine: &VectorEngine, n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    let (x, y) = (random::<Fp>(n, 3), random::<Fp>(n, 4));
    let (a, b) = (engine.upload::<Fp>(&x)?, engine.upload::<Fp>(&y)?);
    let ten = |queue: &Queue| {
        let mut sum = queue.add(&a, &b)?;
        for _ in 1..10 {
            sum = queue.add(&sum, &b)?;
        }
        Ok(sum)
    };
    let mut expected = Vec::new();
    for (fused, name) in [
        (true, "fp 10 adds, one kernel"),
        (false, "fp 10 adds, 10 kernels"),
    ] {
        let record = |queue: &Queue| {
            queue.set_fusion(fused);
            ten(queue)
        };
        let (time, result) = device_time(engine, rounds, record)?;
        let found = result.slice(0..n.min(4096))?.to_elements()?;
        match expected.is_empty() {
            true => expected = found,
            false => ensure!(found == expected, "{name}: another result than fused"),
        }
        rows.push(Row {
            name: name.to_owned(),
            elements: n,
            time,
            bytes: 0,
        });
    }
    Ok(())
}

/// Ten additions in one call and in ten, by the host's clock.
fn calls(engine: &VectorEngine, n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    let x = random::<Fp>(n, 3);
    let (a, b) = (engine.upload::<Fp>(&x)?, engine.upload::<Fp>(&x)?);
    let one_call = || {
        let queue = engine.queue();
        let mut sum = queue.add(&a, &b)?;
        for _ in 1..10 {
            sum = queue.add(&sum, &b)?;
        }
        queue.submit()?.wait().map(drop)
    };
    let ten_calls = || {
        let mut sum = a.clone();
        for _ in 0..10 {
            let queue = engine.queue();
            queue.add_assign(&mut sum, &b)?;
            queue.submit()?.wait()?;
        }
        Ok(())
    };
    let time = host_time(rounds, one_call)?;
    rows.push(Row {
        name: "fp 10 adds, one call (host)".to_owned(),
        elements: n,
        time,
        bytes: 0,
    });
    let time = host_time(rounds, ten_calls)?;
    rows.push(Row {
        name: "fp 10 adds, 10 calls (host)".to_owned(),
        elements: n,
        time,
        bytes: 0,
    });
    Ok(())
}

/// The median time of a call by the host's clock.
fn host_time(rounds: usize, call: impl Fn() -> Result<()>) -> Result<Duration> {
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < rounds {
        let start = Instant::now();
        call()?;
        if begun.elapsed() > WARM_UP {
            times.push(start.elapsed());
        }
    }
    Ok(median(times))
}

fn small(engine: &VectorEngine, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    const SMALL: usize = 1024;
    let x = random::<Fp>(SMALL, 5);
    let a = engine.upload::<Fp>(&x)?;
    for (name, fused) in [
        ("fp 5 operations (host)", true),
        ("fp 5 operations, 5 kernels (host)", false),
    ] {
        let call = || {
            let queue = engine.queue();
            queue.set_fusion(fused);
            let b = queue.mul(&a, &a)?;
            let c = queue.add(&b, &a)?;
            let d = queue.sub(&queue.double(&c)?, &b)?;
            let e = queue.square(&d)?;
            queue.submit()?.wait()?;
            drop(e);
            Ok(())
        };
        let time = host_time(100 * rounds, call)?;
        rows.push(Row {
            name: name.to_owned(),
            elements: SMALL,
            time,
            bytes: 0,
        });
    }
    Ok(())
}

fn crossings(engine: &VectorEngine, n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    let x = random::<Fp>(n, 6);
    let mut out = vec![0; n * Fp::LIMBS];
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        let a = engine.upload::<Fp>(&x)?;
        // The last piece is on its way; a read of one element comes after it.
        let queue = engine.queue();
        queue.read(&a.slice(0..1)?)?;
        queue.submit()?.wait()?;
        up.push(begun.elapsed());
        let begun = Instant::now();
        a.download(&mut out)?;
        down.push(begun.elapsed());
    }
    ensure!(
        out == Fp::words(&x),
        "download: other elements than uploaded"
    );
    let bytes = n * Fp::BYTES;
    rows.push(Row {
        name: "fp upload (host)".to_owned(),
        elements: n,
        time: median(up),
        bytes,
    });
    rows.push(Row {
        name: "fp download (host)".to_owned(),
        elements: n,
        time: median(down),
        bytes,
    });
    Ok(())
}

/// Each arithmetic, each way to memory and each size of a workgroup by itself.
fn variants(n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    let accesses = [
        MemoryAccess::Direct,
        MemoryAccess::Staged,
        MemoryAccess::StagedStores,
    ];
    for arithmetic in Arithmetic::ALL {
        for access in accesses {
            for group in [32, 64, 128] {
                // Far slower than the others where they run at all.
                let slow = arithmetic == Arithmetic::U32;
                if slow && (access, group) != (MemoryAccess::Direct, 128) {
                    continue;
                }
                let builder = PersistentVulkanBackend::builder().timestamps(true);
                let builder = builder.arithmetic(arithmetic).memory_access(access);
                let mut backend = builder.workgroup_size(group).build()?;
                let engine = match backend.vectors() {
                    Ok(engine) => engine,
                    Err(error) => {
                        println!("{arithmetic}: {error}");
                        continue;
                    }
                };
                let note = format!(" ({arithmetic} {access:?} {group})").to_lowercase();
                variant::<Fp>(&engine, n, rounds, &note, rows)?;
                variant::<Fr>(&engine, n, rounds, &note, rows)?;
            }
        }
    }
    Ok(())
}

fn variant<F: Field>(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    note: &str,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let x = random::<F>(n.min(1 << 12), 1);
    let x: Vec<F::Limbs> = x.iter().copied().cycle().take(n).collect();
    let (a, b) = (
        engine.upload::<F>(F::words(&x))?,
        engine.upload::<F>(F::words(&x))?,
    );
    for operation in element_wise::<F>() {
        if !["add", "neg", "mul"].contains(&operation.name) {
            continue;
        }
        let record = |queue: &Queue| (operation.record)(queue, &a, &b);
        let (time, _) = device_time(engine, rounds, record)?;
        let name = format!("{} {}{note}", F::NAME, operation.name);
        let bytes = operation.moved * n * F::BYTES;
        rows.push(Row {
            name,
            elements: n,
            time,
            bytes,
        });
    }
    Ok(())
}

/// Bytes per second that the device copies, read and written.
fn device_copy(bytes: usize) -> Result<f64> {
    use vk_core::{Device, DevicePolicy, Instance, InstanceOptions};
    let devices = Instance::new(&InstanceOptions::default())?.devices()?;
    let caps: Vec<_> = devices.iter().map(|device| device.caps().clone()).collect();
    let choice = vk_core::choose_device(&caps, &DevicePolicy::Auto)?;
    let device = Device::with_one_queue(&devices[choice.index])?;
    Ok(vk_mem_paths::Bandwidth::measure(&device, bytes)?.device_copy)
}

fn random<F: Field>(count: usize, seed: u64) -> Vec<F::Limbs> {
    let mut random = SmallRng::seed_from_u64(seed);
    let shift = F::MODULUS.as_ref()[F::LIMBS - 1].leading_zeros();
    let mut elements = Vec::with_capacity(count);
    while elements.len() < count {
        let mut element = F::Limbs::default();
        element
            .as_mut()
            .iter_mut()
            .for_each(|limb| *limb = random.next_u64());
        element.as_mut()[F::LIMBS - 1] >>= shift;
        if arithmetic::is_canonical::<F>(&element) {
            elements.push(element);
        }
    }
    elements
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The most that moves in a second, by copy commands or by the copying kernel.
fn best_copy(commands: f64, rows: &[Row]) -> f64 {
    let copies = rows.iter().filter(|row| row.name.ends_with(" copy"));
    copies.map(|row| rates(row).1).fold(commands, f64::max)
}

fn report(rows: &[Row], copy: f64) {
    println!("device copy: {:.0} GB/s", copy / 1e9);
    for row in rows {
        let (rate, bandwidth) = rates(row);
        print!(
            "{:42} {:>10} {:>12.3?} {rate:9.3} G/s",
            row.name, row.elements, row.time
        );
        match row.bytes {
            0 => println!(),
            _ => println!(
                " {:8.0} GB/s {:6.3} of copy",
                bandwidth / 1e9,
                bandwidth / copy
            ),
        }
    }
}

/// 10^9 elements per second, and bytes per second.
#[expect(clippy::cast_precision_loss, reason = "rates for people to read")]
fn rates(row: &Row) -> (f64, f64) {
    let seconds = row.time.as_secs_f64();
    (
        row.elements as f64 / seconds / 1e9,
        row.bytes as f64 / seconds,
    )
}

fn write_csv(path: &std::path::Path, rows: &[Row], copy: f64) -> Result<()> {
    use std::fmt::Write as _;
    let mut text = String::from(
        "name,elements,nanoseconds,elements_per_second,bytes_per_second,of_device_copy\n",
    );
    for row in rows {
        let (rate, bandwidth) = rates(row);
        let name = row.name.replace(',', ";");
        writeln!(
            text,
            "{name},{},{},{:.0},{bandwidth:.0},{:.4}",
            row.elements,
            row.time.as_nanos(),
            rate * 1e9,
            bandwidth / copy
        )?;
    }
    writeln!(text, "device copy,0,0,0,{copy:.0},1")?;
    Ok(std::fs::write(path, text)?)
}

/// The same on the host's cores: this library's engine, ark-ff and blst.
mod cpu {
    use std::thread::available_parallelism;

    use ark_bls12_381::{Fq, Fr as ArkFr};
    use ark_ff::BigInt;
    use blst::{blst_fp, blst_fp_add, blst_fp_mul, blst_fr, blst_fr_add, blst_fr_mul};

    use super::{
        Duration, Field, Fp, Fr, Instant, Result, Row, VectorEngine, element_wise, median, random,
    };

    pub(crate) fn measure(n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
        engine::<Fp>(n, rounds, rows)?;
        engine::<Fr>(n, rounds, rows)?;
        let (x, y) = (random::<Fp>(n, 1), random::<Fp>(n, 2));
        let ark = |limbs: &[[u64; 6]]| {
            limbs
                .iter()
                .map(|l| Fq::new_unchecked(BigInt(*l)))
                .collect()
        };
        peer(
            "ark-ff fp add",
            rounds,
            ark(&x),
            ark(&y),
            |x, y| *x + y,
            rows,
        );
        peer(
            "ark-ff fp mul",
            rounds,
            ark(&x),
            ark(&y),
            |x, y| *x * y,
            rows,
        );
        let of = |limbs: &[[u64; 6]]| limbs.iter().map(|l| blst_fp { l: *l }).collect();
        let add = |x: &blst_fp, y: &blst_fp| {
            let mut out = blst_fp::default();
            // SAFETY: three valid elements.
            unsafe { blst_fp_add(&raw mut out, x, y) };
            out
        };
        let mul = |x: &blst_fp, y: &blst_fp| {
            let mut out = blst_fp::default();
            // SAFETY: three valid elements.
            unsafe { blst_fp_mul(&raw mut out, x, y) };
            out
        };
        peer("blst fp add", rounds, of(&x), of(&y), add, rows);
        peer("blst fp mul", rounds, of(&x), of(&y), mul, rows);
        let (x, y) = (random::<Fr>(n, 1), random::<Fr>(n, 2));
        let ark = |limbs: &[[u64; 4]]| {
            limbs
                .iter()
                .map(|l| ArkFr::new_unchecked(BigInt(*l)))
                .collect()
        };
        peer(
            "ark-ff fr mul",
            rounds,
            ark(&x),
            ark(&y),
            |x, y| *x * y,
            rows,
        );
        let of = |limbs: &[[u64; 4]]| limbs.iter().map(|l| blst_fr { l: *l }).collect();
        let add = |x: &blst_fr, y: &blst_fr| {
            let mut out = blst_fr::default();
            // SAFETY: three valid elements.
            unsafe { blst_fr_add(&raw mut out, x, y) };
            out
        };
        let mul = |x: &blst_fr, y: &blst_fr| {
            let mut out = blst_fr::default();
            // SAFETY: three valid elements.
            unsafe { blst_fr_mul(&raw mut out, x, y) };
            out
        };
        peer("blst fr add", rounds, of(&x), of(&y), add, rows);
        peer("blst fr mul", rounds, of(&x), of(&y), mul, rows);
        Ok(())
    }

    fn engine<F: Field>(n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
        let engine = VectorEngine::cpu()?;
        let (x, y) = (random::<F>(n, 1), random::<F>(n, 2));
        let (a, b) = (
            engine.upload::<F>(F::words(&x))?,
            engine.upload::<F>(F::words(&y))?,
        );
        for operation in element_wise::<F>() {
            let (time, _) =
                super::device_time(&engine, rounds, |queue| (operation.record)(queue, &a, &b))?;
            let name = format!("CPU engine {} {}", F::NAME, operation.name);
            rows.push(Row {
                name,
                elements: n,
                time,
                bytes: 0,
            });
        }
        Ok(())
    }

    /// On all cores, into memory that is used again.
    fn peer<T: Copy + Send + Sync>(
        name: &str,
        rounds: usize,
        x: Vec<T>,
        y: Vec<T>,
        one: impl Fn(&T, &T) -> T + Sync,
        rows: &mut Vec<Row>,
    ) {
        let threads = available_parallelism().map_or(1, usize::from);
        let each = x.len().div_ceil(threads);
        let mut out = x.clone();
        let mut times = Vec::new();
        for _ in 0..rounds {
            let begun = Instant::now();
            std::thread::scope(|scope| {
                let pieces = out.chunks_mut(each).zip(x.chunks(each).zip(y.chunks(each)));
                for (out, (x, y)) in pieces {
                    let one = &one;
                    scope.spawn(move || {
                        for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
                            *out = one(x, y);
                        }
                    });
                }
            });
            times.push(begun.elapsed());
        }
        let time: Duration = median(times);
        rows.push(Row {
            name: format!("{name}, {threads} threads"),
            elements: x.len(),
            time,
            bytes: 0,
        });
    }
}
