//! Blobs as polynomials on the host: challenges, values, quotients.

use field_kernels::arithmetic::{
    add, bit_reversed, inverse, inverse_all, mul, neg, pow, powers, sub, to_montgomery,
};
use field_kernels::{Field as _, Fr};
use gpu_executor::vectors::Domain;
use sha2::{Digest as _, Sha256};

use crate::error::expect_as_many;
use crate::{Bytes32, FIELD_ELEMENTS_PER_BLOB, FIELD_ELEMENTS_PER_CELL, Result, Scalar, bytes};

/// The point at which `verify_blob_kzg_proof` opens a blob: a hash of the blob and its
/// commitment.
///
/// # Errors
/// [`Error::WrongLength`](crate::Error::WrongLength).
pub fn compute_challenge(
    blob: &(impl AsRef<[u8]> + ?Sized),
    commitment: &(impl AsRef<[u8]> + ?Sized),
) -> Result<Bytes32> {
    let blob = bytes::fixed(|| "the blob".to_owned(), blob)?;
    let commitment = bytes::fixed(|| "the commitment".to_owned(), commitment)?;
    Ok(bytes::to_bytes(&challenge(blob, commitment)))
}

/// The number whose powers `verify_cell_kzg_proof_batch` weighs cells with: a hash of all that
/// it is given. Commitments are without duplicates; each cell has the place of its own.
///
/// # Errors
/// [`Error::MismatchLength`](crate::Error::MismatchLength).
pub fn compute_verify_cell_kzg_proof_batch_challenge(
    commitments: &[impl AsRef<[u8]>],
    commitment_indices: &[u64],
    cell_indices: &[u64],
    cells: &[impl AsRef<[u8]>],
    proofs: &[impl AsRef<[u8]>],
) -> Result<Bytes32> {
    let of = ("cells", cells.len());
    expect_as_many(of, ("commitment indices", commitment_indices.len()))?;
    expect_as_many(of, ("cell indices", cell_indices.len()))?;
    expect_as_many(of, ("proofs", proofs.len()))?;
    let mut hash = Sha256::new();
    hash.update(b"RCKZGCBATCH__V1_");
    let sizes = [FIELD_ELEMENTS_PER_BLOB, FIELD_ELEMENTS_PER_CELL];
    let numbers = [commitments.len(), cells.len()];
    for number in sizes.into_iter().chain(numbers) {
        hash.update((number as u64).to_be_bytes());
    }
    commitments.iter().for_each(|it| hash.update(it));
    let indices = commitment_indices.iter().zip(cell_indices);
    for ((of_commitment, of_cell), (cell, proof)) in indices.zip(cells.iter().zip(proofs)) {
        hash.update(of_commitment.to_be_bytes());
        hash.update(of_cell.to_be_bytes());
        hash.update(cell);
        hash.update(proof);
    }
    Ok(bytes::to_bytes(&bytes::reduced(&hash.finalize().into())))
}

/// As [`compute_challenge`], of a whole blob and commitment.
pub(crate) fn challenge(
    blob: &[u8; crate::BYTES_PER_BLOB],
    commitment: &[u8; crate::BYTES_PER_COMMITMENT],
) -> Scalar {
    let mut hash = Sha256::new();
    hash.update(b"FSBLOBVERIFY_V1_");
    hash.update((FIELD_ELEMENTS_PER_BLOB as u128).to_be_bytes());
    hash.update(blob);
    hash.update(commitment);
    bytes::reduced(&hash.finalize().into())
}

/// The points that a blob has its values at, in its order.
pub(crate) struct Points(Vec<Scalar>);

/// A polynomial opened at a point.
pub(crate) struct Opened {
    pub(crate) value: Scalar,
    /// Its difference from the value, divided by X less the point: values in a blob's order.
    pub(crate) quotient: Vec<Scalar>,
}

impl Points {
    pub(crate) fn new() -> Result<Self> {
        let mut points: Vec<_> = Domain::new(FIELD_ELEMENTS_PER_BLOB)?.elements().collect();
        to_order_of_blobs(&mut points);
        Ok(Self(points))
    }

