//! What can be uploaded as it is: types whose memory is flat limbs.

use field_kernels::{Field, Fp, Fr};

use crate::HostBuffer;

/// Elements of `F` as flat little-endian limbs in memory, with nothing to convert.
///
/// Implemented for slices of limbs, arrays of limbs, and with the features
/// `arkworks` and `blst` for the types of those libraries.
pub trait AsElements<F: Field> {
    /// The limbs, `F::LIMBS` for each element.
    fn as_limbs(&self) -> &[u64];
}

impl<F: Field> AsElements<F> for [u64] {
    fn as_limbs(&self) -> &[u64] {
        self
    }
}

impl<F: Field> AsElements<F> for Vec<u64> {
    fn as_limbs(&self) -> &[u64] {
        self
    }
}

impl AsElements<Fp> for [[u64; 6]] {
    fn as_limbs(&self) -> &[u64] {
        self.as_flattened()
    }
}

impl AsElements<Fp> for Vec<[u64; 6]> {
    fn as_limbs(&self) -> &[u64] {
        self.as_flattened()
    }
}

impl AsElements<Fr> for [[u64; 4]] {
    fn as_limbs(&self) -> &[u64] {
        self.as_flattened()
    }
}

impl AsElements<Fr> for Vec<[u64; 4]> {
    fn as_limbs(&self) -> &[u64] {
        self.as_flattened()
    }
}

impl AsElements<Fp> for HostBuffer {
    fn as_limbs(&self) -> &[u64] {
        self.as_slice()
    }
}
