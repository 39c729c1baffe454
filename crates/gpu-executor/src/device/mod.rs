//! The one door to a device: which there are, with which settings one is opened, and what
//! all who open the same one share.
//!
//! Engines are built here and know this room; it knows none of them. Nothing else reads
//! the environment.

mod builder;
mod environment;
mod open;
mod pipelines;

pub use builder::{Build, Builder, Settings};

pub(crate) use builder::Asked;
pub(crate) use open::{OpenDevice, noting_loss};
pub(crate) use pipelines::{KernelSource, VectorKernels};

use vk_core::{DeviceCaps, Instance, Validation};

use crate::Error;

/// The Vulkan devices of this machine, in the loader's order: what a
/// [`DevicePolicy`](crate::DevicePolicy) and `GPU_DEVICE` choose from, by index, name or
/// UUID.
///
/// # Errors
/// [`Error::Vulkan`] with [`NoLoader`](crate::VulkanError::NoLoader) or
/// [`NoDevice`](crate::VulkanError::NoDevice) where there is none, else what the driver
/// returned.
pub fn devices() -> Result<Vec<DeviceCaps>, Error> {
    let instance = Instance::new(Validation::Off)?;
    let devices = instance.devices()?;
    Ok(devices.iter().map(|device| device.caps().clone()).collect())
}