    /// The value at z of the polynomial with these values.
    pub(crate) fn value(&self, values: &[Scalar], z: &Scalar) -> Scalar {
        self.value_by(values, z, &self.inverses_to(z))
    }

    /// The value at z, and the quotient.
    pub(crate) fn open(&self, values: &[Scalar], z: &Scalar) -> Opened {
        let inverses = self.inverses_to(z);
        let value = self.value_by(values, z, &inverses);
        let terms = values.iter().zip(&inverses);
        let mut quotient: Vec<_> = terms
            .map(|(it, inverse)| mul::<Fr>(&sub::<Fr>(&value, it), inverse))
            .collect();
        // At z itself the quotient is the derivative.
        if let Some(place) = self.0.iter().position(|point| point == z) {
            let terms = self.0.iter().zip(&quotient).enumerate();
            let others = terms.filter(|(other, _)| *other != place);
            let sum = others.fold(Scalar::default(), |sum, (_, (point, it))| {
                sub::<Fr>(&sum, &mul::<Fr>(point, it))
            });
            quotient[place] = mul::<Fr>(&sum, &invert(z));
        }
        Opened { value, quotient }
    }

    /// 1 / (z - point) of each point, and 0 of z itself.
    fn inverses_to(&self, z: &Scalar) -> Vec<Scalar> {
        let mut inverses: Vec<_> = self.0.iter().map(|point| sub::<Fr>(z, point)).collect();
        inverse_all::<Fr>(&mut inverses);
        inverses
    }

    fn value_by(&self, values: &[Scalar], z: &Scalar, inverses: &[Scalar]) -> Scalar {
        if let Some(place) = self.0.iter().position(|point| point == z) {
            return values[place];
        }
        let terms = values.iter().zip(&self.0).zip(inverses);
        let sum = terms.fold(Scalar::default(), |sum, ((value, point), inverse)| {
            add::<Fr>(&sum, &mul::<Fr>(&mul::<Fr>(value, point), inverse))
        });
        let size = FIELD_ELEMENTS_PER_BLOB as u64;
        let vanishing = sub::<Fr>(&pow::<Fr>(z, size), &Fr::ONE);
        let scale = mul::<Fr>(&vanishing, &invert(&to_montgomery::<Fr>(&[size, 0, 0, 0])));
        mul::<Fr>(&scale, &sum)
    }
}

/// Of what is not zero.
pub(crate) fn invert(x: &Scalar) -> Scalar {
    inverse::<Fr>(x).unwrap_or_default()
}

/// The values at the powers of a root of unity, in their order, of the polynomial with these
/// coefficients, as many and in bit-reversed order. By the root's inverse it is the other way: the
/// coefficients, times their number, of the polynomial with these values in bit-reversed order.
pub(crate) fn transform(elements: &mut [Scalar], root: &Scalar) {
    // From pairs of neighbours to pairs of halves: each time the root's square root.
    let (count, mut half) = (elements.len(), 1);
    while half < count {
        let root = pow::<Fr>(root, (count / (2 * half)) as u64);
        let factors: Vec<_> = powers::<Fr>(Fr::ONE, root).take(half).collect();
        for block in elements.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((low, high), factor) in low.iter_mut().zip(high).zip(&factors) {
                let product = mul::<Fr>(high, factor);
                (*low, *high) = (
                    add::<Fr>(low, &product),
                    add::<Fr>(low, &neg::<Fr>(&product)),
                );
            }
        }
        half *= 2;
    }
}

/// As [`transform`], of coefficients in their order, to values as cells have them.
pub(crate) fn values_in_cells<const N: usize>(
    mut elements: [Scalar; N],
    root: &Scalar,
) -> [Scalar; N] {
    to_order_of_blobs(&mut elements);
    transform(&mut elements, root);
    to_order_of_blobs(&mut elements);
    elements
}

/// Puts each of 2^k elements at the place whose number has its bits from the last to the first.
pub(crate) fn to_order_of_blobs<T>(elements: &mut [T]) {
    let bits = elements.len().ilog2();
    for place in 0..elements.len() {
        let other = bit_reversed(place, bits);
        if place < other {
            elements.swap(place, other);
        }
    }
}
