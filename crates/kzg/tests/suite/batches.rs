//! Random blobs beside c-kzg, recoveries from all kinds of cells, and batches as such.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use c_kzg::{Blob, Bytes32, Bytes48, ethereum_kzg_settings};
use gpu_executor::Cache;
use gpu_executor::vectors::{TableMemory, VectorEngine};
use gpu_executor_kzg::{CELLS_PER_EXT_BLOB, Error, Kzg};

use crate::{SETUP, on_cpu, on_device, random_blob};

/// Computes the same as c-kzg for some blobs at once.
fn as_c_kzg(kzg: &Kzg, count: u8) {
    let settings = ethereum_kzg_settings(0);
    let blobs: Vec<_> = (0..count).map(random_blob).collect();
    let theirs: Vec<_> = blobs
        .iter()
        .map(|it| Blob::from_bytes(it).unwrap())
        .collect();
    // Of the second blob one of the points where it has its values.
    let mut zs: Vec<[u8; 32]> = blobs.iter().map(|it| *it.last_chunk().unwrap()).collect();
    zs[1] = *Bytes32::from([0; 32]);
    zs[1][31] = 1;
    let commitments = kzg.blob_to_kzg_commitment_many(&blobs).unwrap();
    let opened = kzg.compute_kzg_proof_many(&blobs, &zs).unwrap();
    let both = kzg.compute_cells_and_kzg_proofs_many(&blobs).unwrap();
    let mut all_commitments = Vec::new();
    for (number, blob) in theirs.iter().enumerate() {
        let commitment = settings.blob_to_kzg_commitment(blob).unwrap();
        // Their types as they are.
        let proof = settings.compute_blob_kzg_proof(blob, &commitment.to_bytes());
        let holds = kzg.verify_blob_kzg_proof(blob, &*commitment, &*proof.unwrap());
        assert_eq!(holds, Ok(true));
        assert_eq!(
            commitments[number].as_ref().unwrap(),
            &*commitment.to_bytes()
        );
        let (proof, y) = settings
            .compute_kzg_proof(blob, &zs[number].into())
            .unwrap();
        assert_eq!(opened[number], Ok((*proof.to_bytes(), *y)));
        let (cells, proofs) = both[number].as_ref().unwrap();
        let (their_cells, their_proofs) = settings.compute_cells_and_kzg_proofs(blob).unwrap();
        for cell in 0..CELLS_PER_EXT_BLOB {
            assert!(
                cells[cell] == their_cells[cell].to_bytes(),
                "blob {number}, cell {cell}"
            );
            assert_eq!(
                proofs[cell],
                *their_proofs[cell].to_bytes(),
                "blob {number}, {cell}"
            );
        }
        all_commitments.push(Bytes48::from(*commitment.to_bytes()));
    }
    let proofs = kzg.compute_blob_kzg_proof_many(&blobs, &commitments_of(&all_commitments));
    let proofs: Vec<_> = proofs.unwrap().into_iter().map(Result::unwrap).collect();
    let theirs_hold = |proofs: &[[u8; 48]]| {
        let proofs: Vec<_> = proofs.iter().map(|it| Bytes48::from(*it)).collect();
        settings
            .verify_blob_kzg_proof_batch(&theirs, &all_commitments, &proofs)
            .unwrap()
    };
    let commitments = commitments_of(&all_commitments);
    for (proofs, holds) in [
        (proofs.clone(), true),
        (vec![proofs[0]; blobs.len()], false),
    ] {
        assert_eq!(theirs_hold(&proofs), holds);
        let ours = kzg.verify_blob_kzg_proof_batch(&blobs, &commitments, &proofs);
        assert_eq!(ours, Ok(holds));
    }
}

fn commitments_of(all: &[Bytes48]) -> Vec<[u8; 48]> {
    all.iter().map(|it| **it).collect()
}

#[test]
fn as_c_kzg_on_the_cpu() {
    on_cpu(|kzg| as_c_kzg(kzg, 3));
}

#[test]
fn as_c_kzg_on_the_device() {
    on_device(|kzg| as_c_kzg(kzg, 2));
}

/// Blobs are recovered from any half of their cells, several at once, each from its own.
fn recovered(kzg: &Kzg) {
    let all = 0..CELLS_PER_EXT_BLOB as u64;
    let patterns: Vec<Vec<u64>> = vec![
        all.clone().collect(),
        all.clone().filter(|it| *it != 77).collect(),
        all.clone().filter(|it| *it != 0).collect(),
        all.clone().step_by(2).collect(),
        all.clone().skip(1).step_by(2).collect(),
        all.clone().take(64).collect(),
        all.clone().skip(64).collect(),
        all.clone().filter(|it| it * it % 131 < 66).collect(),
        all.clone().filter(|it| it % 4 < 2).collect(),
        // One short of enough.
        all.skip(65).collect(),
    ];
    let blobs: Vec<_> = (0..10).map(random_blob).collect();
    let cells = kzg.compute_cells_many(&blobs).unwrap();
    let cells: Vec<_> = cells.into_iter().map(Result::unwrap).collect();
    let given: Vec<Vec<_>> = cells
        .iter()
        .zip(&patterns)
        .map(|(cells, pattern)| {
            pattern
                .iter()
                .map(|it| cells[usize::try_from(*it).unwrap()])
                .collect()
        })
        .collect();
    let given: Vec<_> = patterns
        .iter()
        .map(Vec::as_slice)
        .zip(given.iter().map(Vec::as_slice))
        .collect();
    let found = kzg.recover_cells_many(&given).unwrap();
    assert_eq!(found.len(), 10);
    for ((found, cells), pattern) in found.iter().zip(&cells).zip(&patterns) {
        match pattern.len() {
            63 => assert_eq!(*found, Err(Error::NumberOfCells { found: 63 })),
            _ => assert!(found.as_ref() == Ok(cells), "{pattern:?}"),
        }
    }
}

