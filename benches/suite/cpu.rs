//! The same additions without a GPU: this library's engine and its peers,
//! each with one thread and with all.

use ark_bls12_381::Fq;
use ark_ff::BigInt;
use blst::blst_fp;
use field_kernels::LIMBS;
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor_benches::Jobs;
use rayon::prelude::*;

use crate::measure::{Group, Suite};
use crate::paths::{as_slices, reused};

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
        for (threads, engine) in &mut engines {
            let name = format!("engine, {threads}");
            let call = || Ok(engine.field_add_batch(&slices, elements)?);
            group.fresh(&name, &jobs, call, |out| jobs.check(out))?;
            let call = |results: &mut [Vec<u64>]| {
                Ok(engine.field_add_batch_into(&slices, elements, &mut as_slices(results))?)
            };
            let (name, mut results) = (reused(&name), jobs.results());
            group.reused(&name, &jobs, &mut results, call, |out| jobs.check(out))?;
        }
        let arkworks = Peer {
            name: "ark-ff",
            make: |limbs| Fq::new_unchecked(BigInt(limbs)),
            limbs: |element| &element.0.0,
        };
        arkworks.measure(&mut group, &jobs, |a, b| *a + b)?;
        let blst = Peer {
            name: "blst",
            make: |l| blst_fp { l },
            limbs: |element| &element.l,
        };
        blst.measure(&mut group, &jobs, blst!(blst_fp_add))?;
    }
    Ok(())
}

/// A library to compare with, whose elements are `T`.
struct Peer<T> {
    name: &'static str,
    /// The limbs as they are: addition is the same in Montgomery form.
    make: fn([u64; LIMBS]) -> T,
    limbs: fn(&T) -> &[u64; LIMBS],
}

impl<T: Copy + Default + Send + Sync> Peer<T> {
    fn measure(
        &self,
        group: &mut Group<'_>,
        jobs: &Jobs,
        add: impl Fn(&T, &T) -> T + Sync,
    ) -> anyhow::Result<()> {
        let [(a, b)] = jobs.as_slices()[..] else {
            anyhow::bail!("one job was asked for");
        };
        let (a, b) = (self.elements(a), self.elements(b));
        let check = |out: &[Vec<T>]| jobs.check_elements(out, self.limbs);
        let check_one = |out: &Vec<T>| jobs.check_elements(&[out], self.limbs);

        let one = format!("{}, {ONE}", self.name);
        let call = || Ok(a.iter().zip(&b).map(|(a, b)| add(a, b)).collect());
        group.fresh(&one, jobs, call, check_one)?;
        let mut results = vec![vec![T::default(); a.len()]];
        let call = |out: &mut [Vec<T>]| {
            each_into(&mut out[0], &a, &b, &add);
            Ok(())
        };
        group.reused(&reused(&one), jobs, &mut results, call, check)?;

        let all = format!("{}, {ALL}", self.name);
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

    fn elements(&self, limbs: &[u64]) -> Vec<T> {
        let elements = limbs.as_chunks().0.iter();
        elements.map(|limbs| (self.make)(*limbs)).collect()
    }
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
