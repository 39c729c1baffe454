//! Exponents of any size.

/// An exponent: an integer, or its limbs, the least significant first.
///
/// ```
/// # use gpu_executor::vectors::{Exponent, Fr, PrimeField};
/// let five: Exponent = 5.into();
/// assert_eq!(five, [5, 0].into());
/// let order: Exponent = Fr::MODULUS.into(); // x^p = x
/// # assert_ne!(order, five);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Exponent(Vec<u64>);

impl Exponent {
    /// How many bits it has, up to the highest that is set.
    pub(super) fn bits(&self) -> usize {
        let highest = self.0.last().map_or(0, |limb| limb.ilog2() as usize + 1);
        self.0.len().saturating_sub(1) * u64::BITS as usize + highest
    }

    /// Whether the bit is set, counted from the lowest.
    pub(super) fn bit(&self, number: usize) -> bool {
        let (limb, bit) = (number / u64::BITS as usize, number % u64::BITS as usize);
        self.0.get(limb).is_some_and(|limb| limb >> bit & 1 == 1)
    }
}

impl From<&[u64]> for Exponent {
    fn from(limbs: &[u64]) -> Self {
        let significant = limbs.iter().rposition(|limb| *limb != 0);
        Self(limbs[..significant.map_or(0, |last| last + 1)].to_vec())
    }
}

impl<const N: usize> From<[u64; N]> for Exponent {
    fn from(limbs: [u64; N]) -> Self {
        Self::from(limbs.as_slice())
    }
}

impl<const N: usize> From<&[u64; N]> for Exponent {
    fn from(limbs: &[u64; N]) -> Self {
        Self::from(limbs.as_slice())
    }
}

impl From<u64> for Exponent {
    fn from(integer: u64) -> Self {
        Self::from([integer])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_integer() {
        for zero in [Exponent::from(0), [0; 6].into(), (&[][..]).into()] {
            assert_eq!((zero.bits(), zero.bit(0), zero.bit(999)), (0, false, false));
        }
        let one: Exponent = [1, 0, 0].into();
        assert_eq!((one.bits(), one.bit(0), one.bit(1)), (1, true, false));
        let large: Exponent = (&[1 << 63, 6, 0]).into();
        assert_eq!(large.bits(), 64 + 3);
        let set: Vec<_> = (0..200).filter(|bit| large.bit(*bit)).collect();
        assert_eq!(set, [63, 65, 66]);
    }
}
