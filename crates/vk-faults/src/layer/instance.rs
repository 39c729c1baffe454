//! Instances and devices: made, destroyed, listed, and described otherwise
//! than they are.

#![expect(
    non_snake_case,
    reason = "the wrappers are named as the calls they stand for"
)]

use std::ffi::{CStr, c_char};

use ash::vk::{self, Handle};

use super::calls::carry_out;
use super::chain::{DeviceLink, InstanceLink, find_link};
use super::dispatch::{self, key, next};
use super::{Function, state};
use crate::control;

const FAILED: vk::Result = vk::Result::ERROR_INITIALIZATION_FAILED;

unsafe extern "system" fn vkCreateInstance(
    info: *const vk::InstanceCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    instance: *mut vk::Instance,
) -> vk::Result {
    // SAFETY: valid for reads by the contract of the call.
    let first = unsafe { (*info).p_next };
    let kind = vk::StructureType::LOADER_INSTANCE_CREATE_INFO;
    // SAFETY: the loader's chain, whose link for instances is this one.
    let Some(link_info) = (unsafe { find_link::<InstanceLink>(first, kind) }) else {
        return FAILED;
    };
    // SAFETY: found above; the loader keeps it for the call.
    let link = unsafe { (*link_info).link };
    // SAFETY: as above.
    let lookup = unsafe { (*link).get_instance_proc_addr };
    // SAFETY: as above.
    let after = unsafe { (*link).next };
    // SAFETY: as above; the next layer finds its own link in its place.
    unsafe { (*link_info).link = after };
    // SAFETY: no instance is needed to look this function up.
    let create = unsafe { lookup(vk::Instance::null(), c"vkCreateInstance".as_ptr()) };
    let Some(create) = create else { return FAILED };
    // SAFETY: the function of this name has this type.
    let create = unsafe { std::mem::transmute::<Function, vk::PFN_vkCreateInstance>(create) };
    let result = carry_out(0, "vkCreateInstance", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { create(info, allocator, instance) }
    });
    if result == vk::Result::SUCCESS {
        // SAFETY: written by the success.
        let made = unsafe { instance.read() };
        // SAFETY: just made, by what this lookup found.
        unsafe { dispatch::add_instance(made, lookup) };
    }
    result
}

unsafe extern "system" fn vkDestroyInstance(
    instance: vk::Instance,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(instance) };
    if let Some(function) = next(key, c"vkDestroyInstance") {
        dispatch::remove(key);
        // SAFETY: the function of this name has this type.
        let function =
            unsafe { std::mem::transmute::<Function, vk::PFN_vkDestroyInstance>(function) };
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(instance, allocator) };
    }
}

unsafe extern "system" fn vkCreateDevice(
    physical: vk::PhysicalDevice,
    info: *const vk::DeviceCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    device: *mut vk::Device,
) -> vk::Result {
    // SAFETY: valid for reads by the contract of the call.
    let first = unsafe { (*info).p_next };
    let kind = vk::StructureType::LOADER_DEVICE_CREATE_INFO;
    // SAFETY: the loader's chain, whose link for devices is this one.
    let Some(link_info) = (unsafe { find_link::<DeviceLink>(first, kind) }) else {
        return FAILED;
    };
    // SAFETY: found above; the loader keeps it for the call.
    let link = unsafe { (*link_info).link };
    // SAFETY: as above.
    let lookup = unsafe { (*link).get_device_proc_addr };
    // SAFETY: as above.
    let after = unsafe { (*link).next };
    // SAFETY: as above; the next layer finds its own link in its place.
    unsafe { (*link_info).link = after };
    // SAFETY: alive by the contract of the call.
    let instance = unsafe { key(physical) };
    let Some(create) = next(instance, c"vkCreateDevice") else {
        return FAILED;
    };
    // SAFETY: the function of this name has this type.
    let create = unsafe { std::mem::transmute::<Function, vk::PFN_vkCreateDevice>(create) };
    let result = carry_out(instance, "vkCreateDevice", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { create(physical, info, allocator, device) }
    });
    if result == vk::Result::SUCCESS {
        // SAFETY: written by the success.
        let made = unsafe { device.read() };
        // SAFETY: just made, through this link.
        unsafe { dispatch::add_device(made, lookup) };
        state().made("device", made.as_raw());
    }
    result
}

