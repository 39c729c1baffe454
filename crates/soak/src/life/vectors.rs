//! Vectors that are uploaded, computed with, downloaded and dropped, on one engine; and
//! engines that are made, used once and dropped.

use anyhow::{Context, ensure};
use field_kernels::arithmetic::{add, mul, square};
use field_kernels::{ElementType, Fp};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::VectorEngine;
use gpu_executor::{AllocatedMemory, Cache};
use gpu_executor_soak::operands::Operands;
use gpu_executor_soak::{finding, process::Usage};

use super::batches::{described, print};

type Element = <Fp as ElementType>::Limbs;

/// Times the process is looked at, after the first tenth.
const LOOKS: usize = 10;
/// Engines that are made before the process is looked at.
const WARM_UP: usize = 20;

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
pub(crate) fn batches(count: usize, elements: usize, most: u64) -> anyhow::Result<bool> {
    let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
    let mut backend = builder.build()?;
    let engine = backend.vectors()?;
    let sizes = [1, 127, 1_000, 4_097, 20_000, elements];
    let sizes = sizes.into_iter().filter(|size| *size <= elements);
    let samples: Vec<_> = sizes
        .zip(1..)
        .map(|(size, seed)| Sample::new(size, seed))
        .collect();
    println!("{count} batches of vectors of up to {elements} elements");
    // Whole rounds of both ways, so that all looks are at the same place in one.
    let round = 2 * samples.len();
    let (mut done, mut seen): (usize, Vec<(Usage, AllocatedMemory)>) = (0, Vec::new());
    for look in 0..=LOOKS {
        let until = (count * (look + 1) / (LOOKS + 1)).next_multiple_of(round);
        while done < until.max(round) {
            let (sample, in_turn) = (&samples[done / 2 % samples.len()], done.is_multiple_of(2));
            let ran = sample.run(&engine, in_turn);
            ran.with_context(|| format!("batch {done} of vectors"))?;
            done += 1;
        }
        let now = (Usage::now()?, backend.allocated_memory()?);
        print(done, &now);
        seen.push(now);
    }
    let (Some(first), Some(last)) = (seen.first(), seen.last()) else {
        anyhow::bail!("nothing was looked at");
    };
    let growth = last.0.since(&first.0);
    let found = format!("{done} batches right; {growth}; {}", described(&last.1));
    let promise = format!(
        "{count} batches of vectors on one engine: resident memory grows by {} MiB at most, all else not at all",
        most >> 20
    );
    let flat = growth.is_within(most) && last.1 == first.1;
    Ok(finding(flat, &promise, &found))
}

/// Makes and drops `count` engines, each the last that keeps its device; whether
/// resident memory grew by `most` bytes at most and nothing else grew.
pub(crate) fn cycles(count: usize, most: u64) -> anyhow::Result<bool> {
    let sample = Sample::new(2_000, 9);
    let cycles = |count: usize| -> anyhow::Result<()> {
        (0..count).try_for_each(|_| {
            let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
            let engine = builder.build()?.vectors()?;
            sample.run(&engine, true)
        })
    };
    cycles(WARM_UP.min(count))?;
    let before = Usage::now()?;
    cycles(count)?;
    let growth = Usage::now()?.since(&before);
    println!("{count:>6} engines made and dropped: {growth}");
    let promise = format!(
        "{count} engines of vectors made and dropped: resident memory grows by {} MiB at most, all else not at all",
        most >> 20
    );
    let found = format!("{count} after {WARM_UP} others; {growth}");
    Ok(finding(growth.is_within(most), &promise, &found))
}
