//! What the examples share: random inputs, verification, medians, CSV.
#![allow(dead_code, reason = "each example uses a part of it")]

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gpu_executor::kernels::{ELEMENT_BYTES, LIMBS, MODULUS};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Two operands of one job.
pub(crate) type Operands = (Vec<u64>, Vec<u64>);

/// `elements` random canonical elements.
pub(crate) fn random_elements(elements: usize, seed: u64) -> Vec<u64> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut limbs = Vec::with_capacity(elements * LIMBS);
    while limbs.len() < elements * LIMBS {
        let mut element: [u64; LIMBS] = std::array::from_fn(|_| random.next_u64());
        // 381 bits: four out of five are below the modulus.
        element[LIMBS - 1] >>= 3;
        if element.iter().rev().lt(MODULUS.iter().rev()) {
            limbs.extend(element);
        }
    }
    limbs
}

/// `jobs` pairs of random operands.
pub(crate) fn random_jobs(jobs: usize, elements: usize) -> Vec<Operands> {
    let seeds = (0..).step_by(2).take(jobs);
    seeds
        .map(|seed| {
            (
                random_elements(elements, seed),
                random_elements(elements, seed + 1),
            )
        })
        .collect()
}

/// The jobs as the library takes them.
pub(crate) fn borrowed(jobs: &[Operands]) -> Vec<(&[u64], &[u64])> {
    jobs.iter()
        .map(|(a, b)| (a.as_slice(), b.as_slice()))
        .collect()
}

/// Compares `found` with `expected`, element by element.
pub(crate) fn verify(found: &[Vec<u64>], expected: &[Vec<u64>], what: &str) -> Result<()> {
    ensure!(
        found.len() == expected.len(),
        "{what}: expected {} results, found {}",
        expected.len(),
        found.len()
    );
    for (job, (found, expected)) in found.iter().zip(expected).enumerate() {
        let pairs = found.chunks(LIMBS).zip(expected.chunks(LIMBS));
        let wrong = pairs
            .enumerate()
            .find(|(_, (found, expected))| found != expected);
        if let Some((element, (found, expected))) = wrong {
            anyhow::bail!(
                "{what}: job {job}, element {element}: expected {expected:x?}, found {found:x?}"
            );
        }
        ensure!(
            found.len() == expected.len(),
            "{what}: job {job} has the wrong length"
        );
    }
    Ok(())
}

/// The median time of `samples` calls of `run` after one that warms up; every
/// result is verified, outside the timed part.
pub(crate) fn median_of(
    samples: usize,
    expected: &[Vec<u64>],
    what: &str,
    mut run: impl FnMut() -> Result<Vec<Vec<u64>>>,
) -> Result<Duration> {
    verify(&run()?, expected, what)?;
    let mut times = Vec::with_capacity(samples);
    for _ in 0..samples.max(1) {
        let start = Instant::now();
        let results = run()?;
        times.push(start.elapsed());
        verify(&results, expected, what)?;
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// Milliseconds, for a table.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.4}", time.as_secs_f64() * 1e3)
}

/// How many times longer `slow` took than `fast`.
pub(crate) fn ratio(slow: Duration, fast: Duration) -> String {
    format!("{:.2}x", slow.as_secs_f64() / fast.as_secs_f64())
}

/// Elements per second and the bytes that they move.
#[expect(clippy::cast_precision_loss, reason = "figures for people to read")]
pub(crate) fn throughput(elements: usize, time: Duration) -> String {
    let rate = elements as f64 / time.as_secs_f64();
    let bytes = rate * 3.0 * ELEMENT_BYTES as f64;
    format!("{:.4} G/s, {:.2} GB/s", rate * 1e-9, bytes * 1e-9)
}

/// Rows of comma-separated values, written once complete.
pub(crate) struct Csv {
    rows: Vec<String>,
}

impl Csv {
    pub(crate) fn new(header: &str) -> Self {
        Self {
            rows: vec![header.to_owned()],
        }
    }

    /// Adds a row; a comma inside a value becomes a semicolon.
    pub(crate) fn row(&mut self, values: &[String]) {
        let values: Vec<_> = values.iter().map(|value| value.replace(',', ";")).collect();
        self.rows.push(values.join(","));
    }

    pub(crate) fn write(&self, path: Option<&Path>) -> Result<()> {
        let Some(path) = path else { return Ok(()) };
        let mut file = std::fs::File::create(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        writeln!(file, "{}", self.rows.join("\n"))?;
        println!("wrote {}", path.display());
        Ok(())
    }
}
