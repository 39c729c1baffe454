//! Several operations in one submission and in several, and vectors that cross the bus.

use std::time::Instant;

use anyhow::{Result, ensure};
use field_kernels::{ElementType as _, Fp, PrimeField, arithmetic};
use gpu_executor::vectors::{FieldVec, Queue, VectorEngine};

use crate::measure::{Row, device_time, downloaded, host_time, median, random};

/// Ten additions as one kernel, as ten kernels and as ten submissions; and a chain of
/// five operations on few elements, host time of submission and wait included.
pub(crate) fn chains(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let (x, y) = (random::<Fp>(n, 3), random::<Fp>(n, 4));
    let (a, b) = (engine.upload::<Fp>(&x)?, engine.upload::<Fp>(&y)?);
    let mut expected = Vec::new();
    for (fused, name) in [
        (true, "fp 10 adds, one kernel"),
        (false, "fp 10 adds, 10 kernels"),
    ] {
        let record = |queue: &Queue| {
            queue.set_fusion(fused);
            ten_adds(queue, &a, &b)
        };
        let (time, result) = device_time(engine, rounds, record)?;
        let found = downloaded(&result.slice(..n.min(4096))?)?;
        match expected.is_empty() {
            true => expected = found,
            false => ensure!(found == expected, "{name}: another result than fused"),
        }
        rows.push(Row::new(name, n, time));
    }
    Ok(())
}

fn ten_adds(
    queue: &Queue,
    a: &FieldVec<Fp>,
    b: &FieldVec<Fp>,
) -> gpu_executor::Result<FieldVec<Fp>> {
    let mut sum = queue.add(a, b)?;
    for _ in 1..10 {
        sum = queue.add(&sum, b)?;
    }
    Ok(sum)
}

/// Products of which memory limits none: four for each element, in one kernel.
pub(crate) fn products<F: PrimeField>(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    const PRODUCTS: usize = 4;
    let (x, y) = (random::<F>(n, 3), random::<F>(n, 4));
    let (a, b) = (
        engine.upload::<F>(F::words(&x))?,
        engine.upload::<F>(F::words(&y))?,
    );
    let record = |queue: &Queue| {
        let mut product = queue.mul(&a, &b)?;
        for _ in 1..PRODUCTS {
            product = queue.mul(&product, &b)?;
        }
        Ok(product)
    };
    let (time, result) = device_time(engine, rounds, record)?;
    let found = downloaded(&result.slice(..n.min(4096))?)?;
    let name = format!("{} products, {PRODUCTS} in a kernel", F::NAME);
    for ((x, y), found) in x.iter().zip(&y).zip(&found) {
        let expected = (0..PRODUCTS).fold(*x, |product, _| arithmetic::mul::<F>(&product, y));
        ensure!(*found == expected, "{name}: another result than the CPU's");
    }
    rows.push(Row::new(name, PRODUCTS * n, time));
    Ok(())
}

/// Ten additions in one call and in ten, by the host's clock.
pub(crate) fn calls(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let x = random::<Fp>(n, 3);
    let (a, b) = (engine.upload::<Fp>(&x)?, engine.upload::<Fp>(&x)?);
    let one_call = || {
        let queue = engine.queue();
        // Held: what nobody holds is not computed.
        let _sum = ten_adds(&queue, &a, &b)?;
        queue.submit()?.wait()?;
        Ok(())
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
    rows.push(Row::new("fp 10 adds, one call (host)", n, time));
    let time = host_time(rounds, ten_calls)?;
    rows.push(Row::new("fp 10 adds, 10 calls (host)", n, time));
    Ok(())
}

pub(crate) fn small(engine: &VectorEngine, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
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
        rows.push(Row::new(name, SMALL, time));
    }
    Ok(())
}

pub(crate) fn transfers(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let x = random::<Fp>(n, 6);
    let mut out = vec![0; n * Fp::LIMBS];
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        let a = engine.upload::<Fp>(&x)?;
        // The last piece is on its way; a read of one element comes after it.
        let queue = engine.queue();
        let _first = queue.read(&a.slice(0..1)?)?;
        queue.submit()?.wait()?;
        up.push(begun.elapsed());
        let begun = Instant::now();
        a.download_into(&mut out)?;
        down.push(begun.elapsed());
    }
    ensure!(
        out == Fp::words(&x),
        "download: other elements than uploaded"
    );
    for (name, times) in [("fp upload (host)", up), ("fp download (host)", down)] {
        rows.push(Row::new(name, n, median(times)).moving::<Fp>(1));
    }
    Ok(())
}
