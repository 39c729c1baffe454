//! KZG for Ethereum's blobs on any Vulkan GPU, or on all cores of the CPU: the functions of
//! [EIP-4844](https://eips.ethereum.org/EIPS/eip-4844) and
//! [EIP-7594](https://eips.ethereum.org/EIPS/eip-7594), with the names, the order of arguments
//! and the meaning that c-kzg's Rust binding gives them, on bytes.
//!
//! ```
//! use gpu_executor::vectors::VectorEngine;
//! use gpu_executor_kzg::{BYTES_PER_BLOB, Kzg, TrustedSetup};
//!
//! # fn main() -> anyhow::Result<()> {
//! let engine = VectorEngine::cpu()?; // or VectorEngine::new()? for a Vulkan device
//! let kzg = Kzg::new(&engine, &TrustedSetup::mainnet()?)?;
//! let blob = vec![1; BYTES_PER_BLOB];
//! let commitment = kzg.blob_to_kzg_commitment(&blob)?;
//! let proof = kzg.compute_blob_kzg_proof(&blob, &commitment)?;
//! assert!(kzg.verify_blob_kzg_proof(&blob, &commitment, &proof)?);
//! # Ok(())
//! # }
//! ```
//!
//! A device is worth it where it has much to do: what computes has a form for many blobs, named
//! `..._many`, with a result for each, so that an invalid blob fails alone. A batch is cut into
//! windows of [`BLOBS_AT_ONCE`], and while the device computes one, the next is checked and
//! goes up. [`Kzg::watched`] says how far it is, and stops it.
//!
//! # Where what is computed
//! Transforms, multi-scalar multiplications and all other arithmetic on whole blobs and on
//! points run on the engine that [`Kzg::new`] was given, and nowhere else. Tables that are made
//! once for a setup are kept in files, and made by the host where a device is made of its
//! cores. Hashes, quotients of 4,096 values, encodings of points, pairings and all of
//! `verify_...` run on the host's threads, by blst where there are points: a verification is a
//! few small sums.

#![forbid(unsafe_code)]

/// The examples of the pages that users read compile.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/blobs.md")]
    struct Blobs;
}

mod blobs;
mod bytes;
mod cells;
mod error;
mod evaluation;
mod fk20;
mod kzg;
mod points;
mod setup;
mod tables;
mod verify;

pub use error::{Error, Result};
pub use evaluation::{compute_challenge, compute_verify_cell_kzg_proof_batch_challenge};
pub use kzg::{BLOBS_AT_ONCE, Kzg};
pub use setup::TrustedSetup;

/// Bytes of an element of the scalar field: a big-endian integer below the modulus.
pub const BYTES_PER_FIELD_ELEMENT: usize = 32;
/// Elements of a blob: values at the 4,096th roots of unity, in bit-reversed order.
pub const FIELD_ELEMENTS_PER_BLOB: usize = 4096;
/// Bytes of a blob.
pub const BYTES_PER_BLOB: usize = FIELD_ELEMENTS_PER_BLOB * BYTES_PER_FIELD_ELEMENT;
/// Bytes of a commitment: a compressed point of G1.
pub const BYTES_PER_COMMITMENT: usize = 48;
/// Bytes of a proof: a compressed point of G1.
pub const BYTES_PER_PROOF: usize = 48;
/// Elements of a cell.
pub const FIELD_ELEMENTS_PER_CELL: usize = 64;
/// Bytes of a cell.
pub const BYTES_PER_CELL: usize = FIELD_ELEMENTS_PER_CELL * BYTES_PER_FIELD_ELEMENT;
/// Cells of a blob that is extended to twice its length; any half of them has all of it.
pub const CELLS_PER_EXT_BLOB: usize = 128;

/// A field element, as big-endian bytes.
pub type Bytes32 = [u8; BYTES_PER_FIELD_ELEMENT];
/// A commitment.
pub type KzgCommitment = [u8; BYTES_PER_COMMITMENT];
/// A proof.
pub type KzgProof = [u8; BYTES_PER_PROOF];
/// A cell.
pub type Cell = [u8; BYTES_PER_CELL];
/// All cells of an extended blob: the first half is the blob itself.
pub type CellsPerExtBlob = [Cell; CELLS_PER_EXT_BLOB];
/// The proofs of all cells.
pub type ProofsPerExtBlob = [KzgProof; CELLS_PER_EXT_BLOB];
/// Both.
pub type CellsAndProofs = (Box<CellsPerExtBlob>, Box<ProofsPerExtBlob>);

/// Cells that a blob can be rebuilt from.
const CELLS_PER_BLOB: usize = CELLS_PER_EXT_BLOB / 2;
const FIELD_ELEMENTS_PER_EXT_BLOB: usize = 2 * FIELD_ELEMENTS_PER_BLOB;

/// An element of the scalar field, in Montgomery form.
type Scalar = [u64; 4];
/// An affine point of G1.
type Point = blst::blst_p1_affine;
