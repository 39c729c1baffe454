//! The calls that destroy: what they are given is gone.

#![expect(
    non_snake_case,
    reason = "the wrappers are named as the calls they stand for"
)]

use std::ffi::CStr;

use ash::vk::{self, Handle};

use super::calls::c_name;
use super::dispatch::{key, next};
use super::{Function, state};

/// Declares wrappers for calls that destroy an object of a kind.
macro_rules! destroy {
    ($($name:ident, $type:ty, $($kind:literal),+;)*) => {
        $(
            unsafe extern "system" fn $name(
                device: vk::Device,
                object: $type,
                allocator: *const vk::AllocationCallbacks<'_>,
            ) {
                type Next = unsafe extern "system" fn(
                    vk::Device, $type, *const vk::AllocationCallbacks<'_>
                );
                const NAME: &CStr = c_name(concat!(stringify!($name), "\0"));
                // SAFETY: alive by the contract of the call.
                let key = unsafe { key(device) };
                let Some(function) = next(key, NAME) else { return };
                // Before the handle can be given to a new object.
                $(state().gone($kind, object.as_raw());)+
                // SAFETY: the function of this name has this type.
                let function = unsafe { std::mem::transmute::<Function, Next>(function) };
                // SAFETY: the caller's arguments, passed on.
                unsafe { function(device, object, allocator) };
            }
        )*

        /// The names of the functions here.
        pub(super) const NAMES: &[&CStr] = &[
            $(c_name(concat!(stringify!($name), "\0")),)*
            c"vkUnmapMemory",
        ];

        /// The layer's own function named `name`.
        pub(super) fn wrapper(name: &CStr) -> Option<Function> {
            $(
                if name.to_bytes() == stringify!($name).as_bytes() {
                    type Own = unsafe extern "system" fn(
                        vk::Device, $type, *const vk::AllocationCallbacks<'_>
                    );
                    // SAFETY: it is called by its own type, which its name says.
                    return Some(unsafe { std::mem::transmute::<Own, Function>($name) });
                }
            )*
            match name.to_bytes() {
                // SAFETY: as above.
                b"vkUnmapMemory" => Some(unsafe {
                    std::mem::transmute::<vk::PFN_vkUnmapMemory, Function>(vkUnmapMemory)
                }),
                _ => None,
            }
        }
    };
}

destroy! {
    // What is freed is unmapped.
    vkFreeMemory, vk::DeviceMemory, "memory", "mapping";
    vkDestroyBuffer, vk::Buffer, "buffer";
    vkDestroySemaphore, vk::Semaphore, "semaphore";
    vkDestroyFence, vk::Fence, "fence";
    vkDestroyQueryPool, vk::QueryPool, "query pool";
    vkDestroyPipelineCache, vk::PipelineCache, "pipeline cache";
    vkDestroyShaderModule, vk::ShaderModule, "shader module";
    vkDestroyPipeline, vk::Pipeline, "pipeline";
    vkDestroyPipelineLayout, vk::PipelineLayout, "pipeline layout";
    vkDestroyDescriptorSetLayout, vk::DescriptorSetLayout, "set layout";
    vkDestroyDescriptorPool, vk::DescriptorPool, "descriptor pool";
    vkDestroyCommandPool, vk::CommandPool, "command pool";
}

unsafe extern "system" fn vkUnmapMemory(device: vk::Device, memory: vk::DeviceMemory) {
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(device) };
    let Some(function) = next(key, c"vkUnmapMemory") else {
        return;
    };
    state().gone("mapping", memory.as_raw());
    // SAFETY: the function of this name has this type.
    let function = unsafe { std::mem::transmute::<Function, vk::PFN_vkUnmapMemory>(function) };
    // SAFETY: the caller's arguments, passed on.
    unsafe { function(device, memory) };
}
