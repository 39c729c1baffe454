//! Verification, on the host: a few sums of points, and two pairings.

use std::collections::HashMap;

use field_kernels::arithmetic::{add, bit_reversed, mul, neg, powers, to_montgomery};
use field_kernels::{Curve as _, Field as _, Fr, G1};
use gpu_executor::vectors::{Domain, Element as _};
use sha2::{Digest as _, Sha256};

use crate::cells::{canonical_cell, expect_index};
use crate::error::expect_as_many;
use crate::evaluation::{challenge, invert, transform};
use crate::kzg::each;
use crate::points::{decoded, pairings_are_equal, sum};
use crate::{
    BYTES_PER_BLOB, BYTES_PER_COMMITMENT, BYTES_PER_PROOF, CELLS_PER_EXT_BLOB,
    FIELD_ELEMENTS_PER_BLOB, FIELD_ELEMENTS_PER_CELL, FIELD_ELEMENTS_PER_EXT_BLOB, Kzg,
    KzgCommitment, KzgProof, Point, Result, Scalar, bytes,
    compute_verify_cell_kzg_proof_batch_challenge,
};

/// What one proof says: the polynomial of the commitment is y at z.
struct Claim {
    commitment: KzgCommitment,
    z: Scalar,
    y: Scalar,
    proof: KzgProof,
}

