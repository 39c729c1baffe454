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
//! let limbs: Vec<u64> = z.to_limbs()?;
//! assert_eq!(limbs.len(), 4 * 1000);
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

mod cpu;
mod elements;
mod engine;
mod field_vec;
mod operand;
mod pending;
mod plan;
mod program;
mod queue;
mod report;
mod runner;
pub(crate) mod tune;
mod value;
mod vulkan;

pub use elements::AsElements;
pub use engine::VectorEngine;
pub use field_kernels::chain::MemoryAccess;
pub use field_kernels::{Arithmetic, Field, FieldId, Fp, Fr};
pub use field_vec::{FieldVec, Form};
pub use operand::{Operand, Scalar};
pub use pending::{Completed, Pending};
pub use queue::{Comparison, Queue, Reading};
pub use report::VectorReport;

pub(crate) use vulkan::{Choice, VulkanRunner};
