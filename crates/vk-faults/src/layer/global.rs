//! The calls that need no instance. The loader links these in another way, and
//! for implicit layers alone.

use std::ffi::c_char;

use ash::vk;

use super::calls::carry_out;

/// `VkChainHeader`.
#[repr(C)]
struct ChainHeader {
    kind: i32,
    version: u32,
    size: u32,
}

/// `VkEnumerateInstance...Chain`, whose next function is of type `F`.
#[repr(C)]
pub(crate) struct Chain<F> {
    header: ChainHeader,
    next: F,
    link: *const Chain<F>,
}

/// What comes after this layer in a chain.
///
/// # Safety
/// `chain` is the loader's, valid for reads.
unsafe fn after<F: Copy>(chain: *const Chain<F>) -> (F, *const Chain<F>) {
    // SAFETY: this function's contract.
    let chain = unsafe { &*chain };
    (chain.next, chain.link)
}

/// The type of vkEnumerateInstanceVersion after this layer; the chain is
/// passed on as it is.
type Version = unsafe extern "system" fn(*const (), *mut u32) -> vk::Result;
type Layers =
    unsafe extern "system" fn(*const (), *mut u32, *mut vk::LayerProperties) -> vk::Result;
type Extensions = unsafe extern "system" fn(
    *const (),
    *const c_char,
    *mut u32,
    *mut vk::ExtensionProperties,
) -> vk::Result;

/// # Safety
/// Called by the loader, with the caller's arguments.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn vk_faults_version(
    chain: *const Chain<Version>,
    version: *mut u32,
) -> vk::Result {
    // SAFETY: this function's contract.
    let (next, link) = unsafe { after(chain) };
    carry_out(0, "vkEnumerateInstanceVersion", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { next(link.cast(), version) }
    })
}

/// # Safety
/// Called by the loader, with the caller's arguments.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn vk_faults_layers(
    chain: *const Chain<Layers>,
    count: *mut u32,
    layers: *mut vk::LayerProperties,
) -> vk::Result {
    // SAFETY: this function's contract.
    let (next, link) = unsafe { after(chain) };
    carry_out(0, "vkEnumerateInstanceLayerProperties", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { next(link.cast(), count, layers) }
    })
}

/// # Safety
/// Called by the loader, with the caller's arguments.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn vk_faults_extensions(
    chain: *const Chain<Extensions>,
    layer: *const c_char,
    count: *mut u32,
    extensions: *mut vk::ExtensionProperties,
) -> vk::Result {
    // SAFETY: this function's contract.
    let (next, link) = unsafe { after(chain) };
    carry_out(0, "vkEnumerateInstanceExtensionProperties", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { next(link.cast(), layer, count, extensions) }
    })
}

/// The calls of this module, and the functions that the manifest names for them.
pub(crate) const FUNCTIONS: [(&str, &str); 3] = [
    ("vkEnumerateInstanceVersion", "vk_faults_version"),
    ("vkEnumerateInstanceLayerProperties", "vk_faults_layers"),
    (
        "vkEnumerateInstanceExtensionProperties",
        "vk_faults_extensions",
    ),
];
