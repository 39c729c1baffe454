//! The field operations on the CPU: simple rather than fast, equal to the kernels on
//! every input.
//!
//! An element is 6 little-endian limbs. With canonical operands, both below
//! p = [`MODULUS`], every result is canonical. Other operands are no error: what
//! comes of them is stated at each function, and the kernels do the same.
//!
//! Not constant-time.

use crate::limbs;
use crate::{LIMBS, MODULUS};

/// a + b mod p.
///
/// Canonical operands give a + b < 2p < 2<sup>382</sup>, so no carry leaves the 384
/// bits and one conditional subtraction of p makes the sum canonical. For any
/// operands, with s = (a + b) mod 2<sup>384</sup>, the result is s - p if s >= p,
/// else s.
#[must_use]
pub fn add(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
    let (sum, carry) = limbs::add(a, b);
    let result = limbs::reduce_once(&sum, &MODULUS);
    if is_canonical(a) && is_canonical(b) {
        debug_assert!(!carry, "a + b < 2p < 2^382");
        debug_assert!(is_canonical(&result), "a + b - p < p");
    }
    result
}

/// a - b mod p.
///
/// Canonical operands give a - b > -p, so adding p once where the subtraction
/// borrowed makes the difference canonical. For any operands, with
/// d = (a - b) mod 2<sup>384</sup>, the result is (d + p) mod 2<sup>384</sup> if
/// a < b, else d.
#[must_use]
pub fn sub(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
    let (difference, borrow) = limbs::sub(a, b);
    if !borrow {
        return difference;
    }
    let (raised, carry) = limbs::add(&difference, &MODULUS);
    if is_canonical(a) && is_canonical(b) {
        debug_assert!(carry, "a - b + p >= 0");
        debug_assert!(is_canonical(&raised), "a < b gives a - b + p < p");
    }
    raised
}

/// Whether x < p.
#[must_use]
pub fn is_canonical(x: &[u64; LIMBS]) -> bool {
    let (_, below_modulus) = limbs::sub(x, &MODULUS);
    below_modulus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::edge_elements;

    const MAX: [u64; LIMBS] = [u64::MAX; LIMBS];

    #[test]
    fn zero_is_neutral_and_sub_undoes_add() {
        let elements = edge_elements();
        // Miri takes a thousand times as long.
        let step = if cfg!(miri) { 9 } else { 1 };
        for a in elements.iter().step_by(step) {
            assert_eq!(add(a, &[0; LIMBS]), *a);
            assert_eq!(sub(a, a), [0; LIMBS]);
            for b in &elements {
                assert_eq!(sub(&add(a, b), b), *a);
                assert_eq!(add(a, b), add(b, a));
            }
        }
    }

    #[test]
    fn a_sum_of_exactly_the_modulus_is_zero() {
        for a in edge_elements() {
            let negated = sub(&[0; LIMBS], &a);
            assert_eq!(add(&a, &negated), [0; LIMBS]);
        }
    }

    #[test]
    fn the_modulus_is_the_first_element_that_is_not_canonical() {
        let mut below = MODULUS;
        below[0] -= 1;
        assert!(is_canonical(&below));
        assert!(!is_canonical(&MODULUS));
        assert!(!is_canonical(&MAX));
    }

    #[test]
    fn operands_that_are_not_canonical_do_what_is_documented() {
        // s = (2^384 - 1 + 1) mod 2^384 = 0: the carry is dropped.
        assert_eq!(add(&MAX, &[1, 0, 0, 0, 0, 0]), [0; LIMBS]);
        // s = p + p >= p: p is subtracted once.
        assert_eq!(add(&MODULUS, &MODULUS), MODULUS);
        // a >= b: nothing is added, and the difference is not canonical.
        assert_eq!(sub(&MAX, &[0; LIMBS]), MAX);
        // a < b: d = 1 - (2^384 - 1) = 2 (mod 2^384), p is added once.
        let (two_more, _) = limbs::add(&MODULUS, &[2, 0, 0, 0, 0, 0]);
        assert_eq!(sub(&[1, 0, 0, 0, 0, 0], &MAX), two_more);
    }

    #[test]
    fn a_carry_passes_through_a_limb_of_ones() {
        let a = [u64::MAX, u64::MAX, 0, 0, 0, 0];
        assert_eq!(add(&a, &[1, 0, 0, 0, 0, 0]), [0, 0, 1, 0, 0, 0]);
        // A carry into a limb of b that is 2^64 - 1 must come out again.
        let b = [1, u64::MAX, 0, 0, 0, 0];
        assert_eq!(add(&[u64::MAX, 5, 0, 0, 0, 0], &b), [0, 5, 1, 0, 0, 0]);
    }
}
