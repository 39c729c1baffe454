//! The Vulkan layer: what the loader calls, and what it finds behind.
//!
//! # Safety
//!
//! Every function here is called by the loader or by a program through it, and
//! relies on what the Vulkan specification asks of them: handles are alive,
//! pointers point to what their types say, and names are C strings.

#![expect(
    non_snake_case,
    reason = "the wrappers are named as the calls they stand for"
)]

mod calls;
mod chain;
mod dispatch;
pub(crate) mod global;
mod instance;

use std::ffi::{CStr, c_char};
use std::sync::{LazyLock, Mutex, MutexGuard};

use ash::vk;

use crate::state::State;
use calls::{c_name, own};

/// The layer's name, as the loader knows it.
pub const LAYER_NAME: &str = "VK_LAYER_GPU_EXECUTOR_faults";

pub(crate) fn state() -> MutexGuard<'static, State> {
    static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);
    vk_core::lock(&STATE)
}

pub(crate) fn intercepts(name: &str) -> bool {
    let mut global = global::FUNCTIONS.iter().map(|(call, _)| call.as_bytes());
    global.any(|call| call == name.as_bytes())
        || functions().any(|(call, _)| call.to_bytes() == name.as_bytes())
}

fn functions() -> impl Iterator<Item = (&'static CStr, Function)> {
    const LOOKUPS: &[(&CStr, Function)] = &[
        own!(vkGetInstanceProcAddr: chain::GetInstanceProcAddr),
        own!(vkGetDeviceProcAddr: chain::GetDeviceProcAddr),
    ];
    let all = [
        LOOKUPS,
        calls::FALLIBLE,
        calls::DESTROYERS,
        instance::FUNCTIONS,
    ];
    all.into_iter().flatten().copied()
}

fn own(name: &CStr) -> Option<Function> {
    let mut functions = functions();
    Some(functions.find(|(own, _)| *own == name)?.1)
}

/// A function of unknown type, as the loader hands it around.
type Function = unsafe extern "system" fn();
type Alloc<'a> = *const vk::AllocationCallbacks<'a>;

/// Tells the loader where the layer's functions are.
///
/// # Safety
/// `interface` is the loader's, valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn vk_faults_negotiate(
    interface: *mut chain::NegotiateInterface,
) -> vk::Result {
    // SAFETY: this function's contract.
    let Some(interface) = (unsafe { interface.as_mut() }) else {
        return vk::Result::ERROR_INITIALIZATION_FAILED;
    };
    interface.version = interface.version.min(2);
    interface.get_instance_proc_addr = Some(vkGetInstanceProcAddr);
    interface.get_device_proc_addr = Some(vkGetDeviceProcAddr);
    interface.get_physical_device_proc_addr = None;
    vk::Result::SUCCESS
}

unsafe extern "system" fn vkGetInstanceProcAddr(
    instance: vk::Instance,
    name: *const c_char,
) -> Option<Function> {
    // SAFETY: a C string by the contract of the call.
    let name = unsafe { CStr::from_ptr(name) };
    // The loader asks for this one with an instance that it has yet to make.
    if instance == vk::Instance::null() || name == c"vkCreateInstance" {
        return own(name);
    }
    // SAFETY: alive by the contract of the call.
    let key = unsafe { dispatch::key(instance) };
    // What the driver has not, the layer has not either.
    let next = dispatch::look_up(key, name)?;
    own(name).or(Some(next))
}

unsafe extern "system" fn vkGetDeviceProcAddr(
    device: vk::Device,
    name: *const c_char,
) -> Option<Function> {
    // SAFETY: a C string by the contract of the call.
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: alive by the contract of the call.
    let key = unsafe { dispatch::key(device) };
    let next = dispatch::look_up(key, name)?;
    own(name).or(Some(next))
}
