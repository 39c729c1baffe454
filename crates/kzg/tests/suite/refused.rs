//! What is refused, and how it is named.

use gpu_executor::vectors::PointFault;
use gpu_executor_kzg::{BYTES_PER_BLOB, BYTES_PER_CELL, CELLS_PER_EXT_BLOB, Error};

use crate::{on_cpu, random_blob};

/// The generator, compressed.
fn point() -> [u8; 48] {
    let digits = "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58\
                  6c55e83ff97a1aeffb3af00adb22c6bb";
    hex::decode(digits).unwrap().try_into().unwrap()
}

#[test]
fn blobs() {
    on_cpu(|kzg| {
        for length in [0, BYTES_PER_BLOB - 1, BYTES_PER_BLOB + 32] {
            let error = kzg.blob_to_kzg_commitment(&vec![0; length]).unwrap_err();
            let message = format!("the blob: expected 131072 bytes, found {length}");
            assert_eq!(error.to_string(), message);
        }
        let mut blob = random_blob(1);
        blob[7 * 32..8 * 32].fill(0xff);
        let expected = Error::NotCanonical {
            what: "the blob".to_owned(),
            element: 7,
        };
        assert_eq!(kzg.compute_cells(&blob).unwrap_err(), expected);
        assert_eq!(
            kzg.compute_kzg_proof(&blob, &[0; 32]).unwrap_err(),
            expected
        );
        assert_eq!(kzg.compute_cell_kzg_proofs(&blob).unwrap_err(), expected);
        let error = kzg
            .compute_kzg_proof(&random_blob(1), &[0xff; 32])
            .unwrap_err();
        assert_eq!(
            error,
            Error::NotCanonical {
                what: "z".to_owned(),
                element: 0
            }
        );
    });
}

#[test]
fn points_of_commitments_and_proofs() {
    on_cpu(|kzg| {
        let blob = random_blob(1);
        let error = kzg.compute_blob_kzg_proof(&blob, &[0; 47]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the commitment: expected 48 bytes, found 47"
        );
        // On the curve and outside of the subgroup.
        let mut outside = [0; 48];
        (outside[0], outside[47]) = (0x80, 4);
        let fault = PointFault::NotInSubgroup;
        let what = |what: &str| Error::InvalidPoint {
            what: what.to_owned(),
            fault,
        };
        let error = kzg.compute_blob_kzg_proof(&blob, &outside).unwrap_err();
        assert_eq!(error, what("the commitment"));
        let (good, blobs) = (point(), [&blob, &blob]);
        let error = kzg.verify_blob_kzg_proof_batch(&blobs, &[good, good], &[good, outside]);
        assert_eq!(error.unwrap_err(), what("proof 1"));
        let error = kzg.verify_blob_kzg_proof_batch(&blobs, &[good, outside], &[good, good]);
        assert_eq!(error.unwrap_err(), what("commitment 1"));
        let error = kzg
            .verify_blob_kzg_proof_batch(&blobs, &[good], &[good, good])
            .unwrap_err();
        let message = "expected 2 commitments, one for each of the blobs, found 1";
        assert_eq!(error.to_string(), message);
        // Of several the first, whichever thread is first.
        let (short, mut large) = (vec![0; 31], random_blob(1));
        large[9 * 32..10 * 32].fill(0xff);
        let mut blobs: Vec<&[u8]> = vec![&blob; 20];
        (blobs[11], blobs[17]) = (&large, &short);
        for _ in 0..10 {
            let error = kzg.verify_blob_kzg_proof_batch(&blobs, &[good; 20], &[good; 20]);
            let message = "blob 11: expected field elements below the modulus, element 9 is not";
            assert_eq!(error.unwrap_err().to_string(), message);
        }
        let error = kzg.verify_blob_kzg_proof(&short, &good, &good);
        let message = "the blob: expected 131072 bytes, found 31";
        assert_eq!(error.unwrap_err().to_string(), message);
        let error = kzg.verify_blob_kzg_proof(&blob, &good, &outside);
        assert_eq!(error.unwrap_err(), what("the proof"));
        let error = kzg.verify_kzg_proof(&outside, &[0; 32], &[0; 32], &good);
        assert_eq!(error.unwrap_err(), what("the commitment"));
        let cells = [vec![0; BYTES_PER_CELL], vec![0; BYTES_PER_CELL]];
        let error = kzg.verify_cell_kzg_proof_batch(&[good; 2], &[0, 128], &cells, &[good; 2]);
        assert_eq!(
            error.unwrap_err(),
            Error::CellIndex {
                place: 1,
                found: 128
            }
        );
        let mut many = vec![vec![0; BYTES_PER_CELL]; 30];
        (many[19], many[23]) = (vec![0xff; BYTES_PER_CELL], vec![0; 7]);
        let error = kzg.verify_cell_kzg_proof_batch(&[good; 30], &[5; 30], &many, &[good; 30]);
        let message = "cell 19: expected field elements below the modulus, element 0 is not";
        assert_eq!(error.unwrap_err().to_string(), message);
        let points = [good, outside];
        let error = kzg.verify_cell_kzg_proof_batch(&points, &[0, 1], &cells, &[good; 2]);
        assert_eq!(error.unwrap_err(), what("commitment 1"));
    });
}

#[test]
fn cells_to_recover_from() {
    on_cpu(|kzg| {
        let cells = vec![vec![0; BYTES_PER_CELL]; CELLS_PER_EXT_BLOB + 1];
        let recovered = |indices: &[u64]| {
            kzg.recover_cells(indices, &cells[..indices.len().min(cells.len())])
                .unwrap_err()
        };
        let indices: Vec<u64> = (0..129).collect();
        assert_eq!(
            recovered(&indices[..63]),
            Error::NumberOfCells { found: 63 }
        );
        assert_eq!(recovered(&indices), Error::NumberOfCells { found: 129 });
        assert_eq!(recovered(&[]), Error::NumberOfCells { found: 0 });
        let mut twice = indices[..64].to_vec();
        twice[9] = 8;
        let expected = Error::CellOrder {
            place: 9,
            before: 8,
            found: 8,
        };
        assert_eq!(recovered(&twice), expected);
        twice[9] = u64::MAX;
        assert_eq!(
            recovered(&twice),
            Error::CellIndex {
                place: 9,
                found: u64::MAX
            }
        );
        let error = kzg.recover_cells(&indices[..64], &cells[..65]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected 64 cells, one for each of the cell indices, found 65"
        );
        let mut cells = cells[..64].to_vec();
        cells[5].pop();
        let error = kzg
            .recover_cells_and_kzg_proofs(&indices[..64], &cells)
            .unwrap_err();
        assert_eq!(error.to_string(), "cell 5: expected 2048 bytes, found 2047");
        cells[5] = vec![0xff; BYTES_PER_CELL];
        let error = kzg
            .recover_cells_and_kzg_proofs(&indices[..64], &cells)
            .unwrap_err();
        assert_eq!(
            error,
            Error::NotCanonical {
                what: "cell 5".to_owned(),
                element: 0
            }
        );
    });
}
