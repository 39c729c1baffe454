//! Which function comes next, for each instance and device.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::{Arc, Mutex};

use ash::vk::Handle;
use vk_core::lock;

use super::Function;

/// Finds a function of an instance or a device while that is alive.
type Lookup = Box<dyn Fn(&CStr) -> Option<Function> + Send + Sync>;

/// What comes after this layer on an instance or a device.
struct Next {
    lookup: Lookup,
    // Asked for when it was made: on an instance the loader's own lookup
    // answers with the first layer's functions later on.
    functions: BTreeMap<&'static CStr, Function>,
}

// By dispatch key, which a device shares with its queues and command buffers,
// and an instance with its physical devices.
static NEXT: Mutex<BTreeMap<usize, Arc<Next>>> = Mutex::new(BTreeMap::new());

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

/// Adds what was just made, of which `lookup` finds the next functions.
pub(super) fn add(key: usize, lookup: impl Fn(&CStr) -> Option<Function> + Send + Sync + 'static) {
    let own = super::functions().map(|(name, _)| name);
    let next = Next {
        functions: own.filter_map(|name| Some((name, lookup(name)?))).collect(),
        lookup: Box::new(lookup),
    };
    lock(&NEXT).insert(key, Arc::new(next));
}

pub(super) fn remove(key: usize) {
    lock(&NEXT).remove(&key);
}

fn of(key: usize) -> Option<Arc<Next>> {
    lock(&NEXT).get(&key).map(Arc::clone)
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

/// What a lookup of `name` finds behind this layer, of the instance or device that `key` stands
/// for and that is alive.
pub(super) fn look_up(key: usize, name: &CStr) -> Option<Function> {
    (of(key)?.lookup)(name)
}
