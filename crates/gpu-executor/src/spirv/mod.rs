//! The native Vulkan interface: persistent backend, batches, SPIR-V kernels.

mod backend;
mod builder;

pub use backend::PersistentVulkanBackend;
pub use builder::Builder;
