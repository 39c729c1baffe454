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

/// What batches are computed from.
struct Given<'a> {
    kzg: &'a Kzg,
    blobs: &'a [&'a [u8]],
    commitments: &'a [[u8; 48]],
    both: &'a [CellsAndProofs],
    /// Of the upper half of the cells.
    indices: Vec<u64>,
}

/// A batch of a function, and the bytes of it that are to stay the same.
type Batch = (&'static str, fn(&Given<'_>) -> Result<Vec<u8>>);

/// One of each function. Those with the proofs of cells are of a single blob.
const BATCHES: [Batch; 8] = [
    ("commitments, one of them to no blob", |it| {
        let blobs = [it.blobs[0], &[], it.blobs[1]];
        let found = it.kzg.blob_to_kzg_commitment_many(&blobs)?;
        ensure!(found[1].is_err(), "no bytes are no blob");
        let valid = found.into_iter().step_by(2).collect();
        Ok(all(valid)?.concat())
    }),
    ("proofs at points", |it| {
        let points = [[1; 32], [2; 32]];
        let found = all(it.kzg.compute_kzg_proof_many(it.blobs, &points)?)?;
        let bytes = found.iter().map(|(proof, y)| [&proof[..], y].concat());
        Ok(bytes.flatten().collect())
    }),
    ("proofs of blobs", |it| {
        let (blobs, commitments) = (it.blobs, it.commitments);
        let proofs = all(it.kzg.compute_blob_kzg_proof_many(blobs, commitments)?)?;
        let holds = it
            .kzg
            .verify_blob_kzg_proof_batch(blobs, commitments, &proofs)?;
        ensure!(holds, "a blob's proof does not hold");
        Ok(proofs.concat())
    }),
    ("cells", |it| {
        let found = all(it.kzg.compute_cells_many(it.blobs)?)?;
        let bytes = found.iter().flat_map(|it| it.as_flattened());
        Ok(bytes.copied().collect())
    }),
    ("recovery of cells", |it| {
        let given = [0, 1].map(|number| (&*it.indices, it.upper_half(number)));
        let found = all(it.kzg.recover_cells_many(&given)?)?;
        let mut pairs = found.iter().zip(it.both);
        ensure!(
            pairs.all(|(it, (cells, _))| it == cells),
            "recovered cells are others"
        );
        Ok(Vec::new())
    }),
    ("cells and proofs", |it| {
        let found = it.kzg.compute_cells_and_kzg_proofs(it.blobs[0])?;
        ensure!(found == it.both[0], "cells or proofs are others");
        Ok(Vec::new())
    }),
    ("recovery with proofs", |it| {
        let some = it.upper_half(1);
        let found = it.kzg.recover_cells_and_kzg_proofs(&it.indices, some)?;
        ensure!(found == it.both[1], "recovered cells or proofs are others");
        Ok(Vec::new())
    }),
    ("verification of cells", |it| {
        let (cells, proofs) = &it.both[0];
        let (all, of_each) = ((0..128).collect::<Vec<_>>(), [it.commitments[0]; 128]);
        let kzg = it.kzg;
        let holds = kzg.verify_cell_kzg_proof_batch(&of_each, &all, &**cells, &**proofs)?;
        ensure!(holds, "a cell's proof does not hold");
        Ok(Vec::new())
    }),
];

impl Given<'_> {
    fn upper_half(&self, number: usize) -> &[Cell] {
        &self.both[number].0[64..]
    }
}

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
    let given = Given {
        kzg,
        blobs: &blobs,
        commitments: &all(kzg.blob_to_kzg_commitment_many(&blobs)?)?,
        both: &all(kzg.compute_cells_and_kzg_proofs_many(&blobs)?)?,
        indices: (64..128).collect(),
    };
    let expected = BATCHES.iter().map(|(_, batch)| batch(&given));
    let expected = expected.collect::<Result<Vec<_>>>()?;
    let rounds = count.div_ceil(BATCHES.len()).max(1);
    let count = rounds * BATCHES.len();
    println!("{count} batches, of {} functions by turns", BATCHES.len());
    let (bar, mut looks) = (Bar::new("batches", count), Vec::new());
    for round in 1..=rounds {
        for ((function, batch), expected) in BATCHES.iter().zip(&expected) {
            ensure!(
                batch(&given)? == *expected,
                "{function}, round {round}: other bytes than in the first"
            );
            bar.step();
        }
        if round * LOOKS / rounds > (round - 1) * LOOKS / rounds {
            bar.clear();
            looks.push(Look::now(round * BATCHES.len(), device)?);
        }
    }
    Ok(verdict(&looks))
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
