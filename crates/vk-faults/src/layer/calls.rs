//! The calls that can fail: each may be made to. And those that destroy: what they are given is
//! gone.

use std::ffi::{CStr, c_char, c_void};

use ash::vk::{self, Handle};

use super::dispatch::{key, next};
use super::{Alloc, Function, state};
use crate::state::Verdict;

/// Carries out a call on the instance or device `key` as the fault says.
pub(super) fn carry_out(
    key: usize,
    call: &'static str,
    bytes: u64,
    forward: impl FnOnce() -> vk::Result,
) -> vk::Result {
    let verdict = state().decide(key, call, bytes);
    match verdict {
        Verdict::Forward => forward(),
        Verdict::Fail(result) => result,
        Verdict::ForwardThen(result) => match forward() {
            vk::Result::SUCCESS => result,
            own => own,
        },
    }
}

/// Declares wrappers by signature. After `sized`: how many bytes the call asks
/// for. After `made`: the kind of object that a success creates, where its
/// handle is written, and how many there are. After `then`: what becomes of a success.
macro_rules! wrap {
    ($(
        $name:ident($handle:ident: $handle_type:ty $(, $arg:ident: $type:ty)*)
            $(sized $bytes:expr)?
            $(, made $kind:literal at $out:ident x $count:expr)?
            $(, then $then:expr)?;
    )*) => {
        $(
            unsafe extern "system" fn $name(
                $handle: $handle_type $(, $arg: $type)*
            ) -> vk::Result {
                type Next = unsafe extern "system" fn($handle_type $(, $type)*) -> vk::Result;
                // SAFETY: alive by the contract of the call.
                let key = unsafe { key($handle) };
                // SAFETY: the function of this name has this type.
                let Some(function) = (unsafe { next::<Next>(key, c_name!($name)) }) else {
                    return vk::Result::ERROR_UNKNOWN;
                };
                let bytes: u64 = 0 $(+ $bytes)?;
                let result = carry_out(key, stringify!($name), bytes, || {
                    // SAFETY: the caller's arguments, passed on.
                    unsafe { function($handle $(, $arg)*) }
                });
                $(if result == vk::Result::SUCCESS {
                    // SAFETY: a success wrote that many handles.
                    unsafe { note($kind, $out, $count) };
                })?
                $(if result == vk::Result::SUCCESS {
                    #[allow(unused_unsafe, reason = "some look at no pointers")]
                    // SAFETY: a success, of arguments that are valid by the contract of the
                    // call.
                    return unsafe { $then };
                })?
                result
            }
        )*

        pub(super) const FALLIBLE: &[(&CStr, Function)] = &[
            $(own!($name: unsafe extern "system" fn($handle_type $(, $type)*) -> vk::Result),)*
        ];
    };
}

/// The name of a function as a C string.
macro_rules! c_name {
    ($name:ident) => {
        const {
            match std::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            }
        }
    };
}
pub(super) use c_name;

/// A function of the layer, of this type, by its name.
macro_rules! own {
    ($function:ident: $type:ty) => {
        // SAFETY: it is called by its own type, which its name says.
        (c_name!($function), unsafe {
            std::mem::transmute::<$type, Function>($function)
        })
    };
}
pub(super) use own;

/// Notes `count` new objects, whose handles begin at `first`.
///
/// # Safety
/// `first` is valid for reads of `count` handles.
unsafe fn note<H: Handle + Copy>(kind: &'static str, first: *mut H, count: u32) {
    // SAFETY: this function's contract.
    let made = unsafe { std::slice::from_raw_parts(first, count as usize) };
    let mut state = state();
    made.iter().for_each(|made| state.made(kind, made.as_raw()));
}

fn size_of_memory(info: *const vk::MemoryAllocateInfo<'_>) -> u64 {
    // SAFETY: valid for reads by the contract of vkAllocateMemory.
    unsafe { (*info).allocation_size }
}

