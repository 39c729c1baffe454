//! arkworks as the oracle of the tests of vectors, and elements to test with.
#![allow(
    dead_code,
    reason = "the tests and the long form of them each use a part of it"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a test helper: a failure here is the test's failure"
)]

use ark_ff::{BigInt, PrimeField};
use field_kernels::edge::edge_elements_of;
use field_kernels::{Field, Fp, Fr, arithmetic};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// A field with its type in arkworks.
pub(crate) trait Oracle: Field {
    type Ark: PrimeField;
    /// The element with these limbs, in Montgomery form.
    fn ark_of(limbs: &Self::Limbs) -> Self::Ark;
    /// Its limbs, in Montgomery form.
    fn limbs_of(element: &Self::Ark) -> Self::Limbs;
}

impl Oracle for Fp {
    type Ark = ark_bls12_381::Fq;

    fn ark_of(limbs: &[u64; 6]) -> Self::Ark {
        Self::Ark::new_unchecked(BigInt(*limbs))
    }

    fn limbs_of(element: &Self::Ark) -> [u64; 6] {
        element.0.0
    }
}

impl Oracle for Fr {
    type Ark = ark_bls12_381::Fr;

    fn ark_of(limbs: &[u64; 4]) -> Self::Ark {
        Self::Ark::new_unchecked(BigInt(*limbs))
    }

    fn limbs_of(element: &Self::Ark) -> [u64; 4] {
        element.0.0
    }
}

/// `count` canonical elements: edge elements first, from a place that the seed
/// chooses, then random ones.
pub(crate) fn random<F: Field>(count: usize, seed: u64) -> Vec<F::Limbs> {
    let mut random = SmallRng::seed_from_u64(seed);
    let edges = edge_elements_of::<F>();
    let start = usize::try_from(random.next_u64() % edges.len() as u64).unwrap();
    let edges = edges
        .iter()
        .cycle()
        .skip(start)
        .take(count.min(edges.len()));
    let mut elements: Vec<F::Limbs> = edges.copied().collect();
    while elements.len() < count {
        let mut element = F::Limbs::default();
        let modulus = F::ID.modulus();
        for coordinate in element.as_mut().chunks_mut(modulus.len()) {
            coordinate.fill_with(|| random.next_u64());
            *coordinate.last_mut().unwrap() >>= modulus.last().unwrap().leading_zeros();
        }
        if arithmetic::is_canonical::<F>(&element) {
            elements.push(element);
        }
    }
    elements
}

/// Every pair of edge elements.
pub(crate) fn edge_pairs<F: Field>() -> (Vec<F::Limbs>, Vec<F::Limbs>) {
    let edges = edge_elements_of::<F>();
    let pairs = edges
        .iter()
        .flat_map(|x| edges.iter().map(move |y| (*x, *y)));
    pairs.unzip()
}
