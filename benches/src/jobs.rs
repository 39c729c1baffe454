//! Random inputs and the sums they must give.

use anyhow::bail;
use field_kernels::{LIMBS, MODULUS, reference};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The modulus' topmost limb: an element whose own is less is canonical.
const TOP_LIMB: u64 = MODULUS[LIMBS - 1];

/// Jobs of equal size with their sums from the CPU reference.
pub struct Jobs {
    inputs: Vec<(Vec<u64>, Vec<u64>)>,
    sums: Vec<Vec<u64>>,
    elements: usize,
}

impl Jobs {
    /// `count` jobs of `elements` random canonical elements each. The same
    /// arguments give the same inputs, in every run and on every machine.
    #[must_use]
    pub fn random(count: usize, elements: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(0x0381);
        let inputs: Vec<_> = (0..count)
            .map(|_| (vector(&mut rng, elements), vector(&mut rng, elements)))
            .collect();
        let sums = inputs.iter().map(|(a, b)| sum(a, b)).collect();
        Self {
            inputs,
            sums,
            elements,
        }
    }

    /// The inputs as the library takes them.
    #[must_use]
    pub fn as_slices(&self) -> Vec<(&[u64], &[u64])> {
        self.inputs
            .iter()
            .map(|(a, b)| (a.as_slice(), b.as_slice()))
            .collect()
    }

    /// Elements in each job.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Elements in all jobs together.
    #[must_use]
    pub fn total(&self) -> u64 {
        (self.elements * self.inputs.len()) as u64
    }

    /// Compares every limb of `outputs` with the reference.
    ///
    /// # Errors
    /// Names the first job and element that differ.
    pub fn check(&self, outputs: &[Vec<u64>]) -> anyhow::Result<()> {
        if outputs.len() != self.sums.len() {
            bail!("{} results for {} jobs", outputs.len(), self.sums.len());
        }
        for (job, (found, expected)) in outputs.iter().zip(&self.sums).enumerate() {
            if found.len() != expected.len() {
                bail!(
                    "job {job}: {} limbs instead of {}",
                    found.len(),
                    expected.len()
                );
            }
            if let Some(limb) = found.iter().zip(expected).position(|(f, e)| f != e) {
                bail!("job {job}: element {} is wrong", limb / LIMBS);
            }
        }
        Ok(())
    }
}

fn vector(rng: &mut StdRng, elements: usize) -> Vec<u64> {
    let mut limbs = vec![0; elements * LIMBS];
    for element in limbs.as_chunks_mut::<LIMBS>().0 {
        rng.fill(&mut element[..LIMBS - 1]);
        element[LIMBS - 1] = rng.random_range(0..TOP_LIMB);
    }
    limbs
}

fn sum(a: &[u64], b: &[u64]) -> Vec<u64> {
    let (a, b) = (a.as_chunks::<LIMBS>().0, b.as_chunks::<LIMBS>().0);
    a.iter()
        .zip(b)
        .flat_map(|(a, b)| reference::add(a, b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_result_is_named() {
        let jobs = Jobs::random(2, 8);
        let mut outputs = jobs.sums.clone();
        jobs.check(&outputs).unwrap();
        outputs[1][7] ^= 1;
        let error = jobs.check(&outputs).unwrap_err().to_string();
        assert_eq!(error, "job 1: element 1 is wrong");
        assert!(jobs.check(&outputs[..1]).is_err());
    }

    #[test]
    fn inputs_repeat() {
        let (one, two) = (Jobs::random(1, 4), Jobs::random(1, 4));
        assert_eq!(one.inputs, two.inputs);
    }
}
