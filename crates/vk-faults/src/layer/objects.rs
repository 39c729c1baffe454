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

/// Declares wrappers for calls that destroy an object: its type, what else they are given,
/// and of which kinds it is.
macro_rules! destroy {
    ($($name:ident($type:ty $(, $arg:ident: $more:ty)?): $($kind:literal),+;)*) => {
        $(
            unsafe extern "system" fn $name(
                device: vk::Device, object: $type $(, $arg: $more)?
            ) {
                type Next = unsafe extern "system" fn(vk::Device, $type $(, $more)?);
                // SAFETY: alive by the contract of the call.
                let key = unsafe { key(device) };
                // SAFETY: the function of this name has this type.
                let Some(function) = (unsafe { next::<Next>(key, c_name!($name)) }) else {
                    return;
                };
                // Before the handle can be given to a new object.
                $(state().gone($kind, object.as_raw());)+
                // SAFETY: the caller's arguments, passed on.
                unsafe { function(device, object $(, $arg)?) };
            }
        )*

        /// The layer's own functions of this module.
        pub(super) const FUNCTIONS: &[(&CStr, Function)] = &[$({
            type Own = unsafe extern "system" fn(vk::Device, $type $(, $more)?);
            // SAFETY: it is called by its own type, which its name says.
            (c_name!($name), unsafe { std::mem::transmute::<Own, Function>($name) })
        }),*];
    };
}

type Alloc<'a> = *const vk::AllocationCallbacks<'a>;

destroy! {
    // What is freed is unmapped.
    vkFreeMemory(vk::DeviceMemory, allocator: Alloc<'_>): "memory", "mapping";
    vkUnmapMemory(vk::DeviceMemory): "mapping";
    vkDestroyBuffer(vk::Buffer, allocator: Alloc<'_>): "buffer";
    vkDestroySemaphore(vk::Semaphore, allocator: Alloc<'_>): "semaphore";
    vkDestroyFence(vk::Fence, allocator: Alloc<'_>): "fence";
    vkDestroyQueryPool(vk::QueryPool, allocator: Alloc<'_>): "query pool";
    vkDestroyPipelineCache(vk::PipelineCache, allocator: Alloc<'_>): "pipeline cache";
    vkDestroyShaderModule(vk::ShaderModule, allocator: Alloc<'_>): "shader module";
    vkDestroyPipeline(vk::Pipeline, allocator: Alloc<'_>): "pipeline";
    vkDestroyPipelineLayout(vk::PipelineLayout, allocator: Alloc<'_>): "pipeline layout";
    vkDestroyDescriptorSetLayout(vk::DescriptorSetLayout, allocator: Alloc<'_>): "set layout";
    vkDestroyDescriptorPool(vk::DescriptorPool, allocator: Alloc<'_>): "descriptor pool";
    vkDestroyCommandPool(vk::CommandPool, allocator: Alloc<'_>): "command pool";
}
