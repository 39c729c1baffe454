//! Elements to compute with, and the comparison of results.

use anyhow::{Result, ensure};
use field_kernels::{PrimeField, arithmetic};

/// `count` elements of `F`, the same ones for the same `seed`: canonical, and as good as
/// random.
pub(crate) fn elements<F: PrimeField>(count: usize, seed: u64) -> Vec<F::Limbs> {
    let mut random = SplitMix(seed);
    let spare_bits = u32::try_from(64 * F::LIMBS).unwrap_or(u32::MAX) - F::BITS;
    let candidates = std::iter::repeat_with(|| {
        let mut element = F::Limbs::default();
        let limbs = element.as_mut();
        limbs.iter_mut().for_each(|limb| *limb = random.next());
        if let Some(highest) = limbs.last_mut() {
            *highest >>= spare_bits;
        }
        element
    });
    let canonical = candidates.filter(arithmetic::is_canonical::<F>);
    canonical.take(count).collect()
}

/// The generator SplitMix64.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// Holds results to what is expected of them, limb by limb.
///
/// # Errors
/// Names the first element that differs, with both values.
pub(crate) fn check<F: PrimeField>(
    found: &[F::Limbs],
    expected: &[F::Limbs],
    what: &str,
) -> Result<()> {
    ensure!(
        found.len() == expected.len(),
        "{what}: expected {} elements, found {}",
        expected.len(),
        found.len()
    );
    let mut pairs = found.iter().zip(expected).enumerate();
    if let Some((element, (found, expected))) = pairs.find(|(_, (a, b))| a != b) {
        anyhow::bail!("{what}, element {element}: expected {expected:x?}, found {found:x?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use field_kernels::{Fp, Fr};

    use super::*;

    #[test]
    fn elements_are_canonical_and_of_the_seed() {
        let some = elements::<Fp>(100, 1);
        assert_eq!(some.len(), 100);
        assert!(some.iter().all(arithmetic::is_canonical::<Fp>));
        assert_eq!(some, elements::<Fp>(100, 1));
        assert_ne!(some, elements::<Fp>(100, 2));
        assert!(
            elements::<Fr>(100, 1)
                .iter()
                .all(arithmetic::is_canonical::<Fr>)
        );
    }

    #[test]
    fn a_wrong_limb_and_a_missing_element_are_told() {
        let right = elements::<Fr>(3, 1);
        check::<Fr>(&right, &right, "right").unwrap();
        let mut wrong = right.clone();
        wrong[2][3] ^= 1;
        let error = check::<Fr>(&wrong, &right, "sums").unwrap_err().to_string();
        assert!(error.starts_with("sums, element 2: expected ["), "{error}");
        assert!(check::<Fr>(&right[..2], &right, "sums").is_err());
    }
}
