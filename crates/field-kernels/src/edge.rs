//! Canonical elements on which carry chains and reductions go wrong first, and random ones,
//! for tests of anything that computes with elements.

use std::collections::BTreeSet;

use crate::arithmetic::{self, is_canonical};
use crate::{ElementType, PrimeField};

/// Limb values at the edges of 32-bit and 64-bit words.
const LIMB_VALUES: [u64; 8] = [
    0,
    1,
    0xffff_ffff,
    0x1_0000_0000,
    0xffff_ffff_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Canonical elements, without duplicates, in a fixed order. Of a prime field: zero, one and
/// their neighbours around p and p/2; every edge value in a single limb and in all limbs up
/// to one; and runs of ones, through which a carry ripples from any limb to any other: about
/// a hundred of the base field, sixty of the scalar field, few enough to test all pairs. Of
/// several coordinates: the first few of those in one coordinate, zero in the others; and
/// each in each coordinate, beside others.
#[must_use]
pub fn edge_elements<E: ElementType>() -> Vec<E::Limbs> {
    let edges = edge_coordinates::<E::Base>();
    let count = E::ID.coordinates();
    let mut elements = Vec::new();
    for edge in &edges[..AROUND_MODULUS.min(edges.len())] {
        for place in 0..count {
            let at = |it| {
                if it == place {
                    *edge
                } else {
                    Default::default()
                }
            };
            elements.push(of_coordinates::<E>(at));
        }
    }
    for start in 0..edges.len() {
        // The others run against it.
        let at = |it| {
            edges[if it == 0 {
                start
            } else {
                (edges.len() + it - 1 - start) % edges.len()
            }]
        };
        elements.push(of_coordinates::<E>(at));
    }
    unique::<E>(elements)
}

/// A canonical element, as random as what `next` gives.
#[must_use]
pub fn random<E: ElementType>(mut next: impl FnMut() -> u64) -> E::Limbs {
    let modulus = E::Base::MODULUS;
    let bits = modulus
        .as_ref()
        .last()
        .map_or(0, |limb| 64 - limb.leading_zeros());
    let mut coordinate = || {
        let mut limbs = <E::Base as ElementType>::Limbs::default();
        limbs.as_mut().fill_with(&mut next);
        // As many bits as the modulus has, so that most are below it.
        if let Some(highest) = limbs.as_mut().last_mut() {
            *highest &= u64::MAX >> (64 - bits);
        }
        limbs
    };
    arithmetic::each_coordinate::<E>(&E::Limbs::default(), |_| {
        let candidates = std::iter::repeat_with(&mut coordinate);
        let mut canonical = candidates.filter(is_canonical::<E::Base>);
        canonical.next().unwrap_or_default()
    })
}

/// `count` canonical elements, as good as random: the same for the same seed, everywhere.
#[must_use]
pub fn random_elements<E: ElementType>(count: usize, seed: u64) -> Vec<E::Limbs> {
    let mut next = split_mix(seed);
    let elements = std::iter::repeat_with(|| random::<E>(&mut next));
    elements.take(count).collect()
}

/// `count` canonical elements: edge elements first, from a place that the seed chooses, so
/// that different ones meet, then random ones.
#[must_use]
pub fn edges_and_random<E: ElementType>(count: usize, seed: u64) -> Vec<E::Limbs> {
    let (edges, mut next) = (edge_elements::<E>(), split_mix(seed));
    let start = usize::try_from(next() % edges.len() as u64).unwrap_or(0);
    let first = edges.iter().cycle().skip(start).take(edges.len()).copied();
    let others = std::iter::repeat_with(|| random::<E>(&mut next));
    first.chain(others).take(count).collect()
}

/// The generator SplitMix64.
fn split_mix(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// How many come first: 0, 1, 2, (p-1)/2, (p+1)/2, p-2 and p-1.
const AROUND_MODULUS: usize = 7;

fn of_coordinates<E: ElementType>(
    coordinate: impl Fn(usize) -> <E::Base as ElementType>::Limbs,
) -> E::Limbs {
    let mut number = 0;
    arithmetic::each_coordinate::<E>(&E::Limbs::default(), |_| {
        number += 1;
        coordinate(number - 1)
    })
}

/// Without those that are not canonical, and those that were there before.
fn unique<E: ElementType>(mut elements: Vec<E::Limbs>) -> Vec<E::Limbs> {
    let mut seen = BTreeSet::new();
    elements.retain(|element| is_canonical::<E>(element) && seen.insert(element.as_ref().to_vec()));
    elements
}

fn edge_coordinates<F: PrimeField>() -> Vec<F::Limbs> {
    let mut elements = around_modulus::<F>();
    for value in LIMB_VALUES {
        for limb in 0..F::LIMBS {
            elements.push(limbs::<F>(|limbs| limbs[limb] = value));
            elements.push(limbs::<F>(|limbs| limbs[..=limb].fill(value)));
        }
    }
    let (top, highest) = (F::LIMBS - 1, F::MODULUS.as_ref()[F::LIMBS - 1]);
    for first in 0..F::LIMBS {
        for last in first..F::LIMBS {
            elements.push(limbs::<F>(|limbs| limbs[first..=last].fill(u64::MAX)));
        }
        // All ones of the modulus' own width: the longest canonical carry chain.
        elements.push(limbs::<F>(|limbs| {
            limbs[first..].fill(u64::MAX);
            limbs[top] = highest - 1;
        }));
    }
    unique::<F>(elements)
}

/// 0, 1, 2, (p-1)/2, (p+1)/2, p-2, p-1, and p with one limb lowered.
fn around_modulus<F: PrimeField>() -> Vec<F::Limbs> {
    let modulus = |change: &dyn Fn(&mut [u64])| {
        let mut element = F::MODULUS;
        change(element.as_mut());
        element
    };
    let mut elements = vec![
        F::Limbs::default(),
        limbs::<F>(|limbs| limbs[0] = 1),
        limbs::<F>(|limbs| limbs[0] = 2),
        modulus(&halve),
        // p is odd, so this carries nowhere unless the half ends in ones.
        modulus(&|limbs| {
            halve(limbs);
            limbs[0] += 1;
        }),
        modulus(&|limbs| limbs[0] -= 2),
        modulus(&|limbs| limbs[0] -= 1),
    ];
    for limb in 0..F::LIMBS {
        elements.push(modulus(&|limbs| limbs[limb] -= 1));
        elements.push(modulus(&|limbs| limbs[limb] = 0));
    }
    elements
}

/// Zero, changed.
fn limbs<F: PrimeField>(change: impl FnOnce(&mut [u64])) -> F::Limbs {
    let mut element = F::Limbs::default();
    change(element.as_mut());
    element
}

/// Rounded down.
fn halve(limbs: &mut [u64]) {
    let mut above = 0;
    for limb in limbs.iter_mut().rev() {
        (*limb, above) = (*limb >> 1 | above << 63, *limb);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fp, Fr, LIMBS, MODULUS};

    fn all_are_canonical_and_different<F: PrimeField>(count: usize) {
        let elements = edge_elements::<F>();
        let unique: BTreeSet<&[u64]> = elements.iter().map(AsRef::as_ref).collect();
        assert_eq!(unique.len(), elements.len());
        assert!(elements.iter().all(is_canonical::<F>));
        // Nothing but what the rules give: a changed rule adds or loses some.
        assert_eq!(elements.len(), count);
    }

    #[test]
    fn all_are_canonical_and_different_in_both_fields() {
        all_are_canonical_and_different::<Fp>(98);
        all_are_canonical_and_different::<Fr>(59);
    }

    fn the_named_ones_are_there<F: PrimeField>() {
        let elements = edge_elements::<F>();
        let (zero, one) = (elements[0], elements[1]);
        let (half, half_up) = (elements[3], elements[4]);
        let (second_last, last) = (elements[5], elements[6]);
        assert_eq!(arithmetic::add::<F>(&half, &half), last);
        assert_eq!(arithmetic::add::<F>(&half, &half_up), zero);
        assert_eq!(arithmetic::add::<F>(&last, &one), zero);
        assert_eq!(arithmetic::add::<F>(&second_last, &one), last);
    }

    #[test]
    fn the_named_ones_are_there_in_both_fields() {
        the_named_ones_are_there::<Fp>();
        the_named_ones_are_there::<Fr>();
    }

    /// What each rule of [`edge_elements`] is there for, in numbers of its own.
    #[test]
    fn every_rule_gives_its_elements() {
        let elements = edge_elements::<Fp>();
        let expect = |element: [u64; LIMBS]| {
            assert!(elements.contains(&element), "{element:x?}");
        };
        for limb in 0..LIMBS {
            let mut lowered = MODULUS;
            lowered[limb] -= 1;
            expect(lowered);
            lowered[limb] = 0;
            expect(lowered);
            // Ones from here up to the last limb, which stays below p's.
            let mut ones = [0; LIMBS];
            ones[limb..].fill(u64::MAX);
            ones[LIMBS - 1] = 0x1a01_11ea_397f_e699;
            expect(ones);
        }
        let mut second_last = MODULUS;
        second_last[0] -= 2;
        expect(second_last);
        let mut single = [0; LIMBS];
        single[3] = 0xffff_ffff_0000_0000;
        expect(single);
        let top = 0x8000_0000_0000_0000;
        expect([top, top, top, top, top, 0]);
    }

    #[test]
    fn a_carry_ripples_through_all_limbs() {
        let ones = [u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0];
        assert!(edge_elements::<Fp>().contains(&ones));
        let sum = arithmetic::add::<Fp>(&ones, &[1, 0, 0, 0, 0, 0]);
        assert_eq!(sum, [0, 0, 0, 0, 0, 1]);
    }
}
