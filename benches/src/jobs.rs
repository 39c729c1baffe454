//! Jobs: random inputs and the sums they must give.

use anyhow::ensure;
use field_kernels::{Fp, LIMBS, arithmetic};
use rayon::prelude::*;

use crate::elements::{GRAIN, random};

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
        let inputs: Vec<_> = (0..count as u64)
            .map(|job| (vector(2 * job, elements), vector(2 * job + 1, elements)))
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

    /// Result vectors of the right lengths, written to once.
    #[must_use]
    pub fn results(&self) -> Vec<Vec<u64>> {
        let limbs = self.elements * LIMBS;
        // Another value than zero, which the system may keep in no memory.
        vec![vec![u64::MAX; limbs]; self.inputs.len()]
    }

    /// Compares every limb of `outputs` with the reference.
    ///
    /// # Errors
    /// Names the first job and element that differ.
    pub fn check(&self, outputs: &[Vec<u64>]) -> anyhow::Result<()> {
        for output in outputs {
            ensure!(
                output.len() == self.elements * LIMBS,
                "{} limbs instead of {}",
                output.len(),
                self.elements * LIMBS
            );
        }
        let elements: Vec<_> = outputs.iter().map(|out| out.as_chunks().0).collect();
        self.check_elements(&elements, |element| element)
    }

    /// As [`Self::check`], of results in another type than flat limbs.
    ///
    /// # Errors
    /// Names the first job and element that differ.
    pub fn check_elements<T: Sync>(
        &self,
        outputs: &[impl AsRef<[T]>],
        limbs: impl Fn(&T) -> &[u64; LIMBS] + Sync,
    ) -> anyhow::Result<()> {
        let (found, jobs) = (outputs.len(), self.sums.len());
        ensure!(found == jobs, "{found} results for {jobs} jobs");
        for (job, (output, sums)) in outputs.iter().zip(&self.sums).enumerate() {
            let (output, sums) = (output.as_ref(), sums.as_chunks::<LIMBS>().0);
            let (found, expected) = (output.len(), sums.len());
            ensure!(
                found == expected,
                "job {job}: {found} elements instead of {expected}"
            );
            let pairs = output.par_iter().zip(sums).with_min_len(GRAIN);
            let wrong = pairs.position_first(|(found, sum)| limbs(found) != sum);
            if let Some(element) = wrong {
                anyhow::bail!("job {job}: element {element} is wrong");
            }
        }
        Ok(())
    }
}

fn vector(seed: u64, elements: usize) -> Vec<u64> {
    random::<Fp>(seed, elements).into_flattened()
}

fn sum(a: &[u64], b: &[u64]) -> Vec<u64> {
    let (a, b) = (a.as_chunks::<LIMBS>().0, b.as_chunks::<LIMBS>().0);
    let pairs = a.par_iter().zip(b).with_min_len(GRAIN);
    let sums: Vec<_> = pairs.map(|(a, b)| arithmetic::add::<Fp>(a, b)).collect();
    sums.into_flattened()
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
        outputs[1].truncate(47);
        let error = jobs.check(&outputs).unwrap_err().to_string();
        assert_eq!(error, "47 limbs instead of 48");
        assert!(jobs.check(&jobs.results()).is_err());
    }

    #[test]
    fn inputs_differ_from_job_to_job() {
        let one = Jobs::random(2, 8);
        let [(a, b), (c, _)] = &one.inputs[..] else {
            unreachable!("two jobs were asked for");
        };
        assert!(a != b && a != c);
    }
}
