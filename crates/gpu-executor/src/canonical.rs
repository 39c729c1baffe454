//! Whether inputs are canonical: below the modulus.

use std::mem::MaybeUninit;

use field_kernels::{ElementId, ElementType, Fp, PrimeField, arithmetic};
use vk_mem_paths::{CheckedCopy, Element};

use crate::Error;
use crate::jobs::Job;
use crate::kernels::LIMBS;

/// What the elements of the inputs are held to.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inputs {
    /// Each is below the modulus; the first one that is not ends the run with
    /// [`Error::NotCanonical`]. They are looked at while they are copied, or
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

/// How an element lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As its limbs, the least significant first.
    Limbs,
    /// As bytes, the most significant first.
    BigEndian,
}

impl Inputs {
    /// What the data path has to know of an element that lies in memory in this order.
    pub(crate) fn element<E: ElementType>(self, order: Order) -> Element {
        let copy: CheckedCopy = match order {
            Order::Limbs => copy::<E, false>,
            Order::BigEndian => copy::<E, true>,
        };
        Element {
            bytes: E::BYTES,
            check: (self == Self::Canonical).then_some(copy),
        }
    }
}

const LIMB_BYTES: usize = size_of::<u64>();

/// Copies whole elements, limbs in native byte order or, of each coordinate, `BIG_ENDIAN`
/// bytes, and returns the position of the first one that is not canonical.
fn copy<E: ElementType, const BIG_ENDIAN: bool>(
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
) -> Option<usize> {
    let bytes = E::Base::BYTES;
    let mut doubtful = false;
    for (place, coordinate) in to.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes)) {
        place.write_copy_of_slice(coordinate);
        doubtful |= is_doubtful::<E::Base>(limb::<BIG_ENDIAN>(coordinate, E::Base::LIMBS - 1));
    }
    let refused = |coordinate: &[u8]| {
        let mut limbs = <E::Base as ElementType>::Limbs::default();
        for (number, place) in limbs.as_mut().iter_mut().enumerate() {
            *place = limb::<BIG_ENDIAN>(coordinate, number);
        }
        !arithmetic::is_canonical::<E::Base>(&limbs)
    };
    match doubtful {
        false => None,
        true => {
            let found = from.chunks_exact(bytes).position(refused)?;
            Some(found / E::ID.coordinates())
        }
    }
}

/// Whether an element with this highest limb may be the modulus or more. Hardly
/// any canonical element is doubtful, so that one comparison decides for nearly
/// all, and without a branch in loops that have to be as fast as memory.
pub(crate) fn is_doubtful<F: PrimeField>(highest: u64) -> bool {
    highest >= F::MODULUS.as_ref()[F::LIMBS - 1]
}

