//! Whether inputs are canonical: below the modulus.

use std::mem::MaybeUninit;

use field_kernels::{ElementType, PrimeField, arithmetic};
use vk_mem_paths::{CheckedCopy, ElementFormat, Refused};

/// What the elements of the inputs are held to.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inputs {
    /// Each is below the modulus; the first one that is not ends the run with
    /// [`Error::NotCanonical`](crate::Error::NotCanonical). They are looked at while they are copied, or
    /// computed on the CPU: elements of a [`HostBuffer`](crate::HostBuffer),
    /// which nobody copies, are not
    /// ([`HostBuffer::expect_canonical`](crate::HostBuffer::expect_canonical)).
    #[default]
    Canonical,
    /// Any 384 bits: for kernels of your own that work on other numbers. This
    /// library's add returns `s - p` if `s >= p`, else `s`, where
    /// `s = (a + b) mod 2^384`.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As its limbs, the least significant first.
    Limbs,
    /// As bytes, the most significant first.
    BigEndian,
}

impl Inputs {
    /// What the data path has to know of an element that lies in memory in this order.
    pub(crate) fn element<E: ElementType>(self, order: Order) -> ElementFormat {
        let copy: CheckedCopy = match order {
            Order::Limbs => copy::<E, false>,
            Order::BigEndian => copy::<E, true>,
        };
        ElementFormat {
            bytes: E::BYTES,
            check: (self == Self::Canonical).then_some(copy),
        }
    }
}

const LIMB_BYTES: usize = size_of::<u64>();

/// Copies whole elements, limbs in native byte order or, of each coordinate, `BIG_ENDIAN`
/// bytes, and returns the first one that is not canonical.
fn copy<E: ElementType, const BIG_ENDIAN: bool>(
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
) -> Option<Refused> {
    let bytes = E::Base::BYTES;
    let mut doubtful = false;
    for (place, coordinate) in to.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes)) {
        place.write_copy_of_slice(coordinate);
        doubtful |= is_doubtful::<E::Base>(limb::<BIG_ENDIAN>(coordinate, E::Base::LIMBS - 1));
    }
    let limbs = |coordinate: &[u8]| {
        let mut limbs = <E::Base as ElementType>::Limbs::default();
        for (number, place) in limbs.as_mut().iter_mut().enumerate() {
            *place = limb::<BIG_ENDIAN>(coordinate, number);
        }
        limbs
    };
    match doubtful {
        false => None,
        true => first_coordinate::<E>(from.chunks_exact(bytes).map(limbs)),
    }
}

/// Whether an element with this highest limb may be the modulus or more. Hardly
/// any canonical element is doubtful, so that one comparison decides for nearly
/// all, and without a branch in loops that have to be as fast as memory.
pub(crate) fn is_doubtful<F: PrimeField>(highest: u64) -> bool {
    highest >= F::MODULUS.as_ref()[F::LIMBS - 1]
}

/// The first of `elements` that is not canonical.
pub(crate) fn first_refused<E: ElementType>(elements: &[E::Limbs]) -> Option<Refused> {
    let coordinates = <E::Base as ElementType>::elements(E::words(elements)).unwrap_or_default();
    let highest = |limbs: &BaseLimbs<E>| limbs.as_ref()[E::Base::LIMBS - 1];
    let doubtful = |any, limbs: &BaseLimbs<E>| any | is_doubtful::<E::Base>(highest(limbs));
    match coordinates.iter().fold(false, doubtful) {
        false => None,
        true => first_coordinate::<E>(coordinates.iter().copied()),
    }
}

/// The limbs of a coordinate.
type BaseLimbs<E> = <<E as ElementType>::Base as ElementType>::Limbs;

/// The first of the `coordinates` of elements that is not canonical, with the highest limb
/// in which it differs from the modulus, or the lowest of the modulus itself.
fn first_coordinate<E: ElementType>(
    coordinates: impl Iterator<Item = BaseLimbs<E>>,
) -> Option<Refused> {
    let mut coordinates = coordinates.enumerate();
    let refused = |limbs: &BaseLimbs<E>| !arithmetic::is_canonical::<E::Base>(limbs);
    let (number, limbs) = coordinates.find(|(_, limbs)| refused(limbs))?;
    let (limbs, modulus) = (limbs.as_ref(), E::ID.modulus());
    let differs = |limb: &usize| limbs[*limb] != modulus[*limb];
    let limb = (0..modulus.len()).rev().find(differs).unwrap_or(0);
    let (element, coordinate) = (number / E::ID.coordinates(), number % E::ID.coordinates());
    Some(Refused {
        job: None,
        what: "the vector",
        element,
        name: E::NAME,
        limb: coordinate * modulus.len() + limb,
        bound: modulus[limb],
        found: limbs[limb],
    })
}

