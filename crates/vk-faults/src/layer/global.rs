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

/// Declares the layer's function for each of these calls: its own name, that of the call and
/// what it is given behind the chain. What comes after it is given the rest of the chain.
macro_rules! global {
    ($($name:ident = $call:literal($($arg:ident: $type:ty),+);)+) => {
        $(
            /// # Safety
            /// Called by the loader, with its chain and the caller's arguments.
            #[unsafe(no_mangle)]
            pub(crate) unsafe extern "system" fn $name(
                chain: *const Chain<unsafe extern "system" fn(*const (), $($type),+) -> vk::Result>,
                $($arg: $type),+
            ) -> vk::Result {
                // SAFETY: this function's contract.
                let chain = unsafe { &*chain };
                carry_out(0, $call, 0, || {
                    // SAFETY: the caller's arguments, passed on.
                    unsafe { (chain.next)(chain.link.cast(), $($arg),+) }
                })
            }
        )+

        /// The calls of this module, and the functions that the manifest names for them.
        pub(crate) const FUNCTIONS: &[(&str, &str)] = &[$(($call, stringify!($name))),+];
    };
}

global! {
    vk_faults_version = "vkEnumerateInstanceVersion"(version: *mut u32);
    vk_faults_layers = "vkEnumerateInstanceLayerProperties"(
        count: *mut u32, layers: *mut vk::LayerProperties);
    vk_faults_extensions = "vkEnumerateInstanceExtensionProperties"(
        layer: *const c_char, count: *mut u32, extensions: *mut vk::ExtensionProperties);
}
