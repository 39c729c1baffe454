//! EIP-4844: commitments to blobs, and proofs of their values at points.

use field_kernels::{Fr, G1};
use gpu_executor::vectors::{Completed, FieldVec, Msm, Queue, Xyzz};
use rayon::prelude::*;

use crate::error::expect_as_many;
use crate::evaluation::{Opened, challenge};
use crate::kzg::only;
use crate::{
    BYTES_PER_BLOB, Bytes32, FIELD_ELEMENTS_PER_BLOB, Kzg, KzgCommitment, KzgProof, Result, Scalar,
    bytes, points,
};

impl Kzg {
    /// The commitment to a blob.
    ///
    /// # Errors
    /// [`Error::WrongLength`](crate::Error::WrongLength) and
    /// [`Error::NotCanonical`](crate::Error::NotCanonical) for what is no blob, else
    /// [`Error::Engine`](crate::Error::Engine).
    pub fn blob_to_kzg_commitment(
        &self,
        blob: &(impl AsRef<[u8]> + Sync + ?Sized),
    ) -> Result<KzgCommitment> {
        only(self.blob_to_kzg_commitment_many(&[blob])?)
    }

    /// The commitment to each blob.
    ///
    /// # Errors
    /// Of each blob as [`Self::blob_to_kzg_commitment`]; of all of them
    /// [`Error::Engine`](crate::Error::Engine) and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn blob_to_kzg_commitment_many(
        &self,
        blobs: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Vec<Result<KzgCommitment>>> {
        self.in_windows(
            blobs,
            canonical_blob,
            |queue, blobs| self.commitments(queue, &queue.upload_be_bytes(blobs)?),
            |left, sums, _| encoded(left, &sums),
        )
    }

    /// A proof of a blob's value at z, and the value.
    ///
    /// # Errors
    /// As [`Self::blob_to_kzg_commitment`].
    pub fn compute_kzg_proof(
        &self,
        blob: &(impl AsRef<[u8]> + Sync + ?Sized),
        z_bytes: &(impl AsRef<[u8]> + Sync + ?Sized),
    ) -> Result<(KzgProof, Bytes32)> {
        only(self.compute_kzg_proof_many(&[blob], &[z_bytes])?)
    }

    /// For each blob a proof of its value at its own z, and the value.
    ///
    /// # Errors
    /// [`Error::MismatchLength`](crate::Error::MismatchLength), else as
    /// [`Self::blob_to_kzg_commitment_many`].
    pub fn compute_kzg_proof_many(
        &self,
        blobs: &[impl AsRef<[u8]> + Sync],
        z_bytes: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Vec<Result<(KzgProof, Bytes32)>>> {
        expect_as_many(("blobs", blobs.len()), ("points z", z_bytes.len()))?;
        self.opened(&pairs(blobs, z_bytes), |(blob, z)| {
            let z = bytes::scalar(|| "z".to_owned(), z.as_ref())?;
            self.open(canonical_blob(blob)?, &z)
        })
    }

    /// The proof that a blob belongs to its commitment.
    ///
    /// # Errors
    /// [`Error::InvalidPoint`](crate::Error::InvalidPoint), else as
    /// [`Self::blob_to_kzg_commitment`].
    pub fn compute_blob_kzg_proof(
        &self,
        blob: &(impl AsRef<[u8]> + Sync + ?Sized),
        commitment_bytes: &(impl AsRef<[u8]> + Sync + ?Sized),
    ) -> Result<KzgProof> {
        only(self.compute_blob_kzg_proof_many(&[blob], &[commitment_bytes])?)
    }

    /// For each blob the proof that it belongs to its commitment.
    ///
    /// # Errors
    /// [`Error::MismatchLength`](crate::Error::MismatchLength), else as
    /// [`Self::blob_to_kzg_commitment_many`].
    pub fn compute_blob_kzg_proof_many(
        &self,
        blobs: &[impl AsRef<[u8]> + Sync],
        commitments_bytes: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Vec<Result<KzgProof>>> {
        expect_as_many(
            ("blobs", blobs.len()),
            ("commitments", commitments_bytes.len()),
        )?;
        let opened = self.opened(&pairs(blobs, commitments_bytes), |(blob, commitment)| {
            let (blob, what) = (canonical_blob(blob)?, || "the commitment".to_owned());
            let commitment: &KzgCommitment = bytes::fixed(what, commitment.as_ref())?;
            points::decoded(&self.shared.host, commitment, |_| what())?;
            self.open(blob, &challenge(blob, commitment))
        })?;
        let proofs = opened.into_iter().map(|it| it.map(|(proof, _)| proof));
        Ok(proofs.collect())
    }

    /// A proof and a value for each item that `open` opens.
    fn opened<'a, I: Sync>(
        &self,
        items: &'a [I],
        open: impl Fn(&'a I) -> Result<Opened> + Sync,
    ) -> Result<Vec<Result<(KzgProof, Bytes32)>>> {
        self.in_windows(
            items,
            open,
            |queue, opened| {
                let quotients = joined(opened, |values: &mut [_; FIELD_ELEMENTS_PER_BLOB], it| {
                    values.copy_from_slice(&it.quotient);
                });
                self.commitments(queue, &self.shared.engine.upload::<Fr>(&quotients)?)
            },
            |left, sums, opened| {
                let proofs = encoded(left, &sums)?.into_iter();
                let values = opened.iter().map(|it| bytes::to_bytes(&it.value));
                Ok(proofs.zip(values).collect())
            },
        )
    }

    fn open(&self, blob: &[u8; BYTES_PER_BLOB], z: &Scalar) -> Result<Opened> {
        let values = bytes::scalars(|| "the blob".to_owned(), blob)?;
        Ok(self.shared.points.open(&values, z))
    }

    /// Sums over the setup in Lagrange form, one for each row of values. They come to the host
    /// with the end of a submission: what is submitted after it need not be waited for.
    fn commitments(&self, queue: &Queue, values: &FieldVec<Fr>) -> Result<Msm<G1>> {
        Ok(queue.msm_rows(&self.shared.lagrange, values)?)
    }
}

/// Makes sums affine, and encodes them. They are few: by a device a single inversion would take
/// longer than by the host.
fn encoded(left: &Completed, sums: &Msm<G1>) -> Result<Vec<KzgCommitment>> {
    Ok(points::encoded(&Xyzz::to_affine_all(&left.msm_rows(sums)?)))
}

/// An array for each item, one after the other, filled in by the host's threads.
pub(crate) fn joined<I: Sync, T: Copy + Default + Send, const N: usize>(
    items: &[I],
    fill: impl Fn(&mut [T; N], &I) + Sync,
) -> Vec<T> {
    let mut all = vec![T::default(); N * items.len()];
    let places = all.as_chunks_mut().0;
    match items {
        // Sooner done than a thread wakes.
        [item] => places.iter_mut().for_each(|place| fill(place, item)),
        items => {
            let places = places.par_iter_mut().zip(items);
            places.for_each(|(place, item)| fill(place, item));
        }
    }
    all
}

fn pairs<'a, A, B>(a: &'a [A], b: &'a [B]) -> Vec<(&'a A, &'a B)> {
    a.iter().zip(b).collect()
}

/// A whole blob of elements below the modulus.
pub(crate) fn canonical_blob(blob: &(impl AsRef<[u8]> + ?Sized)) -> Result<&[u8; BYTES_PER_BLOB]> {
    let what = || "the blob".to_owned();
    let blob = bytes::fixed(what, blob)?;
    bytes::canonical(what, blob)?;
    Ok(blob)
}
