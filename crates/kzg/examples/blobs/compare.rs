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

/// Milliseconds a blob of each library; bytes were held to be equal.
struct Row {
    what: &'static str,
    times: [Option<Duration>; 3],
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
        for row in rows(kzg, others.as_ref(), options, &random_blobs(blobs)?)? {
            let ms = |time: Option<Duration>| match time {
                Some(time) => format!("{:.3}", time.as_secs_f64() * 1e3 / blobs as f64),
                None => String::new(),
            };
            let [here, c_kzg, rust_eth_kzg] = row.times.map(ms);
            table.add_row([
                row.what.to_owned(),
                blobs.to_string(),
                here,
                c_kzg,
                rust_eth_kzg,
            ]);
        }
    }
    println!("{table}");
    if others.is_some() {
        println!("bytes equal");
    }
    Ok(())
}

fn rows(kzg: &Kzg, others: Option<&Others>, options: &Options, blobs: &[Blob]) -> Result<Vec<Row>> {
    let blobs: Vec<&[u8; BYTES_PER_BLOB]> = blobs.iter().map(|it| &**it).collect();
    let bar = Bar::new(&format!("{} blobs", blobs.len()), blobs.len());
    let on_bar = bar.clone();
    let kzg = kzg.watched(move |done, of| on_bar.show(done, of));
    let c_kzg = others.map(|it| it.c_kzg);
    let eth = others.map(|it| &it.rust_eth_kzg);
    let theirs: Vec<_> = blobs.iter().map(|it| c_kzg::Blob::new(**it)).collect();
    let mut rows = Vec::new();

    let (here, commitments) = median(options.samples, || {
        all(kzg.blob_to_kzg_commitment_many(&blobs)?)
    })?;
    rows.push(row(
        "commitments",
        here,
        &commitments,
        [
            once(c_kzg, |c| {
                each(&theirs, |blob| {
                    Ok(*c.blob_to_kzg_commitment(blob)?.to_bytes())
                })
            })?,
            once(eth, |c| {
                each(&blobs, |blob| c.blob_to_kzg_commitment(blob).map_err(debug))
            })?,
        ],
    )?);

    let (here, cells) = median(options.samples, || all(kzg.compute_cells_many(&blobs)?))?;
    rows.push(row(
        "cells",
        here,
        &cells,
        [
            once(c_kzg, |c| {
                each(&theirs, |blob| Ok(of_c_kzg(&*c.compute_cells(blob)?)))
            })?,
            once(eth, |c| {
                each(&blobs, |blob| {
                    Ok(of_boxes(&c.compute_cells(blob).map_err(debug)?))
                })
            })?,
        ],
    )?);

    let (here, both) = median(options.samples, || {
        all(kzg.compute_cells_and_kzg_proofs_many(&blobs)?)
    })?;
    rows.push(row(
        "cells and proofs",
        here,
        &both,
        [
            once(c_kzg, |c| {
                each(&theirs, |blob| {
                    let (cells, proofs) = c.compute_cells_and_kzg_proofs(blob)?;
                    Ok((
                        of_c_kzg(&cells),
                        Box::new(proofs.each_ref().map(|it| *it.to_bytes())),
                    ))
                })
            })?,
            once(eth, |c| {
                each(&blobs, |blob| {
                    let (cells, proofs) = c.compute_cells_and_kzg_proofs(blob).map_err(debug)?;
                    Ok((of_boxes(&cells), Box::new(proofs)))
                })
            })?,
        ],
    )?);

    // Every other cell is missing.
    let indices: Vec<u64> = (0..128).step_by(2).collect();
    let halves: Vec<Vec<Cell>> = both
        .iter()
        .map(|(it, _)| it.iter().step_by(2).copied().collect())
        .collect();
    let given: Vec<_> = halves
        .iter()
        .map(|it| (indices.as_slice(), it.as_slice()))
        .collect();
    let (here, cells) = median(options.samples, || all(kzg.recover_cells_many(&given)?))?;
    rows.push(row("recovery of cells", here, &cells, [None, None])?);

    let (here, recovered) = median(options.samples, || {
        all(kzg.recover_cells_and_kzg_proofs_many(&given)?)
    })?;
    ensure!(recovered == both, "recovered cells and proofs are others");
    rows.push(row(
        "recovery with proofs",
        here,
        &recovered,
        [
            once(c_kzg, |c| {
                each(&halves, |cells| {
                    let cells: Vec<_> = cells.iter().map(|it| c_kzg::Cell::new(*it)).collect();
                    let (cells, proofs) = c.recover_cells_and_kzg_proofs(&indices, &cells)?;
                    Ok((
                        of_c_kzg(&cells),
                        Box::new(proofs.each_ref().map(|it| *it.to_bytes())),
                    ))
                })
            })?,
            once(eth, |c| {
                each(&halves, |cells| {
                    let cells = cells.iter().collect();
                    let (cells, proofs) = c
                        .recover_cells_and_kzg_proofs(indices.clone(), cells)
                        .map_err(debug)?;
                    Ok((of_boxes(&cells), Box::new(proofs)))
                })
            })?,
        ],
    )?);

    rows.push(verified_cells(&kzg, others, options, &commitments, &both)?);
    rows.push(verified_blobs(&kzg, others, options, &blobs, &commitments)?);
    bar.clear();
    Ok(rows)
}

