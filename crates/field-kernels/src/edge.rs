//! Canonical elements on which carry chains and reductions go wrong first, for tests
//! of anything that computes with elements.

use std::collections::BTreeSet;

use crate::reference::is_canonical;
use crate::{LIMBS, MODULUS};

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

/// Canonical elements, without duplicates, in a fixed order: zero, one and their
/// neighbours around p and p/2; every edge value in a single limb and in all limbs up
/// to one; and runs of ones, through which a carry ripples from any limb to any
/// other. About a hundred: few enough to test all pairs.
#[must_use]
pub fn edge_elements() -> Vec<[u64; LIMBS]> {
    let mut elements = around_modulus();
    for value in LIMB_VALUES {
        for limb in 0..LIMBS {
            let mut single = [0; LIMBS];
            single[limb] = value;
            elements.push(single);

            let mut filled = [0; LIMBS];
            filled[..=limb].fill(value);
            elements.push(filled);
        }
    }
    for first in 0..LIMBS {
        for last in first..LIMBS {
            let mut ones = [0; LIMBS];
            ones[first..=last].fill(u64::MAX);
            elements.push(ones);

            // All ones of the modulus' own width: the longest canonical carry chain.
            if last == LIMBS - 1 {
                ones[last] = MODULUS[last] - 1;
                elements.push(ones);
            }
        }
    }
    let mut seen = BTreeSet::new();
    elements.retain(|element| is_canonical(element) && seen.insert(*element));
    elements
}

/// 0, 1, 2, (p-1)/2, (p+1)/2, p-2, p-1, and p with one limb lowered.
fn around_modulus() -> Vec<[u64; LIMBS]> {
    let minus = |subtrahend: u64| {
        let mut element = MODULUS;
        element[0] -= subtrahend;
        element
    };
    let half = halved(minus(1));
    let mut half_up = half;
    half_up[0] += 1;
    let mut elements = vec![
        [0; LIMBS],
        [1, 0, 0, 0, 0, 0],
        [2, 0, 0, 0, 0, 0],
        half,
        half_up,
        minus(2),
        minus(1),
    ];
    for limb in 0..LIMBS {
        let mut lowered = MODULUS;
        lowered[limb] -= 1;
        elements.push(lowered);
        lowered[limb] = 0;
        elements.push(lowered);
    }
    elements
}

fn halved(mut element: [u64; LIMBS]) -> [u64; LIMBS] {
    for limb in 0..LIMBS {
        let above = element.get(limb + 1).copied().unwrap_or(0);
        element[limb] = element[limb] >> 1 | above << 63;
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::add;

    #[test]
    fn all_are_canonical_and_different() {
        let elements = edge_elements();
        let unique: BTreeSet<_> = elements.iter().collect();
        assert_eq!(unique.len(), elements.len());
        assert!(elements.iter().all(is_canonical));
        assert!((80..200).contains(&elements.len()), "{}", elements.len());
    }

    #[test]
    fn the_named_ones_are_there() {
        let elements = edge_elements();
        let (half, half_up, last) = (elements[3], elements[4], elements[6]);
        assert_eq!(add(&half, &half), last);
        assert_eq!(add(&half, &half_up), [0; LIMBS]);
        assert_eq!(add(&last, &elements[1]), [0; LIMBS]);
    }

    /// What each rule of [`edge_elements`] is there for, in numbers of its own.
    #[test]
    fn every_rule_gives_its_elements() {
        let elements = edge_elements();
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
        // Nothing but what the rules give: a changed rule adds or loses some.
        assert_eq!(elements.len(), 98);
    }

    #[test]
    fn a_carry_ripples_through_all_limbs() {
        let ones = [u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0];
        assert!(edge_elements().contains(&ones));
        assert_eq!(add(&ones, &[1, 0, 0, 0, 0, 0]), [0, 0, 0, 0, 0, 1]);
    }
}