/// Has a look at a semaphore show what the device's pretence lets it show.
///
/// # Safety
/// `value` is valid for reads and writes.
unsafe fn show_counter(semaphore: vk::Semaphore, value: *mut u64) -> vk::Result {
    // SAFETY: this function's contract.
    let value = unsafe { &mut *value };
    *value = state().counter(semaphore.as_raw(), *value);
    vk::Result::SUCCESS
}

/// Notes what a wait has shown of semaphores.
///
/// # Safety
/// `info` is valid for reads, and so are its arrays.
unsafe fn reached(info: *const vk::SemaphoreWaitInfo<'_>) -> vk::Result {
    // SAFETY: this function's contract.
    let info = unsafe { &*info };
    let count = info.semaphore_count as usize;
    // SAFETY: this function's contract; the array holds that many.
    let semaphores = unsafe { std::slice::from_raw_parts(info.p_semaphores, count) };
    // SAFETY: as above.
    let values = unsafe { std::slice::from_raw_parts(info.p_values, count) };
    for (semaphore, value) in semaphores.iter().zip(values) {
        state().reached(semaphore.as_raw(), *value);
    }
    vk::Result::SUCCESS
}

/// Notes what a wait or a reset has made of fences.
///
/// # Safety
/// `first` is valid for reads of `count` handles.
unsafe fn note_fences(first: *const vk::Fence, count: u32, signalled: bool) -> vk::Result {
    // SAFETY: this function's contract.
    let fences = unsafe { std::slice::from_raw_parts(first, count as usize) };
    for fence in fences {
        state().fence(fence.as_raw(), signalled);
    }
    vk::Result::SUCCESS
}

fn mapped(memory: vk::DeviceMemory) -> vk::Result {
    state().made("mapping", memory.as_raw());
    vk::Result::SUCCESS
}

