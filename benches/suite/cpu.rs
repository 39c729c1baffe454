//! The same additions without a GPU, for scale.

use std::marker::PhantomData;

use ark_bls12_381::Fq;
use ark_ff::{BigInt, Fp};
use blst::{blst_fp, blst_fp_add};
use criterion::Criterion;
use field_kernels::LIMBS;
use gpu_executor::cpu::CpuEngine;
use gpu_executor_benches::{Jobs, Plan};

use crate::measure::measure;

pub(crate) fn bench(criterion: &mut Criterion, plan: &Plan) -> anyhow::Result<()> {
    let mut engine = CpuEngine::new()?;
    let mut group = criterion.benchmark_group("cpu");
    for &elements in &plan.sizes {
        let jobs = Jobs::random(1, elements);
        let slices = jobs.as_slices();
        let call = || engine.field_add_batch(&slices, elements);
        measure(&mut group, "engine", &jobs, call, |out| jobs.check(out))?;

        let [(a, b)] = slices.as_slice() else {
            anyhow::bail!("one job was asked for");
        };
        let (left, right) = (map(a, arkworks), map(b, arkworks));
        let call = || Ok(left.iter().zip(&right).map(|(a, b)| *a + b).collect());
        measure(
            &mut group,
            "ark-ff, 1 thread",
            &jobs,
            call,
            |sums: &Vec<Fq>| jobs.check(&[sums.iter().flat_map(|sum| sum.0.0).collect()]),
        )?;

        let (left, right) = (map(a, |l| blst_fp { l }), map(b, |l| blst_fp { l }));
        let call = || Ok(left.iter().zip(&right).map(|(a, b)| add(a, b)).collect());
        measure(
            &mut group,
            "blst, 1 thread",
            &jobs,
            call,
            |sums: &Vec<blst_fp>| jobs.check(&[sums.iter().flat_map(|sum| sum.l).collect()]),
        )?;
    }
    group.finish();
    Ok(())
}

fn map<T>(limbs: &[u64], make: impl Fn([u64; LIMBS]) -> T) -> Vec<T> {
    limbs
        .as_chunks()
        .0
        .iter()
        .map(|chunk| make(*chunk))
        .collect()
}

/// The limbs as they are: addition is the same in Montgomery form.
fn arkworks(limbs: [u64; LIMBS]) -> Fq {
    Fp(BigInt(limbs), PhantomData)
}

fn add(a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut sum = blst_fp::default();
    // SAFETY: all three point to whole, initialised `blst_fp` values, and
    // `sum` is borrowed by nobody else.
    unsafe { blst_fp_add(&raw mut sum, a, b) };
    sum
}
