//! Arithmetic on little-endian limbs of any number, which knows no field.

use std::hint::select_unpredictable;

/// Arrays of limbs, as functions see them that are generic over a field and so do not
/// know the length. Public only as a bound of [`PrimeField`](crate::PrimeField)'s limbs.
pub trait Limbs: Sized {
    /// a + b, and whether a carry left the limbs.
    #[must_use]
    fn add(a: &Self, b: &Self) -> (Self, bool);

    /// a - b, and whether it borrowed, that is, whether a < b.
    #[must_use]
    fn sub(a: &Self, b: &Self) -> (Self, bool);

    /// x - p if x >= p, else x. Chosen without a branch, which would be mispredicted for
    /// every other sum.
    #[must_use]
    fn reduce_once(x: &Self, p: &Self) -> Self;

    /// (x + p) mod 2<sup>64 N</sup> if `wanted`, else x; without a branch.
    #[must_use]
    fn add_if(x: &Self, p: &Self, wanted: bool) -> Self;

    /// a b R<sup>-1</sup> mod p with R = 2<sup>64 N</sup>, for a, b < p and
    /// `minus_inverse` = -p<sup>-1</sup> mod 2<sup>64</sup>.
    ///
    /// Operand scanning with the reduction interleaved (CIOS). p's highest limb is below
    /// 2<sup>63</sup> - 1, so the two carries of a step add up in the highest limb of
    /// t < 2p, and t needs no limb more.
    #[must_use]
    fn montgomery_mul(a: &Self, b: &Self, p: &Self, minus_inverse: u64) -> Self;

    /// x / 2<sup>bits</sup>, rounded down; `bits` is from 1 to 63.
    #[must_use]
    fn shift_right(x: &Self, bits: u32) -> Self;

    /// x / 2<sup>bits</sup> mod p, for x < p, `bits` from 1 to 63 and `minus_inverse`
    /// = -p<sup>-1</sup> mod 2<sup>64</sup>.
    ///
    /// Adds the m p, m < 2<sup>bits</sup>, that makes the lowest bits 0, and shifts them
    /// out. The sum is below 2<sup>bits</sup> p, so what is left is below p.
    #[must_use]
    fn halve_times(x: &Self, bits: u32, p: &Self, minus_inverse: u64) -> Self;
}

impl<const N: usize> Limbs for [u64; N] {
    #[inline]
    fn add(a: &Self, b: &Self) -> (Self, bool) {
        let mut sum = [0; N];
        let mut carry = false;
        for i in 0..N {
            (sum[i], carry) = a[i].carrying_add(b[i], carry);
        }
        (sum, carry)
    }

    #[inline]
    fn sub(a: &Self, b: &Self) -> (Self, bool) {
        let mut difference = [0; N];
        let mut borrow = false;
        for i in 0..N {
            (difference[i], borrow) = a[i].borrowing_sub(b[i], borrow);
        }
        (difference, borrow)
    }

    #[inline]
    fn reduce_once(x: &Self, p: &Self) -> Self {
        let (reduced, below) = Self::sub(x, p);
        std::array::from_fn(|i| select_unpredictable(below, x[i], reduced[i]))
    }

    #[inline]
    fn add_if(x: &Self, p: &Self, wanted: bool) -> Self {
        let (sum, _) = Self::add(x, p);
        std::array::from_fn(|i| select_unpredictable(wanted, sum[i], x[i]))
    }

    #[inline]
    fn montgomery_mul(a: &Self, b: &Self, p: &Self, minus_inverse: u64) -> Self {
        let mut t = [0_u64; N];
        for &limb in b {
            let (low, mut product_carry) = a[0].carrying_mul_add(limb, t[0], 0);
            // t + a limb + m p is a multiple of 2^64: its lowest limb is dropped.
            let m = low.wrapping_mul(minus_inverse);
            let (_, mut reduction_carry) = m.carrying_mul_add(p[0], low, 0);
            for j in 1..N {
                let product;
                (product, product_carry) = a[j].carrying_mul_add(limb, t[j], product_carry);
                (t[j - 1], reduction_carry) = m.carrying_mul_add(p[j], product, reduction_carry);
            }
            // Wraps for operands that are not canonical only.
            t[N - 1] = product_carry.wrapping_add(reduction_carry);
        }
        Self::reduce_once(&t, p)
    }

    #[inline]
    fn shift_right(x: &Self, bits: u32) -> Self {
        let mut shifted = [0; N];
        for i in 0..N {
            let above = x.get(i + 1).copied().unwrap_or_default();
            shifted[i] = x[i] >> bits | above << (u64::BITS - bits);
        }
        shifted
    }

    #[inline]
    fn halve_times(x: &Self, bits: u32, p: &Self, minus_inverse: u64) -> Self {
        let m = x[0].wrapping_mul(minus_inverse) & ((1 << bits) - 1);
        let (mut below, mut carry) = m.carrying_mul_add(p[0], x[0], 0);
        let mut halved = [0; N];
        for i in 0..N {
            let limb;
            (limb, carry) = match i + 1 < N {
                true => m.carrying_mul_add(p[i + 1], x[i + 1], carry),
                false => (carry, 0),
            };
            halved[i] = below >> bits | limb << (u64::BITS - bits);
            below = limb;
        }
        halved
    }
}
