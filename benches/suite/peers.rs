//! Operations on vectors on the host's cores, all of them: this library's engine, ark-ff
//! and blst.

use std::time::Instant;

use anyhow::ensure;
use ark_bls12_381::{Fq, Fr as ArkFr};
use ark_ff::BigInt;
use blst::{blst_fp, blst_fr};
use field_kernels::{Fp, Fr, PrimeField, arithmetic};
use gpu_executor::vectors::VectorEngine;
use gpu_executor_benches::random;
use rayon::prelude::*;

use crate::cpu::{blst, each_into_by_all};
use crate::measure::{Group, Suite};
use crate::operations::operations;
use crate::vectors::{Clock, On};

/// The most elements of a vector.
const MOST: usize = 1 << 22;

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut on = On {
        engine: VectorEngine::cpu()?,
        reference: VectorEngine::cpu_with_threads(1)?,
        pace: None,
        clock: Clock::Host,
    };
    let (mut group, plan) = suite.group("peers");
    for elements in plan.longest_vectors().filter(|count| *count <= MOST) {
        on.field::<Fp>(&mut group, elements, operations())?;
        on.field::<Fr>(&mut group, elements, operations())?;
        fp(&mut group, elements)?;
        fr(&mut group, elements)?;
    }
    Ok(())
}

fn fp(group: &mut Group<'_>, elements: usize) -> anyhow::Result<()> {
    use arithmetic::{add, mul};
    let of = |limbs| Fq::new_unchecked(BigInt(limbs));
    let mut on = Peer::<Fp, _>::new(group, elements, of, |it: &Fq| it.0.0);
    on.measure("ark-ff fp add", add::<Fp>, |x, y| *x + y)?;
    on.measure("ark-ff fp mul", mul::<Fp>, |x, y| *x * y)?;
    let mut on = Peer::<Fp, _>::new(group, elements, |l| blst_fp { l }, |it| it.l);
    on.measure("blst fp add", add::<Fp>, blst!(blst_fp_add))?;
    on.measure("blst fp mul", mul::<Fp>, blst!(blst_fp_mul))
}

fn fr(group: &mut Group<'_>, elements: usize) -> anyhow::Result<()> {
    use arithmetic::{add, mul};
    let of = |limbs| ArkFr::new_unchecked(BigInt(limbs));
    let mut on = Peer::<Fr, _>::new(group, elements, of, |it: &ArkFr| it.0.0);
    on.measure("ark-ff fr add", add::<Fr>, |x, y| *x + y)?;
    on.measure("ark-ff fr mul", mul::<Fr>, |x, y| *x * y)?;
    let mut on = Peer::<Fr, _>::new(group, elements, |l| blst_fr { l }, |it| it.l);
    on.measure("blst fr add", add::<Fr>, blst!(blst_fr_add))?;
    on.measure("blst fr mul", mul::<Fr>, blst!(blst_fr_mul))
}

/// A library whose elements are `T`, with two vectors of them and memory for a third.
struct Peer<'g, 'b, F: PrimeField, T> {
    group: &'g mut Group<'b>,
    operands: [Vec<F::Limbs>; 2],
    x: Vec<T>,
    y: Vec<T>,
    out: Vec<T>,
    limbs: fn(&T) -> F::Limbs,
}

impl<'g, 'b, F: PrimeField, T: Copy + Send + Sync> Peer<'g, 'b, F, T> {
    /// `of` makes an element of its limbs, and `limbs` does the opposite.
    fn new(
        group: &'g mut Group<'b>,
        elements: usize,
        of: fn(F::Limbs) -> T,
        limbs: fn(&T) -> F::Limbs,
    ) -> Self {
        let operands = [0, 1].map(|seed| random::<F>(seed, elements));
        let [x, y] = operands
            .each_ref()
            .map(|it| it.iter().copied().map(of).collect::<Vec<_>>());
        Self {
            out: x.clone(),
            x,
            y,
            group,
            operands,
            limbs,
        }
    }

    /// Measures `one` over all pairs, into memory that is used again, and holds it to the
    /// reference.
    fn measure(
        &mut self,
        name: &str,
        reference: fn(&F::Limbs, &F::Limbs) -> F::Limbs,
        one: impl Fn(&T, &T) -> T + Sync,
    ) -> anyhow::Result<()> {
        let (elements, out) = (self.x.len(), &mut self.out);
        self.group
            .timed(name, elements, elements as u64, |iterations| {
                let start = Instant::now();
                for _ in 0..iterations {
                    each_into_by_all(out, &self.x, &self.y, &one);
                }
                Ok(start.elapsed())
            })?;
        let [x, y] = &self.operands;
        let all = self.out.par_iter().zip(x.par_iter().zip(y));
        let wrong = all.position_first(|(out, (x, y))| (self.limbs)(out) != reference(x, y));
        ensure!(wrong.is_none(), "{name}: element {wrong:?} is wrong");
        Ok(())
    }
}
