//! The same additions without a GPU: this library's engine and its peers,
//! each with one thread and with all.

use ark_bls12_381::Fq;
use ark_ff::BigInt;
use blst::blst_fp;
use field_kernels::LIMBS;
use gpu_executor::Batch;
use gpu_executor::cpu::CpuEngine;
use gpu_executor_benches::Jobs;
use rayon::prelude::*;

use crate::measure::{Group, Suite, reused};

/// Elements that one thread computes at a time, as the library's engine does.
const GRAIN: usize = 4_096;
const ONE: &str = "1 thread";
const ALL: &str = "all threads";

/// A function of blst, as one of two elements.
macro_rules! blst {
    ($function:ident) => {
        |x, y| {
            let mut out = Default::default();
            // SAFETY: all three point to whole, initialised elements, and `out` is borrowed
            // by nobody else.
            unsafe { blst::$function(&raw mut out, x, y) };
            out
        }
    };
}
pub(crate) use blst;

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut engines = [(ONE, CpuEngine::with_threads(1)?), (ALL, CpuEngine::new()?)];
    let (mut group, plan) = suite.group("cpu");
    for &elements in &plan.sizes {
        let jobs = Jobs::random(1, elements);
        let slices = jobs.as_slices();
        let batch = Batch::new(&slices, elements);
        for (threads, engine) in &mut engines {
            group.calls(&format!("engine, {threads}"), &jobs, engine, &batch)?;
        }
        let of = |limbs| Fq::new_unchecked(BigInt(limbs));
        measure(&mut group, "ark-ff", &jobs, of, |it| &it.0.0, |a, b| *a + b)?;
        let of = |l| blst_fp { l };
        measure(
            &mut group,
            "blst",
            &jobs,
            of,
            |it| &it.l,
            blst!(blst_fp_add),
        )?;
    }
    Ok(())
}

/// Measures additions of a library whose elements are `T`: with one thread and with all, into
/// new memory and into memory that is used again. Addition is the same in Montgomery form, so
/// `of` takes the limbs as they are.
fn measure<T: Copy + Default + Send + Sync>(
    group: &mut Group<'_>,
    name: &str,
    jobs: &Jobs,
    of: fn([u64; LIMBS]) -> T,
    limbs: fn(&T) -> &[u64; LIMBS],
    add: impl Fn(&T, &T) -> T + Sync,
) -> anyhow::Result<()> {
    let [(a, b)] = jobs.as_slices()[..] else {
        anyhow::bail!("one job was asked for");
    };
    let elements =
        |limbs: &[u64]| -> Vec<T> { limbs.as_chunks().0.iter().map(|it| of(*it)).collect() };
    let (a, b) = (elements(a), elements(b));
    let check = |out: &[Vec<T>]| jobs.check_elements(out, limbs);
    let check_one = |out: &Vec<T>| jobs.check_elements(&[out], limbs);
    let mut results = vec![vec![T::default(); a.len()]];

    let one = format!("{name}, {ONE}");
    let call = || Ok(a.iter().zip(&b).map(|(a, b)| add(a, b)).collect());
    group.fresh(&one, jobs, call, check_one)?;
    let call = |out: &mut [Vec<T>]| {
        each_into(&mut out[0], &a, &b, &add);
        Ok(())
    };
    group.reused(&reused(&one), jobs, &mut results, call, check)?;

    let all = format!("{name}, {ALL}");
    let call = || {
        let pairs = a.par_iter().zip(&b).with_min_len(GRAIN);
        Ok(pairs.map(|(a, b)| add(a, b)).collect())
    };
    group.fresh(&all, jobs, call, check_one)?;
    let call = |out: &mut [Vec<T>]| {
        each_into_by_all(&mut out[0], &a, &b, &add);
        Ok(())
    };
    group.reused(&reused(&all), jobs, &mut results, call, check)
}

/// Writes what `one` makes of each pair.
fn each_into<T>(out: &mut [T], a: &[T], b: &[T], one: &impl Fn(&T, &T) -> T) {
    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
        *out = one(a, b);
    }
}

/// The same by all threads.
pub(crate) fn each_into_by_all<T: Send + Sync>(
    out: &mut [T],
    a: &[T],
    b: &[T],
    one: &(impl Fn(&T, &T) -> T + Sync),
) {
    let inputs = a.par_chunks(GRAIN).zip(b.par_chunks(GRAIN));
    let pieces = out.par_chunks_mut(GRAIN).zip(inputs);
    pieces.for_each(|(out, (a, b))| each_into(out, a, b, one));
}
