//! Which function comes next, for each instance and device.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::{Arc, PoisonError, RwLock};

use ash::vk::{self, Handle};

use super::Function;
use super::chain::{GetDeviceProcAddr, GetInstanceProcAddr};

/// The functions that come after those of this layer.
type Functions = BTreeMap<&'static CStr, Function>;

/// What comes after this layer on an instance or a device.
struct Next {
    lookup: Lookup,
    // Asked for when it was made: on an instance the loader's own lookup
    // answers with the first layer's functions later on.
    functions: Functions,
}

#[derive(Clone, Copy)]
enum Lookup {
    Instance(vk::Instance, GetInstanceProcAddr),
    Device(vk::Device, GetDeviceProcAddr),
}

impl Lookup {
    /// # Safety
    /// The instance or device is alive.
    unsafe fn function(self, name: &CStr) -> Option<Function> {
        match self {
            Self::Instance(instance, lookup) => {
                // SAFETY: this function's contract.
                unsafe { lookup(instance, name.as_ptr()) }
            }
            Self::Device(device, lookup) => {
                // SAFETY: this function's contract.
                unsafe { lookup(device, name.as_ptr()) }
            }
        }
    }
}

// By dispatch key, which a device shares with its queues and command buffers,
// and an instance with its physical devices.
static NEXT: RwLock<BTreeMap<usize, Arc<Next>>> = RwLock::new(BTreeMap::new());

/// The dispatch key of a dispatchable handle.
///
/// # Safety
/// `handle` is alive: it points to an object that begins with the loader's
/// pointer.
pub(super) unsafe fn key(handle: impl Handle) -> usize {
    let object = handle.as_raw() as *const usize;
    // SAFETY: this function's contract.
    unsafe { object.read() }
}

/// # Safety
/// `instance` was just made, and `lookup` belongs to it.
pub(super) unsafe fn add_instance(instance: vk::Instance, lookup: GetInstanceProcAddr) {
    // SAFETY: this function's contract.
    let key = unsafe { key(instance) };
    // SAFETY: as above.
    unsafe { add(key, Lookup::Instance(instance, lookup)) };
}

/// # Safety
/// `device` was just made, and `lookup` belongs to it.
pub(super) unsafe fn add_device(device: vk::Device, lookup: GetDeviceProcAddr) {
    // SAFETY: this function's contract.
    let key = unsafe { key(device) };
    // SAFETY: as above.
    unsafe { add(key, Lookup::Device(device, lookup)) };
}

/// # Safety
/// What `lookup` names is alive.
unsafe fn add(key: usize, lookup: Lookup) {
    let mut functions = Functions::new();
    for (name, _) in super::functions() {
        // SAFETY: this function's contract.
        if let Some(function) = unsafe { lookup.function(name) } {
            functions.insert(name, function);
        }
    }
    let next = Arc::new(Next { lookup, functions });
    let mut table = NEXT.write().unwrap_or_else(PoisonError::into_inner);
    table.insert(key, next);
}

pub(super) fn remove(key: usize) {
    let mut table = NEXT.write().unwrap_or_else(PoisonError::into_inner);
    table.remove(&key);
}

fn of(key: usize) -> Option<Arc<Next>> {
    let table = NEXT.read().unwrap_or_else(PoisonError::into_inner);
    table.get(&key).map(Arc::clone)
}

/// The next function named `name`, one of this layer's, of the instance or
/// device that `key` stands for.
///
/// # Safety
/// `F` is the type of the function of this name.
pub(super) unsafe fn next<F: Copy>(key: usize, name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<Function>()) };
    let function = of(key)?.functions.get(name).copied()?;
    // SAFETY: function pointers of one size; its own type by this function's contract.
    Some(unsafe { std::mem::transmute_copy(&function) })
}

/// What a lookup of `name` finds behind this layer.
///
/// # Safety
/// The instance or device that `key` stands for is alive.
pub(super) unsafe fn look_up(key: usize, name: &CStr) -> Option<Function> {
    let next = of(key)?;
    // SAFETY: this function's contract.
    unsafe { next.lookup.function(name) }
}
