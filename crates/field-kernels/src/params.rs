//! What Montgomery arithmetic needs of a modulus, computed from the modulus alone.
//!
//! A modulus p is given as N little-endian 64-bit limbs; it is odd, and the highest
//! bit of its highest limb is clear. R = 2<sup>64 N</sup>. An element x in Montgomery
//! form is x R mod p.
//!
//! ```
//! use field_kernels::{FR_MODULUS, params};
//!
//! const INV: u64 = params::inv(&FR_MODULUS);
//! assert_eq!(INV.wrapping_mul(FR_MODULUS[0]), u64::MAX);
//! ```

/// R mod p: one in Montgomery form.
#[must_use]
pub const fn r<const N: usize>(p: &[u64; N]) -> [u64; N] {
    power_of_two(p, 64 * N)
}

/// x R mod p: the Montgomery form of a plain value x, which is below p.
#[must_use]
pub const fn montgomery<const N: usize>(x: &[u64; N], p: &[u64; N]) -> [u64; N] {
    doubled(x, p, 64 * N)
}

/// R<sup>2</sup> mod p: a Montgomery product with it brings an element into
/// Montgomery form.
#[must_use]
pub const fn r2<const N: usize>(p: &[u64; N]) -> [u64; N] {
    power_of_two(p, 2 * 64 * N)
}

/// R<sup>3</sup> mod p: a Montgomery product with it makes the inverse of x R, which
/// is x<sup>-1</sup> R<sup>-1</sup>, the inverse of x in Montgomery form.
#[must_use]
pub const fn r3<const N: usize>(p: &[u64; N]) -> [u64; N] {
    power_of_two(p, 3 * 64 * N)
}

/// -p<sup>-1</sup> mod 2<sup>64</sup>.
///
/// By Newton's iteration: where x p = 1 mod 2<sup>k</sup>,
/// x (2 - x p) p = 1 mod 2<sup>2k</sup>.
#[must_use]
pub const fn inv<const N: usize>(p: &[u64; N]) -> u64 {
    // An odd number is its own inverse mod 2^3.
    let mut inverse = p[0];
    let mut correct_bits = 3;
    while correct_bits < u64::BITS {
        let error = 2_u64.wrapping_sub(inverse.wrapping_mul(p[0]));
        inverse = inverse.wrapping_mul(error);
        correct_bits *= 2;
    }
    inverse.wrapping_neg()
}

/// The number of bits of p: the least n with p < 2<sup>n</sup>.
#[must_use]
pub const fn bits<const N: usize>(p: &[u64; N]) -> u32 {
    let mut bits = 0;
    let mut below = 0;
    let mut i = 0;
    while i < N {
        if p[i] != 0 {
            bits = below + u64::BITS - p[i].leading_zeros();
        }
        below += u64::BITS;
        i += 1;
    }
    bits
}

/// The largest s such that 2<sup>s</sup> divides p - 1. p is 3 or more.
#[must_use]
pub const fn two_adicity<const N: usize>(p: &[u64; N]) -> u32 {
    // p is odd: p - 1 differs in the lowest bit alone.
    let mut zeros = (p[0] - 1).trailing_zeros();
    let mut below = u64::BITS;
    let mut i = 1;
    while i < N && zeros == below {
        zeros += p[i].trailing_zeros();
        below += u64::BITS;
        i += 1;
    }
    zeros
}

/// 2<sup>exponent</sup> mod p, by doubling one.
const fn power_of_two<const N: usize>(p: &[u64; N], exponent: usize) -> [u64; N] {
    let mut one = [0; N];
    one[0] = 1;
    doubled(&one, p, exponent)
}

/// x 2<sup>times</sup> mod p.
const fn doubled<const N: usize>(x: &[u64; N], p: &[u64; N], times: usize) -> [u64; N] {
    let mut doubled = *x;
    let mut doublings = 0;
    while doublings < times {
        doubled = double(&doubled, p);
        doublings += 1;
    }
    doubled
}

/// 2 x mod p. Steps of its own, since those of `limbs` are not const in this Rust.
const fn double<const N: usize>(x: &[u64; N], p: &[u64; N]) -> [u64; N] {
    // Below 2p: no bit is lost, and one subtraction is enough.
    let mut doubled = [0; N];
    let mut reduced = [0; N];
    let mut shifted_out = 0;
    let mut borrow = false;
    let mut i = 0;
    while i < N {
        doubled[i] = x[i] << 1 | shifted_out;
        shifted_out = x[i] >> 63;
        let (difference, below) = doubled[i].overflowing_sub(p[i]);
        let (difference, below_with_borrow) = difference.overflowing_sub(borrow as u64);
        reduced[i] = difference;
        borrow = below || below_with_borrow;
        i += 1;
    }
    if borrow { doubled } else { reduced }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p = 2^127 - 1 has R = 2^128 = 2 (mod p), and is -1 mod 2^64.
    const MERSENNE: [u64; 2] = [u64::MAX, u64::MAX >> 1];

    #[test]
    fn of_a_modulus_that_can_be_done_by_hand() {
        assert_eq!(r(&MERSENNE), [2, 0]);
        assert_eq!(r2(&MERSENNE), [4, 0]);
        assert_eq!(r3(&MERSENNE), [8, 0]);
        assert_eq!(montgomery(&[5, 0], &MERSENNE), [10, 0]);
        assert_eq!(inv(&MERSENNE), 1);
        assert_eq!(bits(&MERSENNE), 127);
        assert_eq!(two_adicity(&MERSENNE), 1);
    }

    #[test]
    fn powers_of_two_below_p() {
        assert_eq!(two_adicity(&[17]), 4);
        assert_eq!(two_adicity(&[1, 1 << 5]), 69);
        assert_eq!(two_adicity(&[1 | 1 << 63, 1]), 63);
    }

    #[test]
    fn bits_of_short_values() {
        assert_eq!(bits(&[0, 0]), 0);
        assert_eq!(bits(&[1, 0]), 1);
        assert_eq!(bits(&[0, 1]), 65);
    }

    #[test]
    fn the_inverse_is_one_for_every_odd_lowest_byte() {
        for lowest in (1..256).step_by(2) {
            let p = [0x1234_5678_9abc_de00 | lowest];
            assert_eq!(inv(&p).wrapping_mul(p[0]), u64::MAX);
        }
    }
}
