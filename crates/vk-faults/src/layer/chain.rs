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
#[repr(C)]
pub(super) struct InstanceLink {
    pub(super) next: *mut InstanceLink,
    pub(super) get_instance_proc_addr: GetInstanceProcAddr,
    get_physical_device_proc_addr: Option<GetInstanceProcAddr>,
}

/// `VkLayerDeviceLink`.
#[repr(C)]
pub(super) struct DeviceLink {
    pub(super) next: *mut DeviceLink,
    pub(super) get_instance_proc_addr: GetInstanceProcAddr,
    pub(super) get_device_proc_addr: GetDeviceProcAddr,
}

/// The head of `VkLayerInstanceCreateInfo` and `VkLayerDeviceCreateInfo`,
/// where `function` says that the union holds a link of type `T`.
#[repr(C)]
pub(super) struct LinkInfo<T> {
    kind: vk::StructureType,
    next: *const c_void,
    function: i32,
    pub(super) link: *mut T,
}

/// `VK_LAYER_LINK_INFO`.
const LINK_INFO: i32 = 0;

/// The loader's link in the chain of structures that begins at `first`.
///
/// # Safety
/// `first` is null or begins a chain of Vulkan structures; where one of type
/// `kind` says that it is a link, it is a `LinkInfo<T>`.
pub(super) unsafe fn find_link<T>(
    first: *const c_void,
    kind: vk::StructureType,
) -> Option<*mut LinkInfo<T>> {
    let mut at = first.cast::<vk::BaseInStructure<'_>>();
    // SAFETY: null or a structure, by this function's contract.
    while let Some(head) = unsafe { at.as_ref() } {
        if head.s_type == kind {
            let info = at.cast::<LinkInfo<T>>();
            // SAFETY: every structure of this type begins with these fields.
            if unsafe { (*info).function } == LINK_INFO {
                return Some(info.cast_mut());
            }
        }
        at = head.p_next;
    }
    None
}
