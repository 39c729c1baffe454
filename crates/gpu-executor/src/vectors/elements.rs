//! What can be uploaded and downloaded as it is: types whose memory is flat limbs.

use std::fmt;
use std::mem::MaybeUninit;

use field_kernels::{ElementType, Fp, Fp2, Fr};

use self::sealed::FlatLimbs;
use super::field_vec::Form;
use crate::{Error, HostBuffer, Result};

/// A type whose values are elements, with the element's limbs as their memory: nothing is converted between it and a vector.
///
/// Implemented for arrays of limbs, and with the features `arkworks` and `blst` for the
/// types of those libraries.
pub trait Element: FlatLimbs + Copy + fmt::Debug + Send + Sync + 'static {
    /// Which elements.
    type Type: ElementType;

    /// The form that its values are in; `None` where the type says nothing of it.
    const FORM: Option<Form>;

    /// The value with these limbs, in the type's form.
    fn from_limbs(limbs: <Self::Type as ElementType>::Limbs) -> Self;

    /// Its limbs, in the type's form.
    fn to_limbs(self) -> <Self::Type as ElementType>::Limbs;
}

/// Limbs of a field, in no form that the type says.
macro_rules! limbs_of {
    ($($limbs:ty: $field:ident),+) => {$(
        impl Element for $limbs {
            type Type = $field;

            const FORM: Option<Form> = None;

            fn from_limbs(limbs: Self) -> Self {
                limbs
            }

            fn to_limbs(self) -> Self {
                self
            }
        }
    )+};
}

limbs_of!([u64; 6]: Fp, [u64; 4]: Fr, [u64; 12]: Fp2);

/// Elements of `F` as flat little-endian limbs in memory, with nothing to convert.
///
/// Implemented for limbs and for every [`Element`], in slices, arrays and vectors.
pub trait AsElements<F: ElementType> {
    /// The form that the elements are in; `None` where the type says nothing of it.
    const FORM: Option<Form> = None;

    /// The limbs, `F::LIMBS` for each element.
    fn as_limbs(&self) -> &[u64];
}

/// As [`AsElements`], to be written.
pub trait AsElementsMut<F: ElementType>: AsElements<F> {
    /// The limbs, `F::LIMBS` for each element.
    fn as_limbs_mut(&mut self) -> &mut [u64];
}

/// Both traits for what derefs to a slice: of limbs, and of elements.
macro_rules! slices {
    ([$(const $length:ident)?] $limbs:ty, $elements:ty) => {
        impl<F: ElementType $(, const $length: usize)?> AsElements<F> for $limbs {
            fn as_limbs(&self) -> &[u64] {
                self
            }
        }

        impl<F: ElementType $(, const $length: usize)?> AsElementsMut<F> for $limbs {
            fn as_limbs_mut(&mut self) -> &mut [u64] {
                self
            }
        }

        impl<T: Element $(, const $length: usize)?> AsElements<T::Type> for $elements {
            const FORM: Option<Form> = T::FORM;

            fn as_limbs(&self) -> &[u64] {
                limbs(self)
            }
        }

        impl<T: Element $(, const $length: usize)?> AsElementsMut<T::Type> for $elements {
            fn as_limbs_mut(&mut self) -> &mut [u64] {
                limbs_mut(self)
            }
        }
    };
}

slices!([][u64], [T]);
slices!([] Vec<u64>, Vec<T>);
slices!([const N] [u64; N], [T; N]);

/// The form that the type of `elements` is in.
pub(super) fn form_of<F: ElementType, E: AsElements<F> + ?Sized>(_: &E) -> Option<Form> {
    E::FORM
}

impl AsElements<Fp> for HostBuffer {
    fn as_limbs(&self) -> &[u64] {
        self.as_slice()
    }
}

impl AsElementsMut<Fp> for HostBuffer {
    fn as_limbs_mut(&mut self) -> &mut [u64] {
        self.as_mut_slice()
    }
}

pub(super) mod sealed {
    /// What only this crate can promise of a type.
    ///
    /// # Safety
    /// Its memory is whole limbs, `u64`s without padding and aligned as they are, and
    /// any limbs are a value of it.
    pub unsafe trait FlatLimbs: Copy + 'static {}
}