/// The position of the first of `elements` that is not canonical.
pub(crate) fn first_refused<F: PrimeField>(elements: &[F::Limbs]) -> Option<usize> {
    let highest = |element: &F::Limbs| element.as_ref()[F::LIMBS - 1];
    let doubtful = |any, element: &F::Limbs| any | is_doubtful::<F>(highest(element));
    match elements.iter().fold(false, doubtful) {
        false => None,
        true => elements
            .iter()
            .position(|element| !arithmetic::is_canonical::<F>(element)),
    }
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

/// The error for an `element` of an input of `jobs` that was refused.
pub(crate) fn refusal(
    jobs: &[Job<'_>],
    job: usize,
    operand: &'static str,
    element: usize,
) -> Error {
    let slice = jobs
        .get(job)
        .map(|(a, b)| if operand == "B" { b } else { a });
    let limbs = slice.and_then(|slice| slice.get(element * LIMBS..));
    let limbs = limbs.unwrap_or_default();
    let limb = deciding_limb(Fp::ID, limbs);
    Error::NotCanonical {
        job,
        operand,
        element,
        limb,
        found: limbs.get(limb).copied().unwrap_or_default(),
    }
}

/// The error for an `element` of `bytes` in this order that was refused.
pub(crate) fn refused_of(field: ElementId, bytes: &[u8], order: Order, element: usize) -> Error {
    let bytes = bytes.chunks_exact(field.bytes()).nth(element);
    let coordinates = bytes.unwrap_or_default().chunks_exact(field.base().bytes());
    let limbs = coordinates.flat_map(|bytes| {
        (0..bytes.len() / LIMB_BYTES).map(move |number| match order {
            Order::Limbs => limb::<false>(bytes, number),
            Order::BigEndian => limb::<true>(bytes, number),
        })
    });
    refused(field, &limbs.collect::<Vec<_>>(), element)
}

/// The error for an element with these limbs, at place `element`, that was refused.
pub(crate) fn refused(field: ElementId, limbs: &[u64], element: usize) -> Error {
    let limb = deciding_limb(field, limbs);
    Error::VectorNotCanonical {
        element,
        field: field.name(),
        limb,
        found: limbs.get(limb).copied().unwrap_or_default(),
    }
}

/// The limb by which an element is not canonical: of its first coordinate that is not below
/// the modulus the highest in which they differ, or the lowest of the modulus itself.
fn deciding_limb(field: ElementId, element: &[u64]) -> usize {
    let modulus = field.modulus();
    let mut coordinates = element.chunks(modulus.len()).enumerate();
    let refused = coordinates.find(|(_, it)| it.iter().rev().ge(modulus.iter().rev()));
    let (number, coordinate) = refused.unwrap_or((0, element));
    let differs = |limb: &usize| coordinate.get(*limb) != modulus.get(*limb);
    let limb = (0..modulus.len()).rev().find(differs).unwrap_or(0);
    number * modulus.len() + limb
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::MODULUS;
    use field_kernels::{FR_MODULUS, Fp, Fr, arithmetic, edge};

    fn raised(by: [u64; LIMBS]) -> [u64; LIMBS] {
        let mut carry = false;
        std::array::from_fn(|limb| {
            let sum;
            (sum, carry) = MODULUS[limb].carrying_add(by[limb], carry);
            sum
        })
    }

    #[test]
    fn it_agrees_with_the_reference_on_edges_wherever_they_stand() {
        let refused = [
            MODULUS,
            raised([1, 0, 0, 0, 0, 0]),
            raised([0, 0, 1, 0, 0, 0]),
            raised([0, 0, 0, 0, 0, 1]),
            [u64::MAX; LIMBS],
            [0, 0, 0, 0, 0, u64::MAX],
        ];
        let copied = |all: &[[u64; LIMBS]]| {
            let from: &[u8] = bytemuck::must_cast_slice(all);
            let mut to = vec![MaybeUninit::new(0); from.len()];
            let refused = copy::<Fp, false>(from, &mut to);
            // SAFETY: all bytes were initialised when the vector was made.
            let byte = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() };
            assert!(refused.is_some() || to.iter().map(byte).eq(from.iter().copied()));
            refused
        };
        let mut all = edge::edge_elements::<Fp>();
        assert_eq!((copied(&all), first_refused::<Fp>(&all)), (None, None));
        for bad in refused {
            assert!(!arithmetic::is_canonical::<Fp>(&bad));
            for at in [0, 1, all.len() / 2, all.len() - 1] {
                let good = std::mem::replace(&mut all[at], bad);
                let found = (copied(&all), first_refused::<Fp>(&all));
                assert_eq!(found, (Some(at), Some(at)), "{bad:x?}");
                all[at] = good;
            }
        }
        assert_eq!((copied(&[]), first_refused::<Fp>(&[])), (None, None));
        // Nor does it matter what stands around: nothing, or another such.
        for bad in refused {
            for all in [&[bad][..], &[bad, bad]] {
                assert_eq!((copied(all), first_refused::<Fp>(all)), (Some(0), Some(0)));
            }
        }
    }

    #[test]
    fn the_error_names_job_operand_element_and_the_deciding_limb() {
        let good = [1; 3 * LIMBS];
        let mut bad = good;
        bad[2 * LIMBS..].copy_from_slice(&raised([0, 0, 0, 7, 0, 0]));
        let jobs: [Job<'_>; 2] = [(&good, &good), (&good, &bad)];
        assert_eq!(
            refusal(&jobs, 1, "B", 2),
            Error::NotCanonical {
                job: 1,
                operand: "B",
                element: 2,
                limb: 3,
                found: MODULUS[3] + 7,
            }
        );
        assert_eq!(
            refusal(&jobs, 1, "B", 2).to_string(),
            "job 1: expected element 2 of B below the modulus, found limb 3 = 0x64774b84f38512c6 \
             (there the modulus has 0x64774b84f38512bf); docs/configuration.md tells how to switch \
             the check off"
        );
        assert_eq!(deciding_limb(Fp::ID, &MODULUS), 0);
        let jobs: [Job<'_>; 1] = [(&bad, &good)];
        assert!(matches!(
            refusal(&jobs, 0, "A", 2),
            Error::NotCanonical {
                job: 0,
                operand: "A",
                element: 2,
                limb: 3,
                ..
            }
        ));
    }

    #[test]
    fn the_scalar_field_is_held_to_its_own_modulus() {
        let mut all = edge::edge_elements::<Fr>();
        let copied = |all: &[[u64; 4]]| {
            let from: &[u8] = bytemuck::must_cast_slice(all);
            let to = || vec![MaybeUninit::uninit(); from.len()];
            let found = copy::<Fr, false>(from, &mut to());
            // In the other order it is the same.
            let mut reversed = from.to_vec();
            let elements = reversed.as_chunks_mut::<{ Fr::BYTES }>().0;
            elements.iter_mut().for_each(|element| element.reverse());
            let other = copy::<Fr, true>(&reversed, &mut to());
            assert_eq!(found, other);
            if let Some(at) = found {
                let errors = [(from, Order::Limbs), (&reversed, Order::BigEndian)]
                    .map(|(bytes, order)| refused_of(Fr::ID, bytes, order, at));
                assert_eq!(errors[0], errors[1]);
            }
            found
        };
        assert_eq!((copied(&all), first_refused::<Fr>(&all)), (None, None));
        let last = all.len() - 1;
        all[last] = FR_MODULUS;
        let found = (copied(&all), first_refused::<Fr>(&all));
        assert_eq!(found, (Some(last), Some(last)));
        assert!(matches!(
            refused(Fr::ID, &all[last], last),
            Error::VectorNotCanonical { field: "fr", limb: 0, found, .. } if found == FR_MODULUS[0]
        ));
    }

    #[test]
    fn the_highest_limb_settles_nearly_all_elements() {
        assert!(!is_doubtful::<Fp>(0));
        assert!(!is_doubtful::<Fp>(MODULUS[LIMBS - 1] - 1));
        assert!(is_doubtful::<Fp>(MODULUS[LIMBS - 1]));
        assert!(is_doubtful::<Fp>(u64::MAX));
    }
}
