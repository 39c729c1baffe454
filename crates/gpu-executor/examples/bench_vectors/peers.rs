//! The same on the host's cores: this library's engine, ark-ff and blst.

use std::thread::available_parallelism;
use std::time::Instant;

use ark_bls12_381::{Fq, Fr as ArkFr};
use ark_ff::BigInt;
use blst::{blst_fp, blst_fp_add, blst_fp_mul, blst_fr, blst_fr_add, blst_fr_mul};

use anyhow::Result;
use field_kernels::{Fp, Fr, PrimeField};
use gpu_executor::vectors::VectorEngine;

use crate::measure::{Row, device_time, median, random};
use crate::operations::element_wise;

pub(crate) fn measure(n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    engine::<Fp>(n, rounds, rows)?;
    engine::<Fr>(n, rounds, rows)?;
    fp(n, rounds, rows);
    fr(n, rounds, rows);
    Ok(())
}

/// A function of blst, as one of two elements.
macro_rules! blst {
    ($function:ident) => {
        |x, y| {
            let mut out = Default::default();
            // SAFETY: three valid elements.
            unsafe { $function(&raw mut out, x, y) };
            out
        }
    };
}

/// arkworks and blst in the base field.
fn fp(n: usize, rounds: usize, rows: &mut Vec<Row>) {
    let on = operands::<Fp, _>(n, |limbs| Fq::new_unchecked(BigInt(limbs)));
    peer("ark-ff fp add", rounds, &on, |x, y| *x + y, rows);
    peer("ark-ff fp mul", rounds, &on, |x, y| *x * y, rows);
    let on = operands::<Fp, _>(n, |l| blst_fp { l });
    peer("blst fp add", rounds, &on, blst!(blst_fp_add), rows);
    peer("blst fp mul", rounds, &on, blst!(blst_fp_mul), rows);
}

/// The same in the scalar field.
fn fr(n: usize, rounds: usize, rows: &mut Vec<Row>) {
    let on = operands::<Fr, _>(n, |limbs| ArkFr::new_unchecked(BigInt(limbs)));
    peer("ark-ff fr mul", rounds, &on, |x, y| *x * y, rows);
    let on = operands::<Fr, _>(n, |l| blst_fr { l });
    peer("blst fr add", rounds, &on, blst!(blst_fr_add), rows);
    peer("blst fr mul", rounds, &on, blst!(blst_fr_mul), rows);
}

/// Two vectors, of the type that `of` makes of limbs.
fn operands<F: PrimeField, T>(n: usize, of: fn(F::Limbs) -> T) -> [Vec<T>; 2] {
    [1, 2].map(|seed| random::<F>(n, seed).into_iter().map(of).collect())
}

fn engine<F: PrimeField>(n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    let engine = VectorEngine::cpu()?;
    let (x, y) = (random::<F>(n, 1), random::<F>(n, 2));
    let (a, b) = (
        engine.upload::<F>(F::words(&x))?,
        engine.upload::<F>(F::words(&y))?,
    );
    for operation in element_wise::<F>() {
        let (time, _) = device_time(&engine, rounds, |queue| (operation.record)(queue, &a, &b))?;
        let name = format!("CPU engine {} {}", F::NAME, operation.name);
        rows.push(Row::new(name, n, time));
    }
    Ok(())
}

/// On all cores, into memory that is used again.
fn peer<T: Copy + Send + Sync>(
    name: &str,
    rounds: usize,
    [x, y]: &[Vec<T>; 2],
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
    let name = format!("{name}, {threads} threads");
    rows.push(Row::new(name, x.len(), median(times)));
}
