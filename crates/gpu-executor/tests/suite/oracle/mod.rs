//! arkworks as the oracle of the tests of vectors, and elements to test with.
#![allow(
    dead_code,
    reason = "the tests and the long form of them each use a part of it"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a test helper: a failure here is the test's failure"
)]

use ark_ff::{BigInteger as _, PrimeField as _};
use field_kernels::Field;
use field_kernels::edge::edge_elements;
use gpu_executor::vectors::Order;

#[path = "../../../../field-kernels/tests/suite/ark/mod.rs"]
pub(crate) mod ark;

pub(crate) use ark::Oracle;
/// Elements for a count and a seed.
pub(crate) use field_kernels::edge::edges_and_random as random;

/// Rows of operations: the constructor of a row, its name, what records it, and what arkworks
/// makes of the same.
macro_rules! table {
    (@fn ($($argument:ident)+) $result:expr) => { |$($argument),+| $result };
    ($given:tt $model:tt $($row:ident $name:literal: $record:expr => $made:expr;)+) => {{
        #[allow(unused_variables, reason = "few operations take all that there is")]
        let rows = vec![$($row($name, table!(@fn $given $record), table!(@fn $model $made))),+];
        rows
    }};
}
pub(crate) use table;

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
