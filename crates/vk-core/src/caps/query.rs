//! Fills a [`DeviceCaps`] from a physical device.

use std::ffi::CStr;

use ash::vk;

use super::{
    ApiVersion, DeviceCaps, DeviceKind, Features, Limits, MemoryHeap, MemoryType, QueueFamily, Uuid,
};

/// Captures `physical`; `instance_api` is the version the instance was made for.
///
/// `None` for a device that offers less than Vulkan 1.1.
pub(crate) fn query(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    instance_api: ApiVersion,
) -> Option<DeviceCaps> {
    // SAFETY: `physical` was enumerated from `instance` by the caller.
    let base = unsafe { instance.get_physical_device_properties(physical) };
    let api = ApiVersion(base.api_version.min(instance_api.0));
    if api < ApiVersion::V1_1 {
        return None;
    }
    let mut id = vk::PhysicalDeviceIDProperties::default();
    let mut maintenance3 = vk::PhysicalDeviceMaintenance3Properties::default();
    let mut subgroup = vk::PhysicalDeviceSubgroupProperties::default();
    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    let mut maintenance4 = vk::PhysicalDeviceMaintenance4Properties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default()
        .push_next(&mut id)
        .push_next(&mut maintenance3)
        .push_next(&mut subgroup);
    if api >= ApiVersion::V1_2 {
        properties = properties.push_next(&mut driver);
    }
    if api >= ApiVersion::V1_3 {
        properties = properties.push_next(&mut maintenance4);
    }
    // SAFETY: as above; every chained struct is of a version that `api` covers.
    unsafe { instance.get_physical_device_properties2(physical, &mut properties) };

    // SAFETY: `physical` belongs to `instance`.
    let memory = unsafe { instance.get_physical_device_memory_properties(physical) };
    // SAFETY: `physical` belongs to `instance`.
    let families = unsafe { instance.get_physical_device_queue_family_properties(physical) };

    let (heaps, types) = (
        memory.memory_heaps_as_slice(),
        memory.memory_types_as_slice(),
    );
    let heap = |heap: &vk::MemoryHeap| MemoryHeap {
        size: heap.size,
        device_local: heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL),
    };
    let kind_of_memory = |kind: &vk::MemoryType| MemoryType {
        heap: kind.heap_index as usize,
        flags: kind.property_flags,
    };
    let family = |family: &vk::QueueFamilyProperties| QueueFamily {
        flags: family.queue_flags,
        count: family.queue_count,
        timestamp_bits: family.timestamp_valid_bits,
    };
    Some(DeviceCaps {
        name: text(&base.device_name),
        driver: driver_text(&driver, base.driver_version),
        vendor_device: (base.vendor_id, base.device_id),
        driver_version: base.driver_version,
        kind: kind(base.device_type),
        api,
        uuid: Uuid(id.device_uuid),
        pipeline_cache_uuid: Uuid(base.pipeline_cache_uuid),
        limits: limits(&base.limits, &maintenance3, &maintenance4),
        features: Features::query(instance, physical, api, &subgroup),
        heaps: heaps.iter().map(heap).collect(),
        memory_types: types.iter().map(kind_of_memory).collect(),
        queue_families: families.iter().map(family).collect(),
    })
}

fn text(raw: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = raw.iter().map(|&c| c.cast_unsigned()).collect();
    CStr::from_bytes_until_nul(&bytes)
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn driver_text(driver: &vk::PhysicalDeviceDriverProperties<'_>, version: u32) -> String {
    let (name, info) = (text(&driver.driver_name), text(&driver.driver_info));
    match (name.is_empty(), info.is_empty()) {
        (true, _) => format!("driver version {version:#x}"),
        (false, true) => name,
        (false, false) => format!("{name} {info}"),
    }
}

fn kind(raw: vk::PhysicalDeviceType) -> DeviceKind {
    match raw {
        vk::PhysicalDeviceType::DISCRETE_GPU => DeviceKind::Discrete,
        vk::PhysicalDeviceType::INTEGRATED_GPU => DeviceKind::Integrated,
        vk::PhysicalDeviceType::VIRTUAL_GPU => DeviceKind::Virtual,
        vk::PhysicalDeviceType::CPU => DeviceKind::Software,
        _ => DeviceKind::Other,
    }
}

fn limits(
    raw: &vk::PhysicalDeviceLimits,
    maintenance3: &vk::PhysicalDeviceMaintenance3Properties<'_>,
    maintenance4: &vk::PhysicalDeviceMaintenance4Properties<'_>,
) -> Limits {
    Limits {
        max_storage_buffer_range: u64::from(raw.max_storage_buffer_range),
        max_allocation: maintenance3.max_memory_allocation_size,
        // Still 0 where the device was not asked.
        max_buffer_size: match maintenance4.max_buffer_size {
            0 => u64::MAX,
            most => most,
        },
        max_workgroups_x: raw.max_compute_work_group_count[0],
        max_workgroup_size_x: raw.max_compute_work_group_size[0],
        max_workgroup_invocations: raw.max_compute_work_group_invocations,
        max_shared_memory: raw.max_compute_shared_memory_size,
        max_push_constants: raw.max_push_constants_size,
        max_storage_buffers: raw
            .max_per_stage_descriptor_storage_buffers
            .min(raw.max_descriptor_set_storage_buffers)
            .min(raw.max_per_stage_resources),
        storage_buffer_alignment: raw.min_storage_buffer_offset_alignment.max(1),
        non_coherent_atom: raw.non_coherent_atom_size.max(1),
        timestamp_period: raw.timestamp_period,
    }
}
