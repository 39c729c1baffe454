//! Small batches of all functions, on and on.

use anyhow::{Result, ensure};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_kzg::{Cell, CellsAndProofs, Kzg};

use crate::Bar;
use crate::compare::{all, random_blobs};

/// Times that memory is looked at, the first of them after a tenth of the batches.
const LOOKS: usize = 10;
/// MiB that the process may grow by between the first look and the last: what allocators and
/// drivers keep differs by some.
const MOST_GROWTH: u64 = 16;

/// Memory at one time.
struct Look {
    /// MiB that the process has, where Linux says so.
    process: Option<u64>,
    /// Bytes that this library has of the device.
    device: Option<u64>,
}

/// A batch of a function, with what it is computed from.
type Batch<'a> = (&'static str, Box<dyn Fn() -> Result<Vec<u8>> + 'a>);

/// Computes batches of each function by turns, a round at the least; whether memory is flat.
///
/// # Errors
/// Where a batch fails, or has other bytes than the first of its function.
pub(crate) fn run(
    kzg: &Kzg,
    count: usize,
    device: Option<&PersistentVulkanBackend>,
) -> Result<bool> {
    let blobs = random_blobs(2)?;
    let blobs: Vec<_> = blobs.iter().map(|it| it.as_slice()).collect();
    let commitments = all(kzg.blob_to_kzg_commitment_many(&blobs)?)?;
    let both = all(kzg.compute_cells_and_kzg_proofs_many(&blobs)?)?;
    let batches = batches(kzg, &blobs, &commitments, &both);
    let mut expected = Vec::new();
    for (_, batch) in &batches {
        expected.push(batch()?);
    }
    let rounds = count.div_ceil(batches.len()).max(1);
    let count = rounds * batches.len();
    println!("{count} batches, of {} functions by turns", batches.len());
    let (bar, mut looks) = (Bar::new("batches", count), Vec::new());
    for round in 1..=rounds {
        for ((function, batch), expected) in batches.iter().zip(&expected) {
            ensure!(
                batch()? == *expected,
                "{function}, round {round}: other bytes than in the first"
            );
            bar.step();
        }
        if round * LOOKS / rounds > (round - 1) * LOOKS / rounds {
            bar.clear();
            looks.push(Look::now(round * batches.len(), device)?);
        }
    }
    Ok(verdict(&looks))
}

/// One of each function. Those with the proofs of cells are of a single blob.
fn batches<'a>(
    kzg: &'a Kzg,
    blobs: &'a [&'a [u8]],
    commitments: &'a [[u8; 48]],
    both: &'a [CellsAndProofs],
) -> Vec<Batch<'a>> {
    let upper: Vec<u64> = (64..128).collect();
    let given = move |number: usize| (upper.clone(), &both[number].0[64..]);
    let recovered = given.clone();
    let (cells, proofs) = &both[0];
    vec![
        (
            "commitments, one of them to no blob",
            Box::new(|| {
                let found = kzg.blob_to_kzg_commitment_many(&[blobs[0], &[], blobs[1]])?;
                ensure!(found[1].is_err(), "no bytes are no blob");
                let valid = found.into_iter().step_by(2).collect();
                Ok(all(valid)?.concat())
            }),
        ),
        (
            "proofs at points",
            Box::new(|| {
                let found = all(kzg.compute_kzg_proof_many(blobs, &[[1; 32], [2; 32]])?)?;
                Ok(found
                    .iter()
                    .flat_map(|(proof, y)| [&proof[..], y].concat())
                    .collect())
            }),
        ),
        (
            "proofs of blobs",
            Box::new(|| {
                let proofs = all(kzg.compute_blob_kzg_proof_many(blobs, commitments)?)?;
                let holds = kzg.verify_blob_kzg_proof_batch(blobs, commitments, &proofs)?;
                ensure!(holds, "a blob's proof does not hold");
                Ok(proofs.concat())
            }),
        ),
        (
            "cells",
            Box::new(|| {
                let found = all(kzg.compute_cells_many(blobs)?)?;
                Ok(found
                    .iter()
                    .flat_map(|it| it.as_flattened())
                    .copied()
                    .collect())
            }),
        ),
        (
            "recovery of cells",
            Box::new(move || {
                let [first, second] = [given(0), given(1)];
                let given = [(&*first.0, first.1), (&*second.0, second.1)];
                let found = all(kzg.recover_cells_many(&given)?)?;
                let are_equal = found.iter().zip(both).all(|(it, (cells, _))| it == cells);
                ensure!(are_equal, "recovered cells are others");
                Ok(Vec::new())
            }),
        ),
        (
            "cells and proofs",
            Box::new(|| {
                let found = kzg.compute_cells_and_kzg_proofs(blobs[0])?;
                ensure!(found == both[0], "cells or proofs are others");
                Ok(Vec::new())
            }),
        ),
        (
            "recovery with proofs",
            Box::new(move || {
                let (indices, some): (Vec<u64>, &[Cell]) = recovered(1);
                let found = kzg.recover_cells_and_kzg_proofs(&indices, some)?;
                ensure!(found == both[1], "recovered cells or proofs are others");
                Ok(Vec::new())
            }),
        ),
        (
            "verification of cells",
            Box::new(move || {
                let (all, commitments) = ((0..128).collect::<Vec<_>>(), [commitments[0]; 128]);
                let holds =
                    kzg.verify_cell_kzg_proof_batch(&commitments, &all, &**cells, &**proofs)?;
                ensure!(holds, "a cell's proof does not hold");
                Ok(Vec::new())
            }),
        ),
    ]
}

impl Look {
    fn now(done: usize, device: Option<&PersistentVulkanBackend>) -> Result<Self> {
        let allocated = device.map(PersistentVulkanBackend::allocated_memory);
        let device = allocated.transpose()?.map(|it| it.buffer_bytes);
        let process = resident();
        let mib = |it: Option<u64>| it.map_or("unknown".to_owned(), |it| format!("{it} MiB"));
        let (of_process, of_device) = (mib(process), mib(device.map(|it| it >> 20)));
        println!("{done:>6} batches: process {of_process}, device {of_device}");
        Ok(Self { process, device })
    }
}

/// Prints what became of memory between the first look and the last; whether it is flat.
fn verdict(looks: &[Look]) -> bool {
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else {
        return false;
    };
    let grew =
        |of: fn(&Look) -> Option<u64>| of(last).zip(of(first)).map(|(l, f)| l.saturating_sub(f));
    let (process, device) = (grew(|it| it.process), grew(|it| it.device));
    let is_flat = process.is_none_or(|it| it <= MOST_GROWTH) && device.is_none_or(|it| it == 0);
    let verdict = if is_flat { "flat" } else { "NOT flat" };
    let of_process = process.map_or("unknown".to_owned(), |it| {
        format!("{it} of at most {MOST_GROWTH} MiB")
    });
    let of_device = device.map_or("unknown".to_owned(), |it| format!("{it} bytes"));
    println!(
        "memory is {verdict}: growth of the process {of_process}, of the device's {of_device}"
    );
    is_flat
}

/// MiB of memory that this process has, where Linux says so: page by page, since the sum in
/// `status` lags behind.
fn resident() -> Option<u64> {
    let sums = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = sums.lines().find_map(|it| it.strip_prefix("Rss:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / 1024)
}
