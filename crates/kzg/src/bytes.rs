//! Field elements between bytes and limbs.

use field_kernels::{Fr, PrimeField as _, arithmetic};

use crate::{BYTES_PER_FIELD_ELEMENT, Bytes32, Error, Result, Scalar};

/// As many bytes as the kind has.
pub(crate) fn fixed<const N: usize>(
    what: impl Fn() -> String,
    bytes: &(impl AsRef<[u8]> + ?Sized),
) -> Result<&[u8; N]> {
    let bytes = bytes.as_ref();
    bytes.try_into().map_err(|_| Error::WrongLength {
        what: what(),
        expected: N,
        found: bytes.len(),
    })
}

/// `bytes`, which are whole field elements, where all of them are below the modulus.
pub(crate) fn canonical(what: impl Fn() -> String, bytes: &[u8]) -> Result<&[u8]> {
    let elements = bytes.as_chunks().0;
    // Nearly always the highest limb decides.
    let is_below = |it: &Bytes32| from_be_bytes(it).iter().rev().lt(Fr::MODULUS.iter().rev());
    match elements.iter().position(|it| !is_below(it)) {
        None => Ok(bytes),
        Some(element) => Err(Error::NotCanonical {
            what: what(),
            element,
        }),
    }
}

/// The elements in bytes, in Montgomery form.
pub(crate) fn scalars(what: impl Fn() -> String, bytes: &[u8]) -> Result<Vec<Scalar>> {
    let elements = canonical(what, bytes)?.as_chunks().0;
    let montgomery = |it| arithmetic::to_montgomery::<Fr>(&from_be_bytes(it));
    Ok(elements.iter().map(montgomery).collect())
}

/// The only one.
pub(crate) fn scalar(
    what: impl Fn() -> String,
    bytes: &(impl AsRef<[u8]> + ?Sized),
) -> Result<Scalar> {
    let bytes: &Bytes32 = fixed(&what, bytes)?;
    canonical(what, bytes)?;
    Ok(arithmetic::to_montgomery::<Fr>(&from_be_bytes(bytes)))
}

/// Any integer modulo the modulus, which it is below three times of.
pub(crate) fn reduced(bytes: &Bytes32) -> Scalar {
    let mut bytes = *bytes;
    let modulus = to_be_bytes(&Fr::MODULUS);
    while bytes >= modulus {
        let mut borrow = false;
        for (byte, less) in bytes.iter_mut().zip(modulus).rev() {
            (*byte, borrow) = byte.borrowing_sub(less, borrow);
        }
    }
    arithmetic::to_montgomery::<Fr>(&from_be_bytes(&bytes))
}

/// The bytes of an element in Montgomery form.
pub(crate) fn to_bytes(scalar: &Scalar) -> Bytes32 {
    to_be_bytes(&arithmetic::from_montgomery::<Fr>(scalar))
}

fn from_be_bytes(bytes: &Bytes32) -> Scalar {
    let mut limbs = bytes.as_chunks().0.iter().rev();
    std::array::from_fn(|_| limbs.next().map_or(0, |it| u64::from_be_bytes(*it)))
}

fn to_be_bytes(limbs: &Scalar) -> Bytes32 {
    let mut bytes = [0; BYTES_PER_FIELD_ELEMENT];
    let places = bytes.as_chunks_mut().0.iter_mut().rev();
    places
        .zip(limbs)
        .for_each(|(place, limb)| *place = limb.to_be_bytes());
    bytes
}
