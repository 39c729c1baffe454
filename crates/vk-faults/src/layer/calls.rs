//! The calls of a device that can fail: each may be made to.

#![expect(
    non_snake_case,
    reason = "the wrappers are named as the calls they stand for"
)]

use std::ffi::{CStr, c_void};

use ash::vk::{self, Handle};

use super::dispatch::{key, next};
use super::{Function, state};
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
/// handle is written, and how many there are.
macro_rules! wrap {
    ($(
        $name:ident($handle:ident: $handle_type:ty $(, $arg:ident: $type:ty)*)
            $(sized $bytes:expr)?
            $(, made $kind:literal at $out:ident x $count:expr)?;
    )*) => {
        $(
            unsafe extern "system" fn $name(
                $handle: $handle_type $(, $arg: $type)*
            ) -> vk::Result {
                type Next = unsafe extern "system" fn($handle_type $(, $type)*) -> vk::Result;
                const NAME: &CStr = c_name(concat!(stringify!($name), "\0"));
                // SAFETY: alive by the contract of the call.
                let key = unsafe { key($handle) };
                let Some(function) = next(key, NAME) else {
                    return vk::Result::ERROR_UNKNOWN;
                };
                // SAFETY: the function of this name has this type.
                let function: Next = unsafe { std::mem::transmute::<Function, Next>(function) };
                let bytes: u64 = 0 $(+ $bytes)?;
                let result = carry_out(key, stringify!($name), bytes, || {
                    // SAFETY: the caller's arguments, passed on.
                    unsafe { function($handle $(, $arg)*) }
                });
                $(if result == vk::Result::SUCCESS {
                    // SAFETY: a success wrote that many handles.
                    unsafe { note($kind, $out, $count) };
                })?
                result
            }
        )*

        /// The names of the functions here.
        pub(super) const NAMES: &[&CStr] = &[
            $(c_name(concat!(stringify!($name), "\0"))),*
        ];

        /// The layer's own function named `name`.
        pub(super) fn wrapper(name: &CStr) -> Option<Function> {
            $(
                if name.to_bytes() == stringify!($name).as_bytes() {
                    type Own = unsafe extern "system" fn($handle_type $(, $type)*) -> vk::Result;
                    // SAFETY: it is called by its own type, which its name says.
                    return Some(unsafe { std::mem::transmute::<Own, Function>($name) });
                }
            )*
            super::probe::wrapper(name)
        }
    };
}

pub(super) const fn c_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => c"",
    }
}

/// Notes `count` new objects, whose handles begin at `first`.
///
/// # Safety
/// `first` is valid for reads of `count` handles.
unsafe fn note<H: Handle + Copy>(kind: &'static str, first: *mut H, count: u32) {
    let mut state = state();
    for number in 0..count as usize {
        // SAFETY: this function's contract.
        let at = unsafe { first.add(number) };
        // SAFETY: this function's contract.
        state.made(kind, unsafe { at.read() }.as_raw());
    }
}

/// What a call of vkAllocateMemory asks for.
fn size_of_memory(info: *const vk::MemoryAllocateInfo<'_>) -> u64 {
    // SAFETY: valid for reads by the contract of vkAllocateMemory.
    unsafe { (*info).allocation_size }
}

type Alloc<'a> = *const vk::AllocationCallbacks<'a>;

wrap! {
    vkAllocateMemory(device: vk::Device, info: *const vk::MemoryAllocateInfo<'_>,
        allocator: Alloc<'_>, memory: *mut vk::DeviceMemory)
        sized size_of_memory(info), made "memory" at memory x 1;
    vkBindBufferMemory(device: vk::Device, buffer: vk::Buffer, memory: vk::DeviceMemory, offset: u64);
    vkBindBufferMemory2(device: vk::Device, count: u32, infos: *const vk::BindBufferMemoryInfo<'_>);
    vkFlushMappedMemoryRanges(device: vk::Device, count: u32, ranges: *const vk::MappedMemoryRange<'_>);
    vkInvalidateMappedMemoryRanges(device: vk::Device, count: u32,
        ranges: *const vk::MappedMemoryRange<'_>);
    vkCreateBuffer(device: vk::Device, info: *const vk::BufferCreateInfo<'_>,
        allocator: Alloc<'_>, buffer: *mut vk::Buffer), made "buffer" at buffer x 1;
    vkCreateSemaphore(device: vk::Device, info: *const vk::SemaphoreCreateInfo<'_>,
        allocator: Alloc<'_>, semaphore: *mut vk::Semaphore), made "semaphore" at semaphore x 1;
    vkCreateFence(device: vk::Device, info: *const vk::FenceCreateInfo<'_>,
        allocator: Alloc<'_>, fence: *mut vk::Fence), made "fence" at fence x 1;
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
