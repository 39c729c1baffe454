//! Random operands of operations on vectors, and what must come of them.

use anyhow::ensure;
use field_kernels::PrimeField;
use rayon::prelude::*;

use crate::elements::{GRAIN, random};

/// What an operation on x and y must give, by the arithmetic on the CPU.
pub enum Expected<F: PrimeField> {
    /// An element for each of theirs, right where this says so of theirs and
    /// of the one that was found.
    Each(fn(&F::Limbs, &F::Limbs, &F::Limbs) -> bool),
    /// The elements of x, in another order: which one stands at a place of so many.
    Moved(fn(usize, usize) -> usize),
    /// One element: this of all of theirs, joined by the last, beginning with the second.
    Folded(
        fn(&F::Limbs, &F::Limbs) -> F::Limbs,
        F::Limbs,
        fn(&F::Limbs, &F::Limbs) -> F::Limbs,
    ),
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
            Expected::Each(right) => self.check_each(found, |place, found| {
                right(&self.x[place], &self.y[place], found)
            }),
            Expected::Moved(from) => self.check_each(found, |place, found| {
                self.x[from(place, self.x.len())] == *found
            }),
            Expected::Folded(term, start, join) => {
                let pairs = self.x.par_iter().zip(&self.y).with_min_len(GRAIN);
                let terms = pairs.map(|(x, y)| term(x, y));
                let expected = terms.reduce(|| *start, |a, b| join(&a, &b));
                ensure!(found == [expected], "the one element is wrong");
                Ok(())
            }
        }
    }

    /// As many as there are operands, each of which is `right` at its place.
    fn check_each(
        &self,
        found: &[F::Limbs],
        right: impl Fn(usize, &F::Limbs) -> bool + Sync,
    ) -> anyhow::Result<()> {
        let (count, expected) = (found.len(), self.x.len());
        ensure!(count == expected, "{count} elements instead of {expected}");
        let all = found.par_iter().enumerate().with_min_len(GRAIN);
        let wrong = all.position_first(|(place, found)| !right(place, found));
        wrong.map_or(Ok(()), |element| {
            anyhow::bail!("element {element} is wrong")
        })
    }
}

#[cfg(test)]
mod tests {
    use field_kernels::{ElementType, Fr, arithmetic};

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
        let backwards = Expected::Moved(|place, count| count - 1 - place);
        let mut found: Vec<_> = on.x.iter().rev().copied().collect();
        on.check(&backwards, &found).unwrap();
        found.swap(2, 3);
        let error = on.check(&backwards, &found).unwrap_err().to_string();
        assert_eq!(error, "element 2 is wrong");
    }

    #[test]
    fn a_wrong_sum_is_told() {
        let on = Operands::<Fr>::random(GRAIN + 3);
        let zero = <Fr as ElementType>::Limbs::default();
        let products = Expected::Folded(arithmetic::mul::<Fr>, zero, arithmetic::add::<Fr>);
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
