//! arkworks as the oracle of the tests of vectors, and elements to test with.
#![allow(
    dead_code,
    reason = "the tests and the long form of them each use a part of it"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a test helper: a failure here is the test's failure"
)]

use ark_ff::{BigInt, BigInteger as _, PrimeField as _};
use field_kernels::edge::edge_elements;
use field_kernels::{Field, Fp, Fp2, Fr};
use gpu_executor::vectors::Order;

/// Elements for a count and a seed.
pub(crate) use field_kernels::edge::edges_and_random as random;

/// A field with its type in arkworks.
pub(crate) trait Oracle: Field {
    type Ark: ark_ff::Field;
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

impl Oracle for Fp2 {
    type Ark = ark_bls12_381::Fq2;

    fn ark_of(limbs: &[u64; 12]) -> Self::Ark {
        let (c0, c1) = limbs.split_at(6);
        let [c0, c1] = [c0, c1].map(|it| Fp::ark_of(it.try_into().unwrap()));
        Self::Ark::new(c0, c1)
    }

    fn limbs_of(element: &Self::Ark) -> [u64; 12] {
        let coordinates = [element.c0.0.0, element.c1.0.0];
        coordinates.as_flattened().try_into().unwrap()
    }
}

/// The big-endian bytes of each coordinate.
pub(crate) fn be_bytes<Ark: ark_ff::Field>(element: &Ark) -> Vec<u8> {
    let coordinates = element.to_base_prime_field_elements();
    coordinates
        .flat_map(|it| it.into_bigint().to_bytes_be())
        .collect()
}

/// Every pair of edge elements.
pub(crate) fn edge_pairs<F: Field>() -> (Vec<F::Limbs>, Vec<F::Limbs>) {
    let edges = edge_elements::<F>();
    let pairs = edges
        .iter()
        .flat_map(|x| edges.iter().map(move |y| (*x, *y)));
    pairs.unzip()
}

/// Rows of `size` in another order.
pub(crate) fn in_order<T: Copy>(x: &[T], size: usize, order: Order) -> Vec<T> {
    let bits = size.ilog2();
    let place = |i: usize| match order {
        Order::Natural => i,
        Order::BitReversed => (0..bits).fold(0, |to, bit| to << 1 | (i >> bit & 1)),
    };
    let rows = x.chunks(size);
    rows.flat_map(|row| (0..size).map(move |i| row[place(i)]))
        .collect()
}

/// What comes of `first` and then of each of x: of what came before and of that.
pub(crate) fn scanned<T: Copy>(x: &[T], first: T, next: impl Fn(&T, &T) -> T) -> Vec<T> {
    let all = x.iter().scan(first, |before, x| {
        *before = next(before, x);
        Some(*before)
    });
    all.collect()
}
