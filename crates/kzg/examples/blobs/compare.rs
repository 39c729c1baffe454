//! Batches beside c-kzg and rust_eth_kzg.

use std::time::Duration;

use anyhow::{Result, ensure};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use gpu_executor_kzg::{
    BYTES_PER_BLOB, Cell, CellsAndProofs, CellsPerExtBlob, Kzg, KzgCommitment, KzgProof,
};
use rayon::prelude::*;
use rust_eth_kzg::{DASContext, UsePrecomp};

use crate::{Bar, Options, median, timed};

/// What blobs are computed in, with what it takes.
struct Others {
    c_kzg: &'static c_kzg::KzgSettings,
    rust_eth_kzg: DASContext,
}

type Blob = Box<[u8; BYTES_PER_BLOB]>;

pub(crate) fn run(kzg: &Kzg, options: &Options) -> Result<()> {
    let others = match options.alone {
        true => None,
        false => Some(timed("tables of c-kzg and rust_eth_kzg, made", || {
            Ok::<_, anyhow::Error>(Others {
                c_kzg: c_kzg::ethereum_kzg_settings(8),
                rust_eth_kzg: DASContext::new(&Default::default(), UsePrecomp::Yes { width: 8 }),
            })
        })?),
    };
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "ms a blob, median",
        "blobs",
        "here",
        "c-kzg, all cores",
        "rust_eth_kzg, all cores",
    ]);
    for blobs in options.batches() {
        let compared = Compared {
            others: others.as_ref(),
            samples: options.samples,
            blobs,
            table: &mut table,
        };
        add_rows(kzg, compared, &random_blobs(blobs)?)?;
    }
    println!("{table}");
    if others.is_some() {
        println!("bytes equal");
    }
    Ok(())
}

/// The rows of so many blobs.
struct Compared<'a> {
    others: Option<&'a Others>,
    samples: usize,
    blobs: usize,
    table: &'a mut Table,
}

impl Compared<'_> {
    /// Adds a row, once it has held what the others computed to what was computed here, which
    /// it returns. The others run twice: their calls take long.
    fn row<T: PartialEq>(
        &mut self,
        what: &str,
        here: impl FnMut() -> Result<T>,
        c_kzg: impl Fn(&c_kzg::KzgSettings) -> Result<T>,
        rust_eth_kzg: impl Fn(&DASContext) -> Result<T>,
    ) -> Result<T> {
        let (time, result) = median(self.samples, here)?;
        let mut times = [Some(time), None, None];
        if let Some(others) = self.others {
            let c_kzg = median(1, || c_kzg(others.c_kzg))?;
            let rust_eth_kzg = median(1, || rust_eth_kzg(&others.rust_eth_kzg))?;
            ensure!(c_kzg.1 == result, "{what}: other bytes than c-kzg's");
            let equal = rust_eth_kzg.1 == result;
            ensure!(equal, "{what}: other bytes than rust_eth_kzg's");
            times[1..].copy_from_slice(&[Some(c_kzg.0), Some(rust_eth_kzg.0)]);
        }
        self.add(what, times);
        Ok(result)
    }

    fn add(&mut self, what: &str, times: [Option<Duration>; 3]) {
        let blobs = self.blobs as f64;
        let ms = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3 / blobs);
        let times = times.map(|time| time.map(ms).unwrap_or_default());
        let names = [what.to_owned(), self.blobs.to_string()];
        self.table.add_row(names.into_iter().chain(times));
    }
}

fn add_rows(kzg: &Kzg, mut rows: Compared<'_>, blobs: &[Blob]) -> Result<()> {
    let blobs: Vec<&[u8; BYTES_PER_BLOB]> = blobs.iter().map(|it| &**it).collect();
    let bar = Bar::new(&format!("{} blobs", blobs.len()), blobs.len());
    let on_bar = bar.clone();
    let kzg = kzg.watched(move |done, of| on_bar.show(done, of));
    let theirs: Vec<_> = blobs.iter().map(|it| c_kzg::Blob::new(**it)).collect();

    let commitments = rows.row(
        "commitments",
        || all(kzg.blob_to_kzg_commitment_many(&blobs)?),
        |c| {
            each(&theirs, |blob| {
                Ok(*c.blob_to_kzg_commitment(blob)?.to_bytes())
            })
        },
        |c| each(&blobs, |blob| c.blob_to_kzg_commitment(blob).map_err(debug)),
    )?;
    rows.row(
        "cells",
        || all(kzg.compute_cells_many(&blobs)?),
        |c| each(&theirs, |blob| Ok(of_c_kzg(&*c.compute_cells(blob)?))),
        |c| {
            each(&blobs, |blob| {
                Ok(of_boxes(&c.compute_cells(blob).map_err(debug)?))
            })
        },
    )?;
    let both = rows.row(
        "cells and proofs",
        || all(kzg.compute_cells_and_kzg_proofs_many(&blobs)?),
        |c| {
            each(&theirs, |blob| {
                Ok(both_of_c_kzg(&c.compute_cells_and_kzg_proofs(blob)?))
            })
        },
        |c| {
            each(&blobs, |blob| {
                both_of_boxes(c.compute_cells_and_kzg_proofs(blob))
            })
        },
    )?;

    // Every other cell is missing.
    let indices: Vec<u64> = (0..128).step_by(2).collect();
    let half = |(cells, _): &CellsAndProofs| cells.iter().step_by(2).copied().collect();
    let halves: Vec<Vec<Cell>> = both.iter().map(half).collect();
    let given = halves.iter().map(|it| (indices.as_slice(), it.as_slice()));
    let given: Vec<_> = given.collect();
    let (here, _) = median(rows.samples, || all(kzg.recover_cells_many(&given)?))?;
    rows.add("recovery of cells", [Some(here), None, None]);
    let recovered = rows.row(
        "recovery with proofs",
        || all(kzg.recover_cells_and_kzg_proofs_many(&given)?),
        |c| {
            each(&halves, |cells| {
                let cells: Vec<_> = cells.iter().map(|it| c_kzg::Cell::new(*it)).collect();
                Ok(both_of_c_kzg(
                    &c.recover_cells_and_kzg_proofs(&indices, &cells)?,
                ))
            })
        },
        |c| {
            each(&halves, |cells| {
                let cells = cells.iter().collect();
                both_of_boxes(c.recover_cells_and_kzg_proofs(indices.clone(), cells))
            })
        },
    )?;
    ensure!(recovered == both, "recovered cells and proofs are others");

    verify_cells(&kzg, &mut rows, &commitments, &both)?;
    verify_blobs(&kzg, &mut rows, &blobs, &commitments)?;
    bar.clear();
    Ok(())
}