// SAFETY: an array is its items one after the other.
unsafe impl<const N: usize> FlatLimbs for [u64; N] {}

// SAFETY: it is a limb.
unsafe impl FlatLimbs for u64 {}

/// What `FlatLimbs` promises of size and alignment, checked where it is relied upon.
const fn assert_layout<T: FlatLimbs>() {
    assert!(size_of::<T>().is_multiple_of(size_of::<u64>()));
    assert!(align_of::<T>() == align_of::<u64>());
}

/// The limbs of `elements`.
fn limbs<T: FlatLimbs>(elements: &[T]) -> &[u64] {
    const { assert_layout::<T>() };
    let limbs = size_of_val(elements) / size_of::<u64>();
    // SAFETY: the same memory under the same borrow; by the contract of `FlatLimbs` it is
    // u64s without padding, so all of it is initialised.
    unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), limbs) }
}

/// The limbs of `elements`, to be written.
fn limbs_mut<T: FlatLimbs>(elements: &mut [T]) -> &mut [u64] {
    const { assert_layout::<T>() };
    let limbs = size_of_val(elements) / size_of::<u64>();
    // SAFETY: the same memory under the same borrow; by the contract of `FlatLimbs` it is
    // u64s without padding, and whatever is written to them is a `T`.
    unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), limbs) }
}

/// An empty vector with room for `count` values, in huge pages where the system gives them.
///
/// # Errors
/// [`Error::OutOfHostMemory`] for this `purpose`.
pub(crate) fn room_for<T>(count: usize, purpose: impl FnOnce() -> String) -> Result<Vec<T>> {
    let mut room = Vec::new();
    let reserved = room.try_reserve_exact(count);
    reserved.map_err(|_| Error::OutOfHostMemory {
        purpose: purpose(),
        requested: count * size_of::<T>(),
    })?;
    vk_mem_paths::advise_huge_pages(room.spare_capacity_mut());
    Ok(room)
}

/// A caller's slice of limbs, or of bytes, as memory to be written.
pub(crate) fn as_uninit<T: bytemuck::Pod>(slice: &mut [T]) -> &mut [MaybeUninit<T>] {
    let (start, len) = (slice.as_mut_ptr(), slice.len());
    // SAFETY: the same memory under the same borrow, of equal layout; nobody
    // in this workspace writes uninitialised bytes to it: results are copies
    // of initialised ones.
    unsafe { std::slice::from_raw_parts_mut(start.cast(), len) }
}

/// The bytes of places for elements or limbs. Where all of them are written, so are those.
pub(crate) fn as_bytes<T: FlatLimbs>(places: &mut [MaybeUninit<T>]) -> &mut [MaybeUninit<u8>] {
    const { assert_layout::<T>() };
    let (start, bytes) = (places.as_mut_ptr(), size_of_val(places));
    // SAFETY: the same memory under the same borrow; any byte may stand in a MaybeUninit, and
    // u8 needs no alignment; what is whole limbs is a `T` by the contract of `FlatLimbs`.
    unsafe { std::slice::from_raw_parts_mut(start.cast(), bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: ElementType>(elements: &mut (impl AsElementsMut<F> + ?Sized), expected: &[u64]) {
        assert_eq!(elements.as_limbs(), expected);
        let start = elements.as_limbs().as_ptr();
        let limbs = elements.as_limbs_mut();
        assert_eq!(limbs.as_ptr(), start);
        limbs.iter_mut().for_each(|limb| *limb += 1);
    }

    #[test]
    fn elements_are_their_limbs() {
        let expected: Vec<u64> = (0..12).collect();
        let mut pair = [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]];
        check::<Fp>(&mut pair, &expected);
        assert_eq!(pair[1], [7, 8, 9, 10, 11, 12]);
        let mut three = vec![[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]];
        check::<Fr>(&mut three, &expected);
        assert_eq!(three[2], [9, 10, 11, 12]);
        check::<Fr>(&mut expected.clone(), &expected);
        check::<Fp>(expected.clone().as_mut_slice(), &expected);
        check::<Fr>(&mut [5, 6, 7, 8], &[5, 6, 7, 8]);
        check::<Fp>(&mut Vec::<[u64; 6]>::new(), &[]);
    }
}