impl Kzg {
    /// Whether the polynomial of a commitment has the value y at z.
    ///
    /// # Errors
    /// [`Error::WrongLength`](crate::Error::WrongLength),
    /// [`Error::NotCanonical`](crate::Error::NotCanonical) and
    /// [`Error::InvalidPoint`](crate::Error::InvalidPoint) for an argument that is none of its
    /// kind.
    pub fn verify_kzg_proof(
        &self,
        commitment_bytes: &(impl AsRef<[u8]> + ?Sized),
        z_bytes: &(impl AsRef<[u8]> + ?Sized),
        y_bytes: &(impl AsRef<[u8]> + ?Sized),
        proof_bytes: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<bool> {
        self.hold(&[Claim {
            commitment: *bytes::fixed(|| "the commitment".to_owned(), commitment_bytes)?,
            z: bytes::scalar(|| "z".to_owned(), z_bytes)?,
            y: bytes::scalar(|| "y".to_owned(), y_bytes)?,
            proof: *bytes::fixed(|| "the proof".to_owned(), proof_bytes)?,
        }])
    }

    /// Whether a blob belongs to a commitment.
    ///
    /// # Errors
    /// As [`Self::verify_kzg_proof`].
    pub fn verify_blob_kzg_proof(
        &self,
        blob: &(impl AsRef<[u8]> + Sync + ?Sized),
        commitment_bytes: &(impl AsRef<[u8]> + Sync + ?Sized),
        proof_bytes: &(impl AsRef<[u8]> + Sync + ?Sized),
    ) -> Result<bool> {
        self.verify_blob_kzg_proof_batch(&[blob], &[commitment_bytes], &[proof_bytes])
    }

    /// Whether each blob belongs to its commitment.
    ///
    /// # Errors
    /// [`Error::MismatchLength`](crate::Error::MismatchLength), else as
    /// [`Self::verify_kzg_proof`].
    pub fn verify_blob_kzg_proof_batch(
        &self,
        blobs: &[impl AsRef<[u8]> + Sync],
        commitments_bytes: &[impl AsRef<[u8]> + Sync],
        proofs_bytes: &[impl AsRef<[u8]> + Sync],
    ) -> Result<bool> {
        let of = ("blobs", blobs.len());
        expect_as_many(of, ("commitments", commitments_bytes.len()))?;
        expect_as_many(of, ("proofs", proofs_bytes.len()))?;
        let claim = |place: &usize| {
            let (place, count) = (*place, blobs.len());
            let what = |what| move || named(what, place, count);
            let blob: &[u8; BYTES_PER_BLOB] = bytes::fixed(what("blob"), blobs[place].as_ref())?;
            let commitment = commitments_bytes[place].as_ref();
            let commitment: &KzgCommitment = bytes::fixed(what("commitment"), commitment)?;
            let values = bytes::scalars(what("blob"), blob)?;
            let z = challenge(blob, commitment);
            Ok(Claim {
                commitment: *commitment,
                z,
                y: self.shared.points.value(&values, &z),
                proof: *bytes::fixed(what("proof"), proofs_bytes[place].as_ref())?,
            })
        };
        let places: Vec<_> = (0..blobs.len()).collect();
        let claims: Result<Vec<_>> = each(&places, claim).into_iter().collect();
        self.hold(&claims?)
    }

    /// Whether each proof is that of its cell: the one with this index of the blob of this
    /// commitment. The same cell may come several times, in any order.
    ///
    /// # Errors
    /// [`Error::MismatchLength`](crate::Error::MismatchLength),
    /// [`Error::CellIndex`](crate::Error::CellIndex), else as [`Self::verify_kzg_proof`].
    pub fn verify_cell_kzg_proof_batch(
        &self,
        commitments_bytes: &[impl AsRef<[u8]> + Sync],
        cell_indices: &[u64],
        cells: &[impl AsRef<[u8]> + Sync],
        proofs_bytes: &[impl AsRef<[u8]> + Sync],
    ) -> Result<bool> {
        let of = ("cells", cells.len());
        expect_as_many(of, ("commitments", commitments_bytes.len()))?;
        expect_as_many(of, ("cell indices", cell_indices.len()))?;
        expect_as_many(of, ("proofs", proofs_bytes.len()))?;
        if cells.is_empty() {
            return Ok(true);
        }
        let places = cell_indices.iter().enumerate();
        let columns = places.map(|(place, index)| expect_index(place, *index));
        let columns = columns.collect::<Result<Vec<_>>>()?;

        // Each commitment once.
        let (mut unique, mut of_cells, mut known) = (Vec::new(), Vec::new(), HashMap::new());
        for (place, commitment) in commitments_bytes.iter().enumerate() {
            let what = || format!("commitment {place}");
            let commitment: &KzgCommitment = bytes::fixed(what, commitment)?;
            let number = *known.entry(commitment).or_insert(unique.len());
            if number == unique.len() {
                unique.push((place, commitment));
            }
            of_cells.push(number);
        }
        let proofs = proofs_bytes.iter().enumerate();
        let proofs = proofs.map(|(place, it)| bytes::fixed(|| format!("proof {place}"), it));
        let proofs: Vec<&KzgProof> = proofs.collect::<Result<_>>()?;
        let commitments: Vec<_> = unique.iter().map(|(_, it)| *it).collect();
        let indices: Vec<_> = of_cells.iter().map(|it| *it as u64).collect();
        let number = compute_verify_cell_kzg_proof_batch_challenge(
            &commitments,
            &indices,
            cell_indices,
            cells,
            &proofs,
        )?;
        let weights: Vec<_> = powers::<Fr>(Fr::ONE, bytes::reduced(&number))
            .take(cells.len())
            .collect();

        let encoded: Vec<u8> = commitments
            .iter()
            .chain(&proofs)
            .flat_map(|it| **it)
            .collect();
        let mut points = decoded(&self.shared.host, &encoded, |place| {
            match place.checked_sub(unique.len()) {
                None => format!("commitment {}", unique[place].0),
                Some(place) => format!("proof {place}"),
            }
        })?;
        // The proofs' sum, times x^64 less its value at the points of the cell, is that of the
        // commitments less what interpolates the cells.
        let mut scalars = vec![Scalar::default(); unique.len()];
        for (number, weight) in of_cells.iter().zip(&weights) {
            scalars[*number] = add::<Fr>(&scalars[*number], weight);
        }
        let powers: Vec<_> = Domain::new(CELLS_PER_EXT_BLOB)?.elements().collect();
        let power = |column| &powers[bit_reversed(column, CELLS_PER_EXT_BLOB.ilog2())];
        let pairs = columns.iter().zip(&weights);
        scalars.extend(pairs.map(|(column, weight)| mul::<Fr>(power(*column), weight)));
        let interpolated = interpolated(&columns, cells, &weights)?;
        scalars.extend(interpolated.iter().map(neg::<Fr>));
        let sum_of_proofs = sum(&self.shared.host, &points[unique.len()..], &weights)?;
        points.extend_from_slice(&self.shared.setup.g1()[..interpolated.len()]);
        let rest = sum(&self.shared.host, &points, &scalars)?;
        let setup = &self.shared.setup;
        Ok(pairings_are_equal(
            (&rest, setup.g2(0)),
            (&sum_of_proofs, setup.g2(FIELD_ELEMENTS_PER_CELL)),
        ))
    }

    /// Whether all claims hold, but for a chance of one in 2^250 or so.
    fn hold(&self, claims: &[Claim]) -> Result<bool> {
        if claims.is_empty() {
            return Ok(true);
        }
        let count = claims.len();
        let commitments = claims.iter().map(|it| it.commitment);
        let encoded = commitments
            .chain(claims.iter().map(|it| it.proof))
            .flatten();
        let encoded: Vec<u8> = encoded.collect();
        let mut points = decoded(&self.shared.host, &encoded, |place| {
            match place.checked_sub(count) {
                None => named("commitment", place, count),
                Some(place) => named("proof", place, count),
            }
        })?;
        let weights: Vec<_> = powers::<Fr>(Fr::ONE, weight(claims)).take(count).collect();
        // The commitments less their values, and proofs times z, beside proofs times the secret.
        let terms = claims.iter().zip(&weights);
        let values = terms.clone().map(|(it, weight)| mul::<Fr>(&it.y, weight));
        let values = values.fold(Scalar::default(), |sum, it| add::<Fr>(&sum, &it));
        let mut scalars = weights.clone();
        scalars.extend(terms.map(|(it, weight)| mul::<Fr>(&it.z, weight)));
        scalars.push(neg::<Fr>(&values));
        let proofs = sum(&self.shared.host, &points[count..], &weights)?;
        points.push(Point::from_limbs(G1::GENERATOR));
        let rest = sum(&self.shared.host, &points, &scalars)?;
        let setup = &self.shared.setup;
        Ok(pairings_are_equal(
            (&rest, setup.g2(0)),
            (&proofs, setup.g2(1)),
        ))
    }
}

const _: () = assert!(BYTES_PER_COMMITMENT == BYTES_PER_PROOF);

/// The argument of this kind at its place, or the only one.
fn named(kind: &str, place: usize, count: usize) -> String {
    match count {
        1 => format!("the {kind}"),
        _ => format!("{kind} {place}"),
    }
}

/// The number whose powers the claims are weighed with: a hash of all of them.
fn weight(claims: &[Claim]) -> Scalar {
    let mut hash = Sha256::new();
    hash.update(b"RCKZGBATCH___V1_");
    for number in [FIELD_ELEMENTS_PER_BLOB, claims.len()] {
        hash.update((number as u64).to_be_bytes());
    }
    for claim in claims {
        hash.update(claim.commitment);
        hash.update(bytes::to_bytes(&claim.z));
        hash.update(bytes::to_bytes(&claim.y));
        hash.update(claim.proof);
    }
    bytes::reduced(&hash.finalize().into())
}

/// The sum of the polynomials that have the cells' values, each times its weight.
fn interpolated(
    columns: &[usize],
    cells: &[impl AsRef<[u8]> + Sync],
    weights: &[Scalar],
) -> Result<Vec<Scalar>> {
    let weighted = |place: &usize| {
        let place = *place;
        let cell = canonical_cell(place, &cells[place])?;
        let mut values = bytes::scalars(|| format!("cell {place}"), cell)?;
        let weight = &weights[place];
        values.iter_mut().for_each(|it| *it = mul::<Fr>(it, weight));
        Ok(values)
    };
    let places: Vec<_> = (0..cells.len()).collect();
    let weighted: Result<Vec<_>> = each(&places, weighted).into_iter().collect();
    let add_to = |sums: &mut [Scalar], values: &[Scalar]| {
        let places = sums.iter_mut().zip(values);
        places.for_each(|(sum, it)| *sum = add::<Fr>(sum, it));
    };
    // Cells of the same column first: they have the same points.
    let mut of_columns: HashMap<usize, Vec<Scalar>> = HashMap::new();
    for (column, values) in columns.iter().zip(weighted?) {
        let sums = of_columns.entry(*column);
        let sums = sums.or_insert_with(|| vec![Scalar::default(); FIELD_ELEMENTS_PER_CELL]);
        add_to(sums, &values);
    }
    let size = to_montgomery::<Fr>(&[FIELD_ELEMENTS_PER_CELL as u64, 0, 0, 0]);
    let (scale, root) = (
        invert(&size),
        Domain::new(FIELD_ELEMENTS_PER_CELL)?.generator(),
    );
    let domain = Domain::new(FIELD_ELEMENTS_PER_EXT_BLOB)?;
    let mut sums = vec![Scalar::default(); FIELD_ELEMENTS_PER_CELL];
    for (column, mut values) in of_columns {
        transform(&mut values, &invert(&root));
        // The column's points are the roots of unity times its first.
        let first = domain.element(bit_reversed(column, CELLS_PER_EXT_BLOB.ilog2()));
        let factors = powers::<Fr>(Fr::ONE, invert(&first)).map(|it| mul::<Fr>(&it, &scale));
        let coefficients: Vec<_> = values
            .iter()
            .zip(factors)
            .map(|(it, factor)| mul::<Fr>(it, &factor))
            .collect();
        add_to(&mut sums, &coefficients);
    }
    Ok(sums)
}