#[test]
fn recovered_on_the_cpu() {
    on_cpu(recovered);
}

#[test]
fn recovered_on_the_device() {
    on_device(recovered);
}

/// Cells without proofs, proofs without cells, and both, beside their verification.
fn alone_and_together(kzg: &Kzg) {
    let blob = random_blob(9);
    let (cells, proofs) = kzg.compute_cells_and_kzg_proofs(&blob).unwrap();
    assert!(kzg.compute_cells(&blob).unwrap() == cells);
    assert!(kzg.compute_cell_kzg_proofs(&blob).unwrap() == proofs);
    let commitment = kzg.blob_to_kzg_commitment(&blob).unwrap();
    let indices: Vec<u64> = (0..128).collect();
    let commitments = [commitment; CELLS_PER_EXT_BLOB];
    let verify = |proofs| kzg.verify_cell_kzg_proof_batch(&commitments, &indices, &*cells, proofs);
    assert_eq!(verify(&proofs[..]), Ok(true));
    let mut wrong = proofs.clone();
    wrong.swap(3, 4);
    assert_eq!(verify(&wrong[..]), Ok(false));
    let half = kzg
        .recover_cells_and_kzg_proofs(&indices[64..], &cells[64..])
        .unwrap();
    assert!(half == (cells, proofs));
}

#[test]
fn alone_and_together_on_the_cpu() {
    on_cpu(alone_and_together);
}

#[test]
fn alone_and_together_on_the_device() {
    on_device(alone_and_together);
}

#[test]
fn commitments_by_tables_on_the_device() {
    on_device(|kzg| {
        let engine = VectorEngine::builder().cache(Cache::Off).build().unwrap();
        let memory = TableMemory::Multiples(3);
        let tables = Kzg::with_tables(&engine, &SETUP, memory, &Cache::Off).unwrap();
        let blobs = [random_blob(1), random_blob(2)];
        let expected = kzg.blob_to_kzg_commitment_many(&blobs).unwrap();
        assert_eq!(
            tables.blob_to_kzg_commitment_many(&blobs).unwrap(),
            expected
        );
        let z = [5; 32];
        let expected = kzg.compute_kzg_proof(&blobs[0], &z).unwrap();
        assert_eq!(tables.compute_kzg_proof(&blobs[0], &z), Ok(expected));
    });
}

/// Windows follow one another, tell how far they are, and stop.
fn in_windows(kzg: &Kzg) {
    let mut blobs: Vec<_> = (0..130).map(random_blob).collect();
    for invalid in [0, 64, 129] {
        blobs[invalid].truncate(5);
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let watched = kzg.watched(move |done, of| {
        noted.lock().unwrap().push((done, of));
        ControlFlow::Continue(())
    });
    let found = watched.compute_cells_many(&blobs).unwrap();
    assert_eq!(*seen.lock().unwrap(), [(64, 130), (128, 130), (130, 130)]);
    for (number, (found, blob)) in found.iter().zip(&blobs).enumerate() {
        match found {
            Ok(cells) => assert!(cells.as_flattened()[..blob.len()] == blob[..], "{number}"),
            Err(error) => assert!(matches!(error, Error::WrongLength { found: 5, .. })),
        }
        assert_eq!(found.is_err(), blob.len() == 5, "{number}");
    }
    let stopped = kzg
        .watched(|_, _| ControlFlow::Break(()))
        .compute_cells_many(&blobs);
    assert_eq!(stopped.unwrap_err(), Error::Cancelled { done: 64, of: 130 });
    // What was under way is in nobody's way.
    assert!(kzg.compute_cells(&blobs[1]).as_ref() == found[1].as_ref());
    // A window of nothing to compute, and one with something.
    let mut invalid = vec![Vec::new(); 64];
    invalid.push(blobs[1].clone());
    let mixed = kzg.compute_cells_many(&invalid).unwrap();
    assert!(mixed[..64].iter().all(Result::is_err) && mixed[64] == found[1]);
    let none: [Vec<u8>; 0] = [];
    assert!(kzg.blob_to_kzg_commitment_many(&none).unwrap().is_empty());
    assert_eq!(
        kzg.verify_blob_kzg_proof_batch(&none, &none, &none),
        Ok(true)
    );
}

#[test]
fn in_windows_on_the_cpu() {
    on_cpu(in_windows);
}

#[test]
fn in_windows_on_the_device() {
    on_device(in_windows);
}

#[test]
fn from_several_threads_on_the_device() {
    on_device(|kzg| {
        let expected: Vec<_> = (0..4)
            .map(|it| kzg.compute_cells(&random_blob(it)).unwrap())
            .collect();
        std::thread::scope(|scope| {
            for (seed, expected) in (0..4).zip(&expected) {
                scope.spawn(move || {
                    let blob = random_blob(seed);
                    let many = vec![&blob; 65];
                    for _ in 0..3 {
                        assert!(kzg.compute_cells(&blob).unwrap() == *expected);
                        // Stopped while others go on, with a window under way.
                        let stopped = kzg
                            .watched(|_, _| ControlFlow::Break(()))
                            .compute_cells_many(&many);
                        assert_eq!(stopped.unwrap_err(), Error::Cancelled { done: 64, of: 65 });
                    }
                });
            }
        });
    });
}
