//! The Vulkan layer: what the loader calls, and what it finds behind.
//!
//! # Safety
//!
//! Every function here is called by the loader or by a program through it, and
//! relies on what the Vulkan specification asks of them: handles are alive,
//! pointers point to what their types say, and names are C strings.

mod calls;
mod chain;
mod dispatch;
pub(crate) mod global;
mod instance;
mod objects;

use std::ffi::{CStr, c_char};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use ash::vk;

use crate::state::State;

/// The layer's name, as the loader knows it.
pub const LAYER_NAME: &str = "VK_LAYER_GPU_EXECUTOR_faults";

/// The layer's memory, one for the process.
pub(crate) fn state() -> MutexGuard<'static, State> {
    static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);
    // Every change is a single step, so a panic elsewhere left it whole.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the layer has a function of its own named `name`.
pub(crate) fn intercepts(name: &str) -> bool {
    let mut global = global::FUNCTIONS.iter().map(|(call, _)| call.as_bytes());
    global.any(|call| call == name.as_bytes())
        || functions().any(|(call, _)| call.to_bytes() == name.as_bytes())
}

/// The layer's functions by their names.
fn functions() -> impl Iterator<Item = (&'static CStr, Function)> {
    let all = [calls::FUNCTIONS, objects::FUNCTIONS, instance::FUNCTIONS];
    all.into_iter().flatten().copied()
}

fn own(name: &CStr) -> Option<Function> {
    let mut functions = functions();
    Some(functions.find(|(own, _)| *own == name)?.1)
}

/// A function of unknown type, as the loader hands it around.
type Function = unsafe extern "system" fn();

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
    interface.get_instance_proc_addr = Some(get_instance_proc_addr);
    interface.get_device_proc_addr = Some(get_device_proc_addr);
    interface.get_physical_device_proc_addr = None;
    vk::Result::SUCCESS
}

unsafe extern "system" fn get_instance_proc_addr(
    instance: vk::Instance,
    name: *const c_char,
) -> Option<Function> {
    // SAFETY: a C string by the contract of the call.
    let name = unsafe { CStr::from_ptr(name) };
    let own = || match name.to_bytes() {
        b"vkGetInstanceProcAddr" => Some(erase_instance(get_instance_proc_addr)),
        b"vkGetDeviceProcAddr" => Some(erase_device(get_device_proc_addr)),
        _ => own(name),
    };
    // The loader asks for this one with an instance that it has yet to make.
    if instance == vk::Instance::null() || name == c"vkCreateInstance" {
        return own();
    }
    // SAFETY: alive by the contract of the call.
    let key = unsafe { dispatch::key(instance) };
    // SAFETY: as above.
    let next = unsafe { dispatch::look_up(key, name) };
    // What the driver has not, the layer has not either.
    next.and_then(|next| own().or(Some(next)))
}

unsafe extern "system" fn get_device_proc_addr(
    device: vk::Device,
    name: *const c_char,
) -> Option<Function> {
    // SAFETY: a C string by the contract of the call.
    let name = unsafe { CStr::from_ptr(name) };
    if name == c"vkGetDeviceProcAddr" {
        return Some(erase_device(get_device_proc_addr));
    }
    // SAFETY: alive by the contract of the call.
    let key = unsafe { dispatch::key(device) };
    // SAFETY: as above.
    let next = unsafe { dispatch::look_up(key, name) }?;
    own(name).or(Some(next))
}

fn erase_instance(
    function: unsafe extern "system" fn(vk::Instance, *const c_char) -> Option<Function>,
) -> Function {
    // SAFETY: function pointers of one size; it is called by its own type.
    unsafe { std::mem::transmute(function) }
}

fn erase_device(
    function: unsafe extern "system" fn(vk::Device, *const c_char) -> Option<Function>,
) -> Function {
    // SAFETY: as for `erase_instance`.
    unsafe { std::mem::transmute(function) }
}
