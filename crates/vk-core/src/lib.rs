//! The Vulkan compute context under `gpu-executor`.
//!
//! From the loader up to a submitted kernel: [`Instance`] opens the loader,
//! and picks a device by [`DevicePolicy`], [`DeviceCaps`] records what it can do,
//! [`Device`] owns the logical device and its queues, a [`Compiler`] makes a
//! [`ComputePipeline`] of a library's own module, and a [`KernelCache`] of any SPIR-V
//! module that keeps the kernel interface (see [`spirv::KernelInterface`]).
//!
//! This crate allocates no device memory and knows no field; `vk-mem-paths`
//! builds the data paths on top of it.
//!
//! ```no_run
//! use vk_core::{Device, DevicePolicy, Instance, Validation};
//!
//! # fn main() -> Result<(), vk_core::Error> {
//! let instance = Instance::new(Validation::Off)?;
//! let device = Device::new(&instance.device(&DevicePolicy::Auto)?)?;
//! println!("{}", device.caps().name);
//! # Ok(())
//! # }
//! ```

use std::sync::{Mutex, MutexGuard, PoisonError};

mod cache_file;
mod caps;
mod command;
mod compiler;
mod device;
mod error;
mod instance;
mod kernel;
mod loader;
mod pipeline;
mod pipeline_cache;
mod process;
pub mod results;
mod select;
pub mod spirv;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod timestamps;
mod validation;

pub use ash;
pub use cache_file::CacheFile;
pub use caps::{
    ApiVersion, DeviceCaps, DeviceKind, Features, Limits, MemoryHeap, MemoryType, QueueFamily, Uuid,
};
pub use command::CommandBuffer;
pub use compiler::Compiler;
pub use device::Device;
pub use error::{Error, VkContext};
pub use instance::{Instance, PhysicalDevice, validation_layer_version};
pub use kernel::KernelCache;
pub use pipeline::{ComputePipeline, PipelineShape, SetLayout};
pub use pipeline_cache::PipelineCache;
pub use process::Process;
pub use select::DevicePolicy;
pub use sync::{Ticket, WaitPolicy};
pub use timestamps::StageTimer;
pub use validation::{Validation, ValidationLog};

/// Locks `mutex`, after a panic of whoever held it too: for what is changed in single steps, so
/// that it is whole wherever a thread stopped.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