wrap! {
    vkEnumeratePhysicalDevices(instance: vk::Instance, count: *mut u32,
        devices: *mut vk::PhysicalDevice);
    vkEnumerateDeviceExtensionProperties(physical: vk::PhysicalDevice, layer: *const c_char,
        count: *mut u32, properties: *mut vk::ExtensionProperties);
    vkAllocateMemory(device: vk::Device, info: *const vk::MemoryAllocateInfo<'_>,
        allocator: Alloc<'_>, memory: *mut vk::DeviceMemory)
        sized size_of_memory(info), made "memory" at memory x 1;
    vkMapMemory(device: vk::Device, memory: vk::DeviceMemory, offset: u64, size: u64,
        flags: vk::MemoryMapFlags, data: *mut *mut c_void), then mapped(memory);
    vkBindBufferMemory(device: vk::Device, buffer: vk::Buffer, memory: vk::DeviceMemory, offset: u64);
    vkBindBufferMemory2(device: vk::Device, count: u32, infos: *const vk::BindBufferMemoryInfo<'_>);
    vkFlushMappedMemoryRanges(device: vk::Device, count: u32, ranges: *const vk::MappedMemoryRange<'_>);
    vkInvalidateMappedMemoryRanges(device: vk::Device, count: u32,
        ranges: *const vk::MappedMemoryRange<'_>);
    vkCreateBuffer(device: vk::Device, info: *const vk::BufferCreateInfo<'_>,
        allocator: Alloc<'_>, buffer: *mut vk::Buffer), made "buffer" at buffer x 1;
    vkCreateSemaphore(device: vk::Device, info: *const vk::SemaphoreCreateInfo<'_>,
        allocator: Alloc<'_>, semaphore: *mut vk::Semaphore), made "semaphore" at semaphore x 1;
    vkGetSemaphoreCounterValue(device: vk::Device, semaphore: vk::Semaphore, value: *mut u64),
        then show_counter(semaphore, value);
    vkWaitSemaphores(device: vk::Device, info: *const vk::SemaphoreWaitInfo<'_>, timeout: u64),
        then reached(info);
    vkCreateFence(device: vk::Device, info: *const vk::FenceCreateInfo<'_>,
        allocator: Alloc<'_>, fence: *mut vk::Fence), made "fence" at fence x 1;
    vkGetFenceStatus(device: vk::Device, fence: vk::Fence),
        then state().status(fence.as_raw());
    vkWaitForFences(device: vk::Device, count: u32, fences: *const vk::Fence, all: vk::Bool32,
        timeout: u64), then note_fences(fences, count, true);
    vkResetFences(device: vk::Device, count: u32, fences: *const vk::Fence),
        then note_fences(fences, count, false);
    vkCreateQueryPool(device: vk::Device, info: *const vk::QueryPoolCreateInfo<'_>,
        allocator: Alloc<'_>, pool: *mut vk::QueryPool), made "query pool" at pool x 1;
    vkGetQueryPoolResults(device: vk::Device, pool: vk::QueryPool, first: u32, count: u32,
        size: usize, data: *mut c_void, stride: u64, flags: vk::QueryResultFlags);
    vkCreatePipelineCache(device: vk::Device, info: *const vk::PipelineCacheCreateInfo<'_>,
        allocator: Alloc<'_>, cache: *mut vk::PipelineCache), made "pipeline cache" at cache x 1;
    vkGetPipelineCacheData(device: vk::Device, cache: vk::PipelineCache, size: *mut usize,
        data: *mut c_void);
    vkCreateShaderModule(device: vk::Device, info: *const vk::ShaderModuleCreateInfo<'_>,
        allocator: Alloc<'_>, module: *mut vk::ShaderModule), made "shader module" at module x 1;
    vkCreateComputePipelines(device: vk::Device, cache: vk::PipelineCache, count: u32,
        infos: *const vk::ComputePipelineCreateInfo<'_>, allocator: Alloc<'_>,
        pipelines: *mut vk::Pipeline), made "pipeline" at pipelines x count;
    vkCreatePipelineLayout(device: vk::Device, info: *const vk::PipelineLayoutCreateInfo<'_>,
        allocator: Alloc<'_>, layout: *mut vk::PipelineLayout),
        made "pipeline layout" at layout x 1;
    vkCreateDescriptorSetLayout(device: vk::Device,
        info: *const vk::DescriptorSetLayoutCreateInfo<'_>, allocator: Alloc<'_>,
        layout: *mut vk::DescriptorSetLayout), made "set layout" at layout x 1;
    vkCreateDescriptorPool(device: vk::Device, info: *const vk::DescriptorPoolCreateInfo<'_>,
        allocator: Alloc<'_>, pool: *mut vk::DescriptorPool), made "descriptor pool" at pool x 1;
    vkAllocateDescriptorSets(device: vk::Device, info: *const vk::DescriptorSetAllocateInfo<'_>,
        sets: *mut vk::DescriptorSet);
    vkCreateCommandPool(device: vk::Device, info: *const vk::CommandPoolCreateInfo<'_>,
        allocator: Alloc<'_>, pool: *mut vk::CommandPool), made "command pool" at pool x 1;
    vkAllocateCommandBuffers(device: vk::Device, info: *const vk::CommandBufferAllocateInfo<'_>,
        buffers: *mut vk::CommandBuffer);
    vkBeginCommandBuffer(buffer: vk::CommandBuffer, info: *const vk::CommandBufferBeginInfo<'_>);
    vkEndCommandBuffer(buffer: vk::CommandBuffer);
    vkResetCommandBuffer(buffer: vk::CommandBuffer, flags: vk::CommandBufferResetFlags);
    vkQueueSubmit(queue: vk::Queue, count: u32, infos: *const vk::SubmitInfo<'_>, fence: vk::Fence);
    vkDeviceWaitIdle(device: vk::Device);
}

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

        pub(super) const DESTROYERS: &[(&CStr, Function)] = &[
            $(own!($name: unsafe extern "system" fn(vk::Device, $type $(, $more)?)),)*
        ];
    };
}

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
