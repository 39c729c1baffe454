//! The structures by which the loader links layers (`vk_layer.h`).

use std::ffi::{c_char, c_void};

use ash::vk;

use super::Function;

pub(super) type GetInstanceProcAddr =
    unsafe extern "system" fn(vk::Instance, *const c_char) -> Option<Function>;
pub(super) type GetDeviceProcAddr =
    unsafe extern "system" fn(vk::Device, *const c_char) -> Option<Function>;

/// `VkNegotiateLayerInterface`.
#[repr(C)]
pub struct NegotiateInterface {
    kind: i32,
    next: *mut c_void,
    pub(super) version: u32,
    pub(super) get_instance_proc_addr: Option<GetInstanceProcAddr>,
    pub(super) get_device_proc_addr: Option<GetDeviceProcAddr>,
    pub(super) get_physical_device_proc_addr: Option<GetInstanceProcAddr>,
}

/// `VkLayerInstanceLink`.
pub(super) type InstanceLink = Link<Option<GetInstanceProcAddr>>;
/// `VkLayerDeviceLink`.
pub(super) type DeviceLink = Link<GetDeviceProcAddr>;

/// What comes after this layer.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Link<T> {
    next: *mut Link<T>,
    pub(super) get_instance_proc_addr: GetInstanceProcAddr,
    /// On an instance of the physical devices, which may have none.
    pub(super) get_other_proc_addr: T,
}

/// The head of `VkLayerInstanceCreateInfo` and `VkLayerDeviceCreateInfo`,
/// where `function` says that the union holds a link.
#[repr(C)]
struct LinkInfo<T> {
    kind: vk::StructureType,
    next: *const c_void,
    function: i32,
    link: *mut Link<T>,
}

/// `VK_LAYER_LINK_INFO`.
const LINK_INFO: i32 = 0;

/// The loader's link in the chain of structures that begins at `first`; the next layer
/// finds its own in its place.
///
/// # Safety
/// `first` is null or begins the loader's chain of Vulkan structures for a call, where one
/// of type `kind` that says that it is a link is a `LinkInfo<T>`.
pub(super) unsafe fn take_link<T: Copy>(
    first: *const c_void,
    kind: vk::StructureType,
) -> Option<Link<T>> {
    let mut at = first.cast::<vk::BaseInStructure<'_>>();
    // SAFETY: null or a structure, by this function's contract.
    while let Some(head) = unsafe { at.as_ref() } {
        if head.s_type == kind {
            // SAFETY: every structure of this type begins with these fields, and the loader
            // lets layers change it.
            let info = unsafe { &mut *at.cast::<LinkInfo<T>>().cast_mut() };
            if info.function == LINK_INFO {
                // SAFETY: a link, which the loader keeps for the call.
                let link = unsafe { *info.link };
                info.link = link.next;
                return Some(link);
            }
        }
        at = head.p_next;
    }
    None
}
