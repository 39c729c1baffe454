//! The same on the host's cores: this library's engine, ark-ff and blst.

use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use ark_bls12_381::{Fq, Fr as ArkFr};
use ark_ff::BigInt;
use blst::{blst_fp, blst_fp_add, blst_fp_mul, blst_fr, blst_fr_add, blst_fr_mul};

use anyhow::Result;
use field_kernels::{Field, Fp, Fr};
use gpu_executor::vectors::VectorEngine;

use crate::measure::{Row, device_time, median, random};
use crate::operations::element_wise;

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
        let (time, _) = device_time(&engine, rounds, |queue| (operation.record)(queue, &a, &b))?;
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
