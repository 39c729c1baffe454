//! Waiting and looking: the calls that tell whether work is complete.
//!
//! Also mapping, whose objects are the memory that is mapped.

#![expect(
    non_snake_case,
    reason = "the wrappers are named as the calls they stand for"
)]

use std::ffi::{CStr, c_void};

use ash::vk::{self, Handle};

use super::calls::carry_out;
use super::dispatch::{key, next};
use super::{Function, state};

/// The next function of `$handle`'s device, by its name and type.
macro_rules! next_of {
    ($handle:expr, $name:literal, $type:ty) => {{
        // SAFETY: alive by the contract of the call.
        let key = unsafe { key($handle) };
        let Some(function) = next(key, $name) else {
            return vk::Result::ERROR_UNKNOWN;
        };
        // SAFETY: the function of this name has this type.
        let function = unsafe { std::mem::transmute::<Function, $type>(function) };
        (key, function)
    }};
}

unsafe extern "system" fn vkMapMemory(
    device: vk::Device,
    memory: vk::DeviceMemory,
    offset: u64,
    size: u64,
    flags: vk::MemoryMapFlags,
    data: *mut *mut c_void,
) -> vk::Result {
    let (key, function) = next_of!(device, c"vkMapMemory", vk::PFN_vkMapMemory);
    let result = carry_out(key, "vkMapMemory", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, memory, offset, size, flags, data) }
    });
    if result == vk::Result::SUCCESS {
        state().made("mapping", memory.as_raw());
    }
    result
}

unsafe extern "system" fn vkGetSemaphoreCounterValue(
    device: vk::Device,
    semaphore: vk::Semaphore,
    value: *mut u64,
) -> vk::Result {
    let (key, function) = next_of!(
        device,
        c"vkGetSemaphoreCounterValue",
        vk::PFN_vkGetSemaphoreCounterValue
    );
    let result = carry_out(key, "vkGetSemaphoreCounterValue", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, semaphore, value) }
    });
    if result == vk::Result::SUCCESS {
        // SAFETY: written by the success.
        let actual = unsafe { value.read() };
        let shown = state().counter(semaphore.as_raw(), actual);
        // SAFETY: valid for writes by the contract of the call.
        unsafe { value.write(shown) };
    }
    result
}

unsafe extern "system" fn vkWaitSemaphores(
    device: vk::Device,
    info: *const vk::SemaphoreWaitInfo<'_>,
    timeout: u64,
) -> vk::Result {
    let (key, function) = next_of!(device, c"vkWaitSemaphores", vk::PFN_vkWaitSemaphores);
    let result = carry_out(key, "vkWaitSemaphores", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, info, timeout) }
    });
    if result == vk::Result::SUCCESS {
        // SAFETY: valid for reads by the contract of the call.
        let info = unsafe { &*info };
        for number in 0..info.semaphore_count as usize {
            // SAFETY: the array holds that many.
            let at = unsafe { info.p_semaphores.add(number) };
            // SAFETY: as above.
            let semaphore = unsafe { at.read() };
            // SAFETY: as above.
            let at = unsafe { info.p_values.add(number) };
            // SAFETY: as above.
            let value = unsafe { at.read() };
            state().reached(semaphore.as_raw(), value);
        }
    }
    result
}

unsafe extern "system" fn vkGetFenceStatus(device: vk::Device, fence: vk::Fence) -> vk::Result {
    let (key, function) = next_of!(device, c"vkGetFenceStatus", vk::PFN_vkGetFenceStatus);
    let result = carry_out(key, "vkGetFenceStatus", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, fence) }
    });
    state().status(fence.as_raw(), result)
}

unsafe extern "system" fn vkWaitForFences(
    device: vk::Device,
    count: u32,
    fences: *const vk::Fence,
    all: vk::Bool32,
    timeout: u64,
) -> vk::Result {
    let (key, function) = next_of!(device, c"vkWaitForFences", vk::PFN_vkWaitForFences);
    let result = carry_out(key, "vkWaitForFences", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, count, fences, all, timeout) }
    });
    if result == vk::Result::SUCCESS {
        // SAFETY: the caller's fences, for whom the wait was.
        unsafe { note_fences(fences, count, true) };
    }
    result
}

unsafe extern "system" fn vkResetFences(
    device: vk::Device,
    count: u32,
    fences: *const vk::Fence,
) -> vk::Result {
    let (key, function) = next_of!(device, c"vkResetFences", vk::PFN_vkResetFences);
    let result = carry_out(key, "vkResetFences", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, count, fences) }
    });
    if result == vk::Result::SUCCESS {
        // SAFETY: the caller's fences.
        unsafe { note_fences(fences, count, false) };
    }
    result
}

/// # Safety
/// `first` is valid for reads of `count` handles.
unsafe fn note_fences(first: *const vk::Fence, count: u32, signalled: bool) {
    for number in 0..count as usize {
        // SAFETY: this function's contract.
        let at = unsafe { first.add(number) };
        // SAFETY: this function's contract.
        let fence = unsafe { at.read() };
        state().fence(fence.as_raw(), signalled);
    }
}

/// The names of the functions here.
pub(super) const NAMES: &[&CStr] = &[
    c"vkMapMemory",
    c"vkGetSemaphoreCounterValue",
    c"vkWaitSemaphores",
    c"vkGetFenceStatus",
    c"vkWaitForFences",
    c"vkResetFences",
];

/// The layer's own function named `name`.
pub(super) fn wrapper(name: &CStr) -> Option<Function> {
    macro_rules! own {
        ($function:ident: $type:ty) => {
            // SAFETY: it is called by its own type, which its name says.
            Some(unsafe { std::mem::transmute::<$type, Function>($function) })
        };
    }
    match name.to_bytes() {
        b"vkMapMemory" => own!(vkMapMemory: vk::PFN_vkMapMemory),
        b"vkGetSemaphoreCounterValue" => {
            own!(vkGetSemaphoreCounterValue: vk::PFN_vkGetSemaphoreCounterValue)
        }
        b"vkWaitSemaphores" => own!(vkWaitSemaphores: vk::PFN_vkWaitSemaphores),
        b"vkGetFenceStatus" => own!(vkGetFenceStatus: vk::PFN_vkGetFenceStatus),
        b"vkWaitForFences" => own!(vkWaitForFences: vk::PFN_vkWaitForFences),
        b"vkResetFences" => own!(vkResetFences: vk::PFN_vkResetFences),
        _ => None,
    }
}