unsafe extern "system" fn vkDestroyDevice(
    device: vk::Device,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(device) };
    if let Some(function) = next(key, c"vkDestroyDevice") {
        dispatch::remove(key);
        state().gone("device", device.as_raw());
        state().device_gone(key);
        // SAFETY: the function of this name has this type.
        let function =
            unsafe { std::mem::transmute::<Function, vk::PFN_vkDestroyDevice>(function) };
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, allocator) };
        control::write_report();
    }
}

unsafe extern "system" fn vkEnumeratePhysicalDevices(
    instance: vk::Instance,
    count: *mut u32,
    devices: *mut vk::PhysicalDevice,
) -> vk::Result {
    type Next = vk::PFN_vkEnumeratePhysicalDevices;
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(instance) };
    let Some(function) = next(key, c"vkEnumeratePhysicalDevices") else {
        return FAILED;
    };
    // SAFETY: the function of this name has this type.
    let function = unsafe { std::mem::transmute::<Function, Next>(function) };
    carry_out(key, "vkEnumeratePhysicalDevices", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(instance, count, devices) }
    })
}

unsafe extern "system" fn vkEnumerateDeviceExtensionProperties(
    physical: vk::PhysicalDevice,
    layer: *const c_char,
    count: *mut u32,
    properties: *mut vk::ExtensionProperties,
) -> vk::Result {
    type Next = vk::PFN_vkEnumerateDeviceExtensionProperties;
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(physical) };
    let Some(function) = next(key, c"vkEnumerateDeviceExtensionProperties") else {
        return FAILED;
    };
    // SAFETY: the function of this name has this type.
    let function = unsafe { std::mem::transmute::<Function, Next>(function) };
    carry_out(key, "vkEnumerateDeviceExtensionProperties", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(physical, layer, count, properties) }
    })
}

unsafe extern "system" fn vkGetPhysicalDeviceFeatures2(
    physical: vk::PhysicalDevice,
    features: *mut vk::PhysicalDeviceFeatures2<'_>,
) {
    type Next = vk::PFN_vkGetPhysicalDeviceFeatures2;
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(physical) };
    let Some(function) = next(key, c"vkGetPhysicalDeviceFeatures2") else {
        return;
    };
    // SAFETY: the function of this name has this type.
    let function = unsafe { std::mem::transmute::<Function, Next>(function) };
    // SAFETY: the caller's arguments, passed on.
    unsafe { function(physical, features) };
    if !state().pretence.no_timelines {
        return;
    }
    let mut at = features.cast::<vk::BaseOutStructure<'_>>();
    // SAFETY: the caller's chain of structures.
    while let Some(head) = unsafe { at.as_mut() } {
        match head.s_type {
            vk::StructureType::PHYSICAL_DEVICE_VULKAN_1_2_FEATURES => {
                let features = at.cast::<vk::PhysicalDeviceVulkan12Features<'_>>();
                // SAFETY: the type says so.
                unsafe { (*features).timeline_semaphore = vk::FALSE };
            }
            vk::StructureType::PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES => {
                let features = at.cast::<vk::PhysicalDeviceTimelineSemaphoreFeatures<'_>>();
                // SAFETY: the type says so.
                unsafe { (*features).timeline_semaphore = vk::FALSE };
            }
            _ => {}
        }
        at = head.p_next;
    }
}