fn verify_cells(
    kzg: &Kzg,
    rows: &mut Compared<'_>,
    commitments: &[KzgCommitment],
    both: &[CellsAndProofs],
) -> Result<()> {
    let commitments: Vec<_> = commitments.iter().flat_map(|it| [*it; 128]).collect();
    let indices: Vec<u64> = (0..128).cycle().take(commitments.len()).collect();
    let cells: Vec<Cell> = both.iter().flat_map(|(it, _)| it.iter().copied()).collect();
    let proofs: Vec<KzgProof> = both.iter().flat_map(|(_, it)| it.iter().copied()).collect();
    rows.row(
        "verification of all cells",
        || Ok(kzg.verify_cell_kzg_proof_batch(&commitments, &indices, &cells, &proofs)?),
        |c| {
            let [commitments, proofs] = [&commitments, &proofs].map(|it| bytes_48(it));
            let cells: Vec<_> = cells.iter().map(|it| c_kzg::Cell::new(*it)).collect();
            Ok(c.verify_cell_kzg_proof_batch(&commitments, &indices, &cells, &proofs)?)
        },
        |c| {
            let (commitments, proofs) = (commitments.iter().collect(), proofs.iter().collect());
            let cells = cells.iter().collect();
            let verified = c.verify_cell_kzg_proof_batch(commitments, &indices, cells, proofs);
            Ok(verified.is_ok())
        },
    )?;
    Ok(())
}

fn verify_blobs(
    kzg: &Kzg,
    rows: &mut Compared<'_>,
    blobs: &[&[u8; BYTES_PER_BLOB]],
    commitments: &[KzgCommitment],
) -> Result<()> {
    let proofs = all(kzg.compute_blob_kzg_proof_many(blobs, commitments)?)?;
    rows.row(
        "verification of blobs",
        || Ok(kzg.verify_blob_kzg_proof_batch(blobs, commitments, &proofs)?),
        |c| {
            let [commitments, proofs] = [commitments, &proofs].map(bytes_48);
            let blobs: Vec<_> = blobs.iter().map(|it| c_kzg::Blob::new(**it)).collect();
            Ok(c.verify_blob_kzg_proof_batch(&blobs, &commitments, &proofs)?)
        },
        |c| {
            let (blobs, commitments) = (blobs.to_vec(), commitments.iter().collect());
            let proofs = proofs.iter().collect();
            let verified = c.verify_blob_kzg_proof_batch(blobs, commitments, proofs);
            Ok(verified.is_ok())
        },
    )?;
    Ok(())
}

/// On all cores.
fn each<I: Sync, T: Send>(items: &[I], call: impl Fn(&I) -> Result<T> + Sync) -> Result<Vec<T>> {
    items.par_iter().map(&call).collect()
}

pub(crate) fn all<T>(results: Vec<Result<T, gpu_executor_kzg::Error>>) -> Result<Vec<T>> {
    Ok(results.into_iter().collect::<Result<_, _>>()?)
}

fn of_c_kzg(cells: &[c_kzg::Cell; 128]) -> Box<CellsPerExtBlob> {
    Box::new(cells.each_ref().map(|it| it.to_bytes()))
}

fn of_boxes(cells: &[Box<Cell>; 128]) -> Box<CellsPerExtBlob> {
    Box::new(cells.each_ref().map(|it| **it))
}

/// As this library has them.
fn both_of_c_kzg(
    (cells, proofs): &(Box<[c_kzg::Cell; 128]>, Box<[c_kzg::KzgProof; 128]>),
) -> CellsAndProofs {
    let proofs = proofs.each_ref().map(|it| *it.to_bytes());
    (of_c_kzg(cells), Box::new(proofs))
}

fn both_of_boxes<E: std::fmt::Debug>(
    both: Result<([Box<Cell>; 128], [KzgProof; 128]), E>,
) -> Result<CellsAndProofs> {
    let (cells, proofs) = both.map_err(debug)?;
    Ok((of_boxes(&cells), Box::new(proofs)))
}

fn bytes_48(all: &[[u8; 48]]) -> Vec<c_kzg::Bytes48> {
    all.iter().map(|it| (*it).into()).collect()
}

fn debug(error: impl std::fmt::Debug) -> anyhow::Error {
    anyhow::anyhow!("{error:?}")
}

pub(crate) fn random_blobs(count: usize) -> Result<Vec<Blob>> {
    let elements = field_kernels::edge::random_elements::<field_kernels::Fr>(4096 * count, 1);
    let bytes = elements
        .iter()
        .flat_map(|it| it.iter().rev().flat_map(|limb| limb.to_be_bytes()));
    let bytes: Vec<u8> = bytes.collect();
    bytes
        .chunks(BYTES_PER_BLOB)
        .map(|it| Ok(Box::new(it.try_into()?)))
        .collect()
}
