//! Operations on vectors on the host's cores, all of them: this library's engine, ark-ff
//! and blst.

use ark_bls12_381::{Fq, Fr as ArkFr};
use ark_ff::BigInt;
use blst::{blst_fp, blst_fr};
use field_kernels::{Fp, Fr, PrimeField, arithmetic};
use gpu_executor::vectors::VectorEngine;
use gpu_executor_benches::{Expected, Operands};

use crate::cpu::{blst, each_into_by_all};
use crate::measure::{Group, Suite};
use crate::operations::operations;
use crate::vectors::{Clock, On};

/// The most elements of a vector.
const MOST: usize = 1 << 22;

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut on = On {
        engine: VectorEngine::cpu()?,
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
    let operands = Operands::<Fp>::random(elements);
    let (sums, products) = (sums::<Fp>(), products::<Fp>());
    let of = |limbs| Fq::new_unchecked(BigInt(limbs));
    let mut on = Peer::new(group, &operands, of, |it: &Fq| it.0.0);
    on.measure("ark-ff fp add", &sums, |x, y| *x + y)?;
    on.measure("ark-ff fp mul", &products, |x, y| *x * y)?;
    let mut on = Peer::new(group, &operands, |l| blst_fp { l }, |it: &blst_fp| it.l);
    on.measure("blst fp add", &sums, blst!(blst_fp_add))?;
    on.measure("blst fp mul", &products, blst!(blst_fp_mul))
}

fn fr(group: &mut Group<'_>, elements: usize) -> anyhow::Result<()> {
    let operands = Operands::<Fr>::random(elements);
    let (sums, products) = (sums::<Fr>(), products::<Fr>());
    let of = |limbs| ArkFr::new_unchecked(BigInt(limbs));
    let mut on = Peer::new(group, &operands, of, |it: &ArkFr| it.0.0);
    on.measure("ark-ff fr add", &sums, |x, y| *x + y)?;
    on.measure("ark-ff fr mul", &products, |x, y| *x * y)?;
    let mut on = Peer::new(group, &operands, |l| blst_fr { l }, |it: &blst_fr| it.l);
    on.measure("blst fr add", &sums, blst!(blst_fr_add))?;
    on.measure("blst fr mul", &products, blst!(blst_fr_mul))
}

fn sums<F: PrimeField>() -> Expected<F> {
    Expected::Each(|x, y, found| *found == arithmetic::add::<F>(x, y))
}

fn products<F: PrimeField>() -> Expected<F> {
    Expected::Each(|x, y, found| *found == arithmetic::mul::<F>(x, y))
}

/// A library whose elements are `T`, with two vectors of them and memory for a third.
struct Peer<'g, 'b, F: PrimeField, T> {
    group: &'g mut Group<'b>,
    operands: &'g Operands<F>,
    x: Vec<T>,
    y: Vec<T>,
    out: Vec<T>,
    limbs: fn(&T) -> F::Limbs,
}

impl<'g, 'b, F: PrimeField, T: Copy + Send + Sync> Peer<'g, 'b, F, T> {
    /// `of` makes an element of its limbs, and `limbs` does the opposite.
    fn new(
        group: &'g mut Group<'b>,
        operands: &'g Operands<F>,
        of: fn(F::Limbs) -> T,
        limbs: fn(&T) -> F::Limbs,
    ) -> Self {
        let elements = |limbs: &[F::Limbs]| limbs.iter().copied().map(of).collect::<Vec<_>>();
        let (x, y) = (elements(&operands.x), elements(&operands.y));
        Self {
            out: x.clone(),
            x,
            y,
            group,
            operands,
            limbs,
        }
    }

    /// Measures `one` over all pairs, into memory that is used again.
    fn measure(
        &mut self,
        name: &str,
        expected: &Expected<F>,
        one: impl Fn(&T, &T) -> T + Sync,
    ) -> anyhow::Result<()> {
        let (elements, out) = (self.x.len(), &mut self.out);
        self.group
            .timed(name, elements, elements as u64, |iterations| {
                let start = std::time::Instant::now();
                for _ in 0..iterations {
                    each_into_by_all(out, &self.x, &self.y, &one);
                }
                Ok(start.elapsed())
            })?;
        let found: Vec<_> = self.out.iter().map(self.limbs).collect();
        self.operands.check(expected, &found)
    }
}
