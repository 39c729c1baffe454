//! Random elements of either field.

use field_kernels::{PrimeField, edge};
use rayon::prelude::*;

/// Elements that one thread makes from one seed.
pub(crate) const GRAIN: usize = 1 << 14;

/// Canonical elements, others for each `seed`, made by all threads. The same
/// arguments give the same elements, in every run and on every machine.
#[must_use]
pub fn random<F: PrimeField>(seed: u64, count: usize) -> Vec<F::Limbs> {
    let mut elements = vec![F::Limbs::default(); count];
    let grains = elements.par_chunks_mut(GRAIN).enumerate();
    grains.for_each(|(grain, elements)| {
        let seed = (seed << 32) | grain as u64;
        elements.copy_from_slice(&edge::random_elements::<F>(elements.len(), seed));
    });
    elements
}

#[cfg(test)]
mod tests {
    use field_kernels::{Fp, Fr, arithmetic};

    use super::*;

    fn repeat_and_differ<F: PrimeField>() {
        let elements = random::<F>(1, GRAIN + 1);
        assert!(elements.iter().all(arithmetic::is_canonical::<F>));
        assert!(elements == random::<F>(1, GRAIN + 1));
        assert!(elements != random::<F>(2, GRAIN + 1));
        assert_ne!(elements[0], elements[GRAIN]);
    }

    #[test]
    fn elements_repeat_and_differ_from_seed_to_seed() {
        repeat_and_differ::<Fp>();
        repeat_and_differ::<Fr>();
    }
}
