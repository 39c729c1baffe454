//! BLS12-381 field arithmetic over long vectors, on any Vulkan GPU.
//!
//! There are two ways to use it. [`vectors`] of the base field and of the scalar field
//! stay on the device, and operations on them are recorded in a queue and run in one
//! submission:
//!
//! ```
//! use gpu_executor::vectors::{Field, Fr, VectorEngine};
//!
//! # fn main() -> anyhow::Result<()> {
//! let engine = VectorEngine::cpu()?; // or VectorEngine::new()? for a Vulkan device
//! let x = engine.upload::<Fr>(&vec![Fr::ONE; 1024])?; // in Montgomery form
//! let queue = engine.queue();
//! let y = queue.mul(&queue.double(&x)?, &x)?;
//! let sum = queue.read(&queue.from_montgomery(&queue.sum(&y)?)?)?;
//! let done = queue.submit()?.wait()?;
//! assert_eq!(done.element(&sum)?, [2048, 0, 0, 0]);
//! # Ok(())
//! # }
//! ```
//!
//! And vectors of the base field are added from host memory to host memory. There an
//! element is 6 little-endian `u64` limbs, 48 bytes, as arkworks' `Fq` and `blst_fp`
//! hold it; a vector is a flat slice of limbs. Addition works alike in Montgomery form
//! and in plain form.
//!
//! ```
//! use gpu_executor::{Executor, FieldAdd};
//!
//! # fn main() -> anyhow::Result<()> {
//! let a = vec![1_u64; 6 * 1024];
//! let b = vec![2_u64; 6 * 1024];
//! let mut executor = Executor::auto()?; // a Vulkan device, else the CPU
//! # // A test leaves the user's cache alone.
//! # executor = Executor::Cpu(gpu_executor::cpu::CpuEngine::new()?);
//! let c = executor.field_add(&a, &b)?;
//! assert_eq!(c, vec![3; 6 * 1024]);
//! println!("{}", executor.last_report().expect("a run just succeeded"));
//! # Ok(())
//! # }
//! ```
//!
//! - [`spirv::PersistentVulkanBackend`] runs batches on a Vulkan device with
//!   any SPIR-V kernel that keeps the interface of [`vk_core::spirv`], and
//!   never falls back.
//! - [`cpu::CpuEngine`] computes the same on all cores.
//! - [`HostBuffer`] is pinned host memory that a device works on in place,
//!   for runs in which the host copies nothing.
//! - [`vectors::VectorEngine`] computes on vectors that stay, on a Vulkan device or on
//!   all cores; [`vectors::VectorEngine::builder`] makes one with settings.
//! - [`Executor`] is one of the two engines for whole jobs, or picks the faster one for
//!   each call ([`Executor::fastest`]), and says which.
//!
//! Calls of vectors return [`Result`], those from host to host [`anyhow::Result`]; there
//! `error.downcast_ref::<gpu_executor::Error>()` gives the typed [`Error`].
//!
//! Inputs must be canonical, below the modulus: an element that is not ends the
//! run, or the upload of a vector, with [`Error::NotCanonical`], unless
//! [`Inputs::Any`] was asked for. Then a
//! kernel of this library returns `s - p` if `s >= p`, else `s`, where
//! `s = (a + b) mod 2^384`.

/// The examples of the pages that users read compile.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/host-to-host.md")]
    struct HostToHost;
}

mod cache;
mod calibration;
mod canonical;
pub mod cpu;
pub mod device;
mod error;
mod executor;
mod fastest;
mod field_add;
mod host_buffer;
pub mod kernels;
mod report;
pub mod spirv;
pub mod vectors;

pub use cache::Cache;
/// For records of the benchmarks.
#[doc(hidden)]
pub use calibration::today;
pub use calibration::{Calibration, ChosenBy};
pub use canonical::Inputs;
pub use error::{Error, Result};
pub use executor::Executor;
pub use fastest::Fastest;
pub use field_add::{Batch, FieldAdd, Job};
pub use host_buffer::HostBuffer;

pub use report::{Engine, Mode, RunReport};
pub use vk_core::{
    DeviceCaps, DeviceKind, DevicePolicy, Error as VulkanError, Uuid, Validation, ValidationLog,
    WaitPolicy,
};
pub use vk_mem_paths::Error as DataPathError;
pub use vk_mem_paths::{
    AllocatedMemory, Effort, Measured, PathChoice, Refused, Span, StageKind, StageTimes, Strategy,
    TransferPath, Tuning,
};