fn limb<const BIG_ENDIAN: bool>(element: &[u8], number: usize) -> u64 {
    let at = match BIG_ENDIAN {
        true => element.len() - (number + 1) * LIMB_BYTES,
        false => number * LIMB_BYTES,
    };
    let mut bytes = [0; LIMB_BYTES];
    bytes.copy_from_slice(&element[at..][..LIMB_BYTES]);
    match BIG_ENDIAN {
        true => u64::from_be_bytes(bytes),
        false => u64::from_ne_bytes(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::kernels::{LIMBS, MODULUS};
    use field_kernels::{FR_MODULUS, Fp, Fp2, Fr, arithmetic, edge};

    fn raised(by: [u64; LIMBS]) -> [u64; LIMBS] {
        let mut carry = false;
        std::array::from_fn(|limb| {
            let sum;
            (sum, carry) = MODULUS[limb].carrying_add(by[limb], carry);
            sum
        })
    }

    /// Both functions on edges, in both orders of bytes, and on what is refused wherever it stands.
    fn check<F: PrimeField>(refused: &[F::Limbs]) {
        let look = |all: &[F::Limbs]| {
            let from: &[u8] = bytemuck::must_cast_slice(F::words(all));
            let mut to = vec![MaybeUninit::new(0); from.len()];
            let found = copy::<F, false>(from, &mut to);
            // SAFETY: all bytes were initialised when the vector was made.
            let byte = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() };
            assert!(found.is_some() || to.iter().map(byte).eq(from.iter().copied()));
            let mut reversed = from.to_vec();
            let elements = reversed.chunks_exact_mut(F::BYTES);
            elements.for_each(<[u8]>::reverse);
            assert_eq!(copy::<F, true>(&reversed, &mut to), found);
            assert_eq!(first_refused::<F>(all), found);
            found
        };
        let mut all = edge::edge_elements::<F>();
        assert_eq!((look(&all), look(&[])), (None, None));
        for bad in refused {
            assert!(!arithmetic::is_canonical::<F>(bad));
            for at in [0, 1, all.len() / 2, all.len() - 1] {
                let good = std::mem::replace(&mut all[at], *bad);
                assert_eq!(look(&all).unwrap().element, at, "{bad:x?}");
                all[at] = good;
            }
            // Nor does it matter what stands around: nothing, or another such.
            for all in [&[*bad][..], &[*bad, *bad]] {
                assert_eq!(look(all).unwrap().element, 0);
            }
        }
    }

    #[test]
    fn both_ways_to_look_agree_with_the_reference() {
        check::<Fp>(&[
            MODULUS,
            raised([1, 0, 0, 0, 0, 0]),
            raised([0, 0, 1, 0, 0, 0]),
            raised([0, 0, 0, 0, 0, 1]),
            [u64::MAX; LIMBS],
            [0, 0, 0, 0, 0, u64::MAX],
        ]);
        check::<Fr>(&[FR_MODULUS, [u64::MAX; 4]]);
    }

    #[test]
    fn the_error_names_job_operand_element_and_the_deciding_limb() {
        let bad = raised([0, 0, 0, 7, 0, 0]);
        let refused = first_refused::<Fp>(&[[1; LIMBS], [1; LIMBS], bad]).unwrap();
        assert_eq!(
            Error::from(refused.of(1, "B")).to_string(),
            "job 1, element 2 of B (fp): expected limb 3 below 0x64774b84f38512bf, found \
             0x64774b84f38512c6, which makes it the modulus or more; docs/configuration.md tells \
             where the check can be switched off"
        );
        assert_eq!(first_refused::<Fp>(&[MODULUS]).unwrap().limb, 0);
        let of_fr = first_refused::<Fr>(&[FR_MODULUS]).unwrap();
        let found = (of_fr.name, of_fr.limb, of_fr.bound, of_fr.found);
        assert_eq!(found, ("fr", 0, FR_MODULUS[0], FR_MODULUS[0]));
        // The second coordinate of the second element.
        let mut pair = [[0; 2 * LIMBS]; 2];
        pair[1][LIMBS..].copy_from_slice(&bad);
        let expected = Refused {
            job: None,
            what: "the vector",
            element: 1,
            name: "fp2",
            limb: LIMBS + 3,
            bound: MODULUS[3],
            found: MODULUS[3] + 7,
        };
        assert_eq!(first_refused::<Fp2>(&pair), Some(expected));
    }

    #[test]
    fn the_highest_limb_settles_nearly_all_elements() {
        assert!(!is_doubtful::<Fp>(0));
        assert!(!is_doubtful::<Fp>(MODULUS[LIMBS - 1] - 1));
        assert!(is_doubtful::<Fp>(MODULUS[LIMBS - 1]));
        assert!(is_doubtful::<Fp>(u64::MAX));
    }
}
