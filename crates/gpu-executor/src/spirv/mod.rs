//! The native Vulkan interface: persistent backend, batches, SPIR-V kernels.

mod backend;
mod host;
mod opened;

pub use backend::PersistentVulkanBackend;
pub use vk_core::spirv::{SpirvCheck, SpirvValidation};