unsafe extern "system" fn vkGetPhysicalDeviceMemoryProperties(
    physical: vk::PhysicalDevice,
    properties: *mut vk::PhysicalDeviceMemoryProperties,
) {
    type Next = vk::PFN_vkGetPhysicalDeviceMemoryProperties;
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(physical) };
    let Some(function) = next(key, c"vkGetPhysicalDeviceMemoryProperties") else {
        return;
    };
    // SAFETY: the function of this name has this type.
    let function = unsafe { std::mem::transmute::<Function, Next>(function) };
    // SAFETY: the caller's arguments, passed on.
    unsafe { function(physical, properties) };
    // SAFETY: written by the call above.
    without_coherence(unsafe { &mut *properties });
}

unsafe extern "system" fn vkGetPhysicalDeviceMemoryProperties2(
    physical: vk::PhysicalDevice,
    properties: *mut vk::PhysicalDeviceMemoryProperties2<'_>,
) {
    type Next = vk::PFN_vkGetPhysicalDeviceMemoryProperties2;
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(physical) };
    let Some(function) = next(key, c"vkGetPhysicalDeviceMemoryProperties2") else {
        return;
    };
    // SAFETY: the function of this name has this type.
    let function = unsafe { std::mem::transmute::<Function, Next>(function) };
    // SAFETY: the caller's arguments, passed on.
    unsafe { function(physical, properties) };
    // SAFETY: written by the call above.
    without_coherence(unsafe { &mut (*properties).memory_properties });
}

fn without_coherence(properties: &mut vk::PhysicalDeviceMemoryProperties) {
    if state().pretence.incoherent {
        for kind in &mut properties.memory_types {
            kind.property_flags &= !vk::MemoryPropertyFlags::HOST_COHERENT;
        }
    }
}

/// The names of the functions here.
pub(super) const NAMES: &[&CStr] = &[
    c"vkDestroyInstance",
    c"vkCreateDevice",
    c"vkDestroyDevice",
    c"vkEnumeratePhysicalDevices",
    c"vkEnumerateDeviceExtensionProperties",
    c"vkGetPhysicalDeviceFeatures2",
    c"vkGetPhysicalDeviceMemoryProperties",
    c"vkGetPhysicalDeviceMemoryProperties2",
];

/// The layer's own function named `name`.
pub(super) fn wrapper(name: &CStr) -> Option<Function> {
    macro_rules! own {
        ($function:ident: $type:ident) => {
            // SAFETY: it is called by its own type, which its name says.
            Some(unsafe { std::mem::transmute::<vk::$type, Function>($function) })
        };
    }
    match name.to_bytes() {
        b"vkCreateInstance" => own!(vkCreateInstance: PFN_vkCreateInstance),
        b"vkDestroyInstance" => own!(vkDestroyInstance: PFN_vkDestroyInstance),
        b"vkCreateDevice" => own!(vkCreateDevice: PFN_vkCreateDevice),
        b"vkDestroyDevice" => own!(vkDestroyDevice: PFN_vkDestroyDevice),
        b"vkEnumeratePhysicalDevices" => {
            own!(vkEnumeratePhysicalDevices: PFN_vkEnumeratePhysicalDevices)
        }
        b"vkEnumerateDeviceExtensionProperties" => own!(
            vkEnumerateDeviceExtensionProperties: PFN_vkEnumerateDeviceExtensionProperties
        ),
        b"vkGetPhysicalDeviceFeatures2" => {
            own!(vkGetPhysicalDeviceFeatures2: PFN_vkGetPhysicalDeviceFeatures2)
        }
        b"vkGetPhysicalDeviceMemoryProperties" => {
            own!(vkGetPhysicalDeviceMemoryProperties: PFN_vkGetPhysicalDeviceMemoryProperties)
        }
        b"vkGetPhysicalDeviceMemoryProperties2" => {
            own!(vkGetPhysicalDeviceMemoryProperties2: PFN_vkGetPhysicalDeviceMemoryProperties2)
        }
        _ => None,
    }
}
