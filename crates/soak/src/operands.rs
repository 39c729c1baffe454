//! Random canonical elements, edge elements first, and what comes of them.

use field_kernels::{BinaryOp, Fp, LIMBS, edge};
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

/// An element's limbs.
pub type Element = [u64; LIMBS];

/// Two operands of equal length, as flat limbs.
pub struct Operands {
    /// A.
    pub a: Vec<u64>,
    /// B.
    pub b: Vec<u64>,
}

impl Operands {
    /// `elements` random elements each; the first are edge elements, others in
    /// A than in B.
    #[must_use]
    pub fn random(elements: usize, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let edges = edge::edge_elements::<Fp>();
        let mut flat = || {
            let start = random.random_range(0..edges.len());
            let edges = edges.iter().cycle().skip(start).copied();
            let mut limbs: Vec<u64> = edges.take(elements.min(100)).flatten().collect();
            while limbs.len() < LIMBS * elements {
                limbs.extend(canonical(&mut random));
            }
            limbs
        };
        Self {
            a: flat(),
            b: flat(),
        }
    }

    /// `operation` on every pair.
    #[must_use]
    pub fn results(&self, operation: BinaryOp) -> Vec<u64> {
        let pairs = self.a.as_chunks().0.iter().zip(self.b.as_chunks().0);
        pairs.flat_map(|(a, b)| operation(a, b)).collect()
    }

    /// How many elements each operand has.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.a.len() / LIMBS
    }
}

/// A random element below the modulus.
pub fn canonical(random: &mut impl Rng) -> Element {
    edge::random::<Fp>(|| random.next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use field_kernels::{Fp, arithmetic};

    #[test]
    fn operands_are_canonical_and_begin_with_edges() {
        let operands = Operands::random(300, 1);
        assert_eq!(operands.elements(), 300);
        let edges = edge::edge_elements::<Fp>();
        for limbs in [&operands.a, &operands.b] {
            assert!(
                limbs
                    .as_chunks()
                    .0
                    .iter()
                    .all(arithmetic::is_canonical::<Fp>)
            );
            assert!(edges.contains(&limbs.as_chunks().0[0]));
        }
        let sums = operands.results(arithmetic::add::<Fp>);
        let (a, b) = (operands.a.as_chunks().0[299], operands.b.as_chunks().0[299]);
        assert_eq!(sums.as_chunks().0[299], arithmetic::add::<Fp>(&a, &b));
    }
}
