//! Vectors that are uploaded, computed with, downloaded and dropped, on one engine; and
//! engines that are made, used once and dropped.

use anyhow::{Context, ensure};
use field_kernels::arithmetic::{add, mul, square};
use field_kernels::{ElementType, Fp};
use gpu_executor::Cache;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::VectorEngine;
use gpu_executor_soak::operands::Operands;

use super::watch;

type Element = <Fp as ElementType>::Limbs;

/// Two vectors, and what comes of them.
struct Sample {
    operands: Operands,
    chain: Vec<Element>,
    sum: Element,
}

impl Sample {
    /// (x + y)^2 y of each pair, and the sum of it all.
    fn new(elements: usize, seed: u64) -> Self {
        let operands = Operands::random(elements, seed);
        let [a, b] = [&operands.a, &operands.b].map(|it| it.as_chunks().0);
        let pairs = a.iter().zip(b);
        let one = |(x, y): (&Element, &Element)| mul::<Fp>(&square::<Fp>(&add::<Fp>(x, y)), y);
        let chain: Vec<_> = pairs.map(one).collect();
        let zero = Element::default();
        let sum = chain.iter().fold(zero, |sum, x| add::<Fp>(&sum, x));
        Self {
            operands,
            chain,
            sum,
        }
    }

    /// Uploads, computes in place, downloads and drops; `in_turn` waits before it
    /// downloads.
    fn run(&self, engine: &VectorEngine, in_turn: bool) -> anyhow::Result<()> {
        let mut x = engine.upload::<Fp>(&self.operands.a)?;
        let y = engine.upload::<Fp>(&self.operands.b)?;
        let queue = engine.queue();
        queue.add_assign(&mut x, &y)?;
        queue.square_assign(&mut x)?;
        queue.mul_assign(&mut x, &y)?;
        let sum = queue.read(&queue.sum(&x)?)?;
        let pending = queue.submit()?;
        let (found, done) = match in_turn {
            true => {
                let done = pending.wait()?;
                (x.download::<[u64; 6]>()?, done)
            }
            false => (x.download::<[u64; 6]>()?, pending.wait()?),
        };
        ensure!(found == self.chain, "wrong elements");
        ensure!(done.element(&sum)? == self.sum, "a wrong sum");
        Ok(())
    }
}

/// Runs `count` batches of vectors of up to `elements` elements on one engine; whether
/// resident memory grew by `most` bytes at most and nothing else grew.
pub(crate) fn batches(count: usize, elements: usize, most: i64) -> anyhow::Result<bool> {
    let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
    let mut backend = builder.build()?;
    let engine = backend.vectors()?;
    let sizes = [1, 127, 1_000, 4_097, 20_000, elements];
    let sizes = sizes.into_iter().filter(|size| *size <= elements);
    let samples = sizes.zip(1..).map(|(size, seed)| Sample::new(size, seed));
    let samples: Vec<_> = samples.collect();
    println!("{count} batches of vectors of up to {elements} elements");
    // Each sample in both ways.
    let one = |number: usize| {
        let sample = &samples[number / 2 % samples.len()];
        let ran = sample.run(&engine, number.is_multiple_of(2));
        ran.with_context(|| format!("batch {number} of vectors"))
    };
    let work = ("batches of vectors on one engine", count, 2 * samples.len());
    watch::batches(work, most, one, || Ok(backend.allocated_memory()?))
}

/// Makes and drops `count` engines, each the last that keeps its device; whether
/// resident memory grew by `most` bytes at most and nothing else grew.
pub(crate) fn cycles(count: usize, most: i64) -> anyhow::Result<bool> {
    let sample = Sample::new(2_000, 9);
    watch::cycles(("engines of vectors made and dropped", count), most, || {
        let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
        sample.run(&builder.build()?.vectors()?, true)
    })
}
