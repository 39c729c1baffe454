//! Instances and devices: made, destroyed, listed, and described otherwise
//! than they are.

use std::ffi::CStr;

use ash::vk::{self, Handle};

use super::calls::{c_name, carry_out, own};
use super::chain::{DeviceLink, InstanceLink, take_link};
use super::dispatch::{self, key, next};
use super::{Alloc, Function, state};

const FAILED: vk::Result = vk::Result::ERROR_INITIALIZATION_FAILED;

unsafe extern "system" fn vkCreateInstance(
    info: *const vk::InstanceCreateInfo<'_>,
    allocator: Alloc<'_>,
    instance: *mut vk::Instance,
) -> vk::Result {
    // SAFETY: valid for reads by the contract of the call.
    let first = unsafe { (*info).p_next };
    let kind = vk::StructureType::LOADER_INSTANCE_CREATE_INFO;
    // SAFETY: the loader's chain, whose link for instances is this one.
    let link: Option<InstanceLink> = unsafe { take_link(first, kind) };
    let Some(link) = link else { return FAILED };
    let lookup = link.get_instance_proc_addr;
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
        // SAFETY: just made.
        let key = unsafe { key(made) };
        // SAFETY: it belongs to this instance, which is alive whenever a function is looked up.
        dispatch::add(key, move |name| unsafe { lookup(made, name.as_ptr()) });
    }
    result
}

unsafe extern "system" fn vkDestroyInstance(instance: vk::Instance, allocator: Alloc<'_>) {
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(instance) };
    // SAFETY: the function of this name has this type.
    let function = unsafe { next::<vk::PFN_vkDestroyInstance>(key, c"vkDestroyInstance") };
    if let Some(function) = function {
        dispatch::remove(key);
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(instance, allocator) };
    }
}

unsafe extern "system" fn vkCreateDevice(
    physical: vk::PhysicalDevice,
    info: *const vk::DeviceCreateInfo<'_>,
    allocator: Alloc<'_>,
    device: *mut vk::Device,
) -> vk::Result {
    // SAFETY: valid for reads by the contract of the call.
    let first = unsafe { (*info).p_next };
    let kind = vk::StructureType::LOADER_DEVICE_CREATE_INFO;
    // SAFETY: the loader's chain, whose link for devices is this one.
    let link: Option<DeviceLink> = unsafe { take_link(first, kind) };
    // SAFETY: alive by the contract of the call.
    let instance = unsafe { key(physical) };
    // SAFETY: the function of this name has this type.
    let create = unsafe { next::<vk::PFN_vkCreateDevice>(instance, c"vkCreateDevice") };
    let (Some(link), Some(create)) = (link, create) else {
        return FAILED;
    };
    let result = carry_out(instance, "vkCreateDevice", 0, || {
        // SAFETY: the caller's arguments, passed on.
        unsafe { create(physical, info, allocator, device) }
    });
    if result == vk::Result::SUCCESS {
        // SAFETY: written by the success.
        let made = unsafe { device.read() };
        // SAFETY: just made.
        let key = unsafe { key(made) };
        let lookup = link.get_other_proc_addr;
        // SAFETY: it belongs to this device, which is alive whenever a function is looked up.
        dispatch::add(key, move |name| unsafe { lookup(made, name.as_ptr()) });
        state().made("device", made.as_raw());
    }
    result
}

unsafe extern "system" fn vkDestroyDevice(device: vk::Device, allocator: Alloc<'_>) {
    // SAFETY: alive by the contract of the call.
    let key = unsafe { key(device) };
    // SAFETY: the function of this name has this type.
    let function = unsafe { next::<vk::PFN_vkDestroyDevice>(key, c"vkDestroyDevice") };
    if let Some(function) = function {
        dispatch::remove(key);
        state().gone("device", device.as_raw());
        state().device_gone(key);
        // SAFETY: the caller's arguments, passed on.
        unsafe { function(device, allocator) };
    }
}

/// Declares wrappers for calls that describe a device, and what changes what they say.
macro_rules! describe {
    ($($name:ident: $type:ty, $change:expr;)*) => {
        $(
            unsafe extern "system" fn $name(physical: vk::PhysicalDevice, found: *mut $type) {
                type Next = unsafe extern "system" fn(vk::PhysicalDevice, *mut $type);
                // SAFETY: alive by the contract of the call.
                let key = unsafe { key(physical) };
                // SAFETY: the function of this name has this type.
                let Some(function) = (unsafe { next::<Next>(key, c_name!($name)) }) else {
                    return;
                };
                // SAFETY: the caller's arguments, passed on.
                unsafe { function(physical, found) };
                let change: unsafe fn(&mut $type) = $change;
                // SAFETY: written by the call above; a chain that was the caller's.
                unsafe { change(&mut *found) };
            }
        )*

        pub(super) const FUNCTIONS: &[(&CStr, Function)] = &[
            own!(vkCreateInstance: vk::PFN_vkCreateInstance),
            own!(vkDestroyInstance: vk::PFN_vkDestroyInstance),
            own!(vkCreateDevice: vk::PFN_vkCreateDevice),
            own!(vkDestroyDevice: vk::PFN_vkDestroyDevice),
            $(own!($name: unsafe extern "system" fn(vk::PhysicalDevice, *mut $type)),)*
        ];
    };
}

describe! {
    vkGetPhysicalDeviceFeatures2: vk::PhysicalDeviceFeatures2<'_>, without_timelines;
    vkGetPhysicalDeviceMemoryProperties: vk::PhysicalDeviceMemoryProperties, without_coherence;
    vkGetPhysicalDeviceMemoryProperties2: vk::PhysicalDeviceMemoryProperties2<'_>,
        |found| without_coherence(&mut found.memory_properties);
}

/// # Safety
/// `features` begins a chain of structures.
unsafe fn without_timelines(features: &mut vk::PhysicalDeviceFeatures2<'_>) {
    use vk::StructureType as Kind;
    if !state().pretence.no_timelines {
        return;
    }
    let mut at = std::ptr::from_mut(features).cast::<vk::BaseOutStructure<'_>>();
    // SAFETY: this function's contract.
    while let Some(head) = unsafe { at.as_mut() } {
        let (next, kind) = (head.p_next, head.s_type);
        if kind == Kind::PHYSICAL_DEVICE_VULKAN_1_2_FEATURES {
            // SAFETY: the type says so.
            let features = unsafe { &mut *at.cast::<vk::PhysicalDeviceVulkan12Features<'_>>() };
            features.timeline_semaphore = vk::FALSE;
        } else if kind == Kind::PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES {
            let at = at.cast::<vk::PhysicalDeviceTimelineSemaphoreFeatures<'_>>();
            // SAFETY: the type says so.
            unsafe { (*at).timeline_semaphore = vk::FALSE };
        }
        at = next;
    }
}

fn without_coherence(properties: &mut vk::PhysicalDeviceMemoryProperties) {
    if state().pretence.incoherent {
        for kind in &mut properties.memory_types {
            kind.property_flags &= !vk::MemoryPropertyFlags::HOST_COHERENT;
        }
    }
}
