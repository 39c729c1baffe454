//! Random operands of operations on vectors, and what must come of them.

use anyhow::ensure;
use field_kernels::{PrimeField, arithmetic};
use rayon::prelude::*;

use crate::elements::{GRAIN, random};

/// What an operation on x and y must give, by the arithmetic on the CPU.
pub enum Expected<F: PrimeField> {
    /// An element for each of theirs, right where this says so of theirs and
    /// of the one that was found.
    Each(fn(&F::Limbs, &F::Limbs, &F::Limbs) -> bool),
    /// One element, the sum of this over all of theirs.
    Sum(fn(&F::Limbs, &F::Limbs) -> F::Limbs),
}

/// Two vectors of equal length.
pub struct Operands<F: PrimeField> {
    /// The first operand.
    pub x: Vec<F::Limbs>,
    /// The second one.
    pub y: Vec<F::Limbs>,
}

impl<F: PrimeField> Operands<F> {
    /// Random ones, the same in every run.
    #[must_use]
    pub fn random(elements: usize) -> Self {
        Self {
            x: random::<F>(0, elements),
            y: random::<F>(1, elements),
        }
    }

    /// Compares `found`, every limb of it, with what is expected.
    ///
    /// # Errors
    /// Names the first element that is wrong.
    pub fn check(&self, expected: &Expected<F>, found: &[F::Limbs]) -> anyhow::Result<()> {
        match expected {
            Expected::Each(right) => self.check_each(*right, found),
            Expected::Sum(term) => {
                ensure!(found == [self.sum(*term)], "the one element is wrong");
                Ok(())
            }
        }
    }

    fn check_each(
        &self,
        right: fn(&F::Limbs, &F::Limbs, &F::Limbs) -> bool,
        found: &[F::Limbs],
    ) -> anyhow::Result<()> {
        let (count, expected) = (found.len(), self.x.len());
        ensure!(count == expected, "{count} elements instead of {expected}");
        let all = self.x.par_iter().zip(&self.y).zip(found);
        let all = all.with_min_len(GRAIN);
        let wrong = all.position_first(|((x, y), found)| !right(x, y, found));
        wrong.map_or(Ok(()), |element| {
            anyhow::bail!("element {element} is wrong")
        })
    }

    fn sum(&self, term: fn(&F::Limbs, &F::Limbs) -> F::Limbs) -> F::Limbs {
        let pairs = self.x.par_iter().zip(&self.y).with_min_len(GRAIN);
        let terms = pairs.map(|(x, y)| term(x, y));
        terms.reduce(F::Limbs::default, |a, b| arithmetic::add::<F>(&a, &b))
    }
}

#[cfg(test)]
mod tests {
    use field_kernels::Fr;

    use super::*;

    const SUMS: Expected<Fr> = Expected::Each(|x, y, found| *found == arithmetic::add::<Fr>(x, y));

    #[test]
    fn a_wrong_element_is_named() {
        let on = Operands::<Fr>::random(8);
        let pairs = on.x.iter().zip(&on.y);
        let mut found: Vec<_> = pairs.map(|(x, y)| arithmetic::add::<Fr>(x, y)).collect();
        on.check(&SUMS, &found).unwrap();
        found[5][3] ^= 1;
        let error = on.check(&SUMS, &found).unwrap_err().to_string();
        assert_eq!(error, "element 5 is wrong");
        let error = on.check(&SUMS, &found[..7]).unwrap_err().to_string();
        assert_eq!(error, "7 elements instead of 8");
    }

    #[test]
    fn a_wrong_sum_is_told() {
        let on = Operands::<Fr>::random(GRAIN + 3);
        let products = Expected::Sum(arithmetic::mul::<Fr>);
        let pairs = on.x.iter().zip(&on.y);
        let mut sum = pairs.fold([0; 4], |sum, (x, y)| {
            arithmetic::add::<Fr>(&sum, &arithmetic::mul::<Fr>(x, y))
        });
        on.check(&products, &[sum]).unwrap();
        sum[0] ^= 1;
        assert!(on.check(&products, &[sum]).is_err());
        assert!(on.check(&products, &[]).is_err());
    }
}
