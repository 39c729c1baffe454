//! Vectors of field elements that stay where they are computed.
//!
//! A [`FieldVec`] lives in device memory (or, with the CPU engine, in host memory).
//! Operations are recorded in a [`Queue`] and run in one submission, with
//! element-wise neighbours fused into one kernel; nothing crosses the bus but what is
//! uploaded and downloaded.
//!
//! ```
//! use gpu_executor::vectors::{Fr, VectorEngine};
//!
//! # fn main() -> anyhow::Result<()> {
//! let engine = VectorEngine::cpu()?; // or VectorEngine::new()? for a Vulkan device
//! // Elements as arkworks and blst hold them: Montgomery form, little-endian limbs.
//! let x = engine.upload::<Fr>(&vec![1_u64; 4 * 1000])?;
//! let y = engine.upload::<Fr>(&vec![2_u64; 4 * 1000])?;
//!
//! let queue = engine.queue();
//! let z = queue.mul(&queue.add(&x, &y)?, &y)?; // one kernel: reads x and y, writes z
//! let sum = queue.read(&queue.sum(&z)?)?;
//! let done = queue.submit()?.wait()?;
//!
//! println!("{:?} is the sum; {}", done.elements(&sum)?, done.report());
//! let limbs: Vec<u64> = z.download()?;
//! assert_eq!(limbs.len(), 4 * 1000);
//! # Ok(())
//! # }
//! ```
//!
//! One element for all may stand in the place of a vector, an integer too; conditions
//! are vectors of zeros and others:
//!
//! ```
//! use gpu_executor::vectors::{Fr, VectorEngine};
//!
//! # fn main() -> anyhow::Result<()> {
//! # let engine = VectorEngine::cpu()?;
//! let x = engine.upload_be_bytes::<Fr>(&[[0; 32], [7; 32]].concat())?;
//! let queue = engine.queue();
//! let divisor = queue.select(&x, &x, 1)?; // x, but 1 where it is zero
//! let y = queue.mul(queue.sub(1, &x)?, queue.inverse(&divisor)?)?; // (1 - x) / x
//! let z = queue.mul(queue.add(y, 1)?, &x)?; // 1 again, but 0 where x is zero
//! let zeros = queue.from_montgomery(&queue.sum(&queue.is_zero(&x)?)?)?;
//! let zeros = queue.read(&zeros)?;
//! let done = queue.submit()?.wait()?;
//! assert_eq!(done.element(&zeros)?, [1, 0, 0, 0]);
//! assert_eq!(z.download_be_bytes()?[63], 1);
//! # Ok(())
//! # }
//! ```
//!
//! A vector is a value: no operation changes one that somebody else can see. What ends
//! in `_assign` puts the result in the place of its argument, and uses the argument's
//! memory where nobody else does. Clones and slices share memory and cost nothing.
//! Memory of vectors that are gone goes to a pool and serves the next ones.
//!
//! What is recorded runs in the order in which the queues of an engine are submitted.
//! Results that nobody holds when the queue is submitted are not stored, and what
//! nobody needs is not computed.
//!
//! # Types of arkworks and blst
//!
//! With the feature `arkworks` slices of `ark_bls12_381::Fq`, `Fr` and `Fq2` (version 0.6),
//! and with the feature `blst` slices of `blst_fp`, `blst_fr` and `blst_fp2` (version 0.3)
//! are uploaded as they are, and downloaded into: their memory is the limbs of [`Element`]s, which
//! assertions at compile time hold them to. Single ones are [`Scalar`]s and
//! [`Operand`]s.
//!
#![cfg_attr(feature = "arkworks", doc = "```")]
#![cfg_attr(not(feature = "arkworks"), doc = "```ignore")]
//! use ark_bls12_381::Fq;
//! use gpu_executor::vectors::{Element, VectorEngine};
//!
//! # fn main() -> anyhow::Result<()> {
//! let engine = VectorEngine::cpu()?;
//! let mut values: Vec<Fq> = (1..=1000_u64).map(Fq::from).collect();
//! let x = engine.upload(&values)?;
//!
//! let queue = engine.queue();
//! let y = queue.mul(&x, Fq::from(2_u64))?;
//! let sum = queue.read(&queue.sum(&x)?)?;
//! let done = queue.submit()?.wait()?;
//!
//! assert_eq!(y.download::<Fq>()?[499], Fq::from(1000_u64));
//! y.download_into(&mut values)?; // or into memory that is there
//! assert_eq!(Fq::from_limbs(done.element(&sum)?), Fq::from(500_500_u64));
//! # Ok(())
//! # }
//! ```
//!
//! The CPU engine itself multiplies and inverts by blst. That library is compiled for the
//! processor of the machine that builds it, unless its own feature `portable` is on.
//!
//! # Points of the curve
//!
//! A [`PointVec`] is a vector of affine points of [`G1`] or [`G2`]. It comes up as limbs, as
//! points of arkworks (`G1Affine`, `G2Affine`) and of blst (`blst_p1_affine`,
//! `blst_p2_affine`), or decoded from bytes, each time held to what a [`PointCheck`] says.

mod bases;
mod cpu;
mod domain;
mod elements;
mod engine;
mod exponent;
mod families;
mod field_vec;
mod fields;
mod indices;
mod integers;
#[cfg(any(feature = "arkworks", feature = "blst"))]
mod interop;
mod operand;
mod pending;
mod plan;
mod points;
mod program;
mod queue;
mod report;
mod runner;
mod tables;
mod tune;
mod value;
mod vulkan;

pub use bases::{Bases, MsmPoints, TableMemory};
pub use domain::Domain;
pub use elements::{AsElements, AsElementsMut, Element};
pub(crate) use elements::{as_bytes, as_uninit, room_for};
pub use engine::VectorEngine;
pub use exponent::Exponent;
pub use families::{Comparison, Msm, Order, Scalars, Scan, Transform};
pub use field_kernels::chain::MemoryAccess;
pub use field_kernels::curve::Xyzz;
pub use field_kernels::{
    Arithmetic, Curve, ElementId, ElementType, ExtensionField, Field, Fp, Fp2, Fr, G1, G2,
    PrimeField,
};
pub use field_vec::{FieldVec, Form};
pub use indices::Indices;
pub use integers::{Integer, Integers};
#[cfg(feature = "blst")]
pub use interop::BlstPoint;
#[cfg(feature = "arkworks")]
pub use interop::{DomainEngine, EngineDomain};
pub use operand::{Operand, Scalar};
pub use pending::{Completed, Pending};
pub use points::{PointCheck, PointEncoding, PointFault, PointVec};
pub use queue::{BytesReadback, Queue, Readback};
pub use report::{KernelChoice, VectorReport};