fn verified_cells(
    kzg: &Kzg,
    others: Option<&Others>,
    options: &Options,
    commitments: &[KzgCommitment],
    both: &[CellsAndProofs],
) -> Result<Row> {
    let commitments: Vec<_> = commitments.iter().flat_map(|it| [*it; 128]).collect();
    let indices: Vec<u64> = (0..128).cycle().take(commitments.len()).collect();
    let cells: Vec<Cell> = both.iter().flat_map(|(it, _)| it.iter().copied()).collect();
    let proofs: Vec<KzgProof> = both.iter().flat_map(|(_, it)| it.iter().copied()).collect();
    let (here, holds) = median(options.samples, || {
        Ok(kzg.verify_cell_kzg_proof_batch(&commitments, &indices, &cells, &proofs)?)
    })?;
    let c_kzg = once(others, |it| {
        let [commitments, proofs] = [&commitments, &proofs].map(|it| bytes_48(it));
        let cells: Vec<_> = cells.iter().map(|it| c_kzg::Cell::new(*it)).collect();
        Ok(it
            .c_kzg
            .verify_cell_kzg_proof_batch(&commitments, &indices, &cells, &proofs)?)
    })?;
    let rust_eth_kzg = once(others, |it| {
        let (commitments, proofs) = (commitments.iter().collect(), proofs.iter().collect());
        let cells = cells.iter().collect();
        let verified =
            it.rust_eth_kzg
                .verify_cell_kzg_proof_batch(commitments, &indices, cells, proofs);
        Ok(verified.is_ok())
    })?;
    row(
        "verification of all cells",
        here,
        &holds,
        [c_kzg, rust_eth_kzg],
    )
}

fn verified_blobs(
    kzg: &Kzg,
    others: Option<&Others>,
    options: &Options,
    blobs: &[&[u8; BYTES_PER_BLOB]],
    commitments: &[KzgCommitment],
) -> Result<Row> {
    let proofs = all(kzg.compute_blob_kzg_proof_many(blobs, commitments)?)?;
    let (here, holds) = median(options.samples, || {
        Ok(kzg.verify_blob_kzg_proof_batch(blobs, commitments, &proofs)?)
    })?;
    let c_kzg = once(others, |it| {
        let [commitments, proofs] = [commitments, &proofs].map(bytes_48);
        let blobs: Vec<_> = blobs.iter().map(|it| c_kzg::Blob::new(**it)).collect();
        Ok(it
            .c_kzg
            .verify_blob_kzg_proof_batch(&blobs, &commitments, &proofs)?)
    })?;
    let rust_eth_kzg = once(others, |it| {
        let (blobs, commitments) = (blobs.to_vec(), commitments.iter().collect());
        let proofs = proofs.iter().collect();
        Ok(it
            .rust_eth_kzg
            .verify_blob_kzg_proof_batch(blobs, commitments, proofs)
            .is_ok())
    })?;
    row("verification of blobs", here, &holds, [c_kzg, rust_eth_kzg])
}

/// Holds what others computed to what was computed here.
fn row<T: PartialEq>(
    what: &'static str,
    here: Duration,
    result: &T,
    theirs: [Option<(Duration, T)>; 2],
) -> Result<Row> {
    let names = ["c-kzg", "rust_eth_kzg"];
    for ((_, other), name) in theirs.iter().flatten().zip(names) {
        ensure!(other == result, "{what}: other bytes than {name}'s");
    }
    let [c_kzg, rust_eth_kzg] = theirs.map(|it| it.map(|(time, _)| time));
    Ok(Row {
        what,
        times: [Some(here), c_kzg, rust_eth_kzg],
    })
}

/// What another library computes, once it has run once: its calls take long.
fn once<C, T>(context: Option<C>, call: impl Fn(&C) -> Result<T>) -> Result<Option<(Duration, T)>> {
    context.map(|it| median(1, || call(&it))).transpose()
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
