//! Caps of devices that are not at hand: two recorded whole (H200,
//! llvmpipe), the others made from the limits their classes are known for.

use ash::vk::{MemoryPropertyFlags as Memory, QueueFlags, SubgroupFeatureFlags};

use crate::{
    ApiVersion, DeviceCaps, DeviceKind, Features, Limits, MemoryHeap, MemoryType, QueueFamily, Uuid,
};

const DEVICE: Memory = Memory::DEVICE_LOCAL;
const HOST: Memory =
    Memory::from_raw(Memory::HOST_VISIBLE.as_raw() | Memory::HOST_COHERENT.as_raw());
const CACHED: Memory = Memory::from_raw(HOST.as_raw() | Memory::HOST_CACHED.as_raw());

fn kind(heap: usize, flags: Memory) -> MemoryType {
    MemoryType { heap, flags }
}

fn heap(size: u64, device_local: bool) -> MemoryHeap {
    MemoryHeap { size, device_local }
}

fn family(flags: QueueFlags, count: u32, timestamp_bits: u32) -> QueueFamily {
    QueueFamily {
        flags,
        count,
        timestamp_bits,
    }
}

fn all_purpose() -> QueueFlags {
    QueueFlags::GRAPHICS | QueueFlags::COMPUTE | QueueFlags::TRANSFER | QueueFlags::SPARSE_BINDING
}

/// An NVIDIA H200 (driver 580, PCIe 5 x16), recorded 2026-11-22.
#[must_use]
pub fn h200() -> DeviceCaps {
    DeviceCaps {
        name: "NVIDIA H200".to_owned(),
        driver: "NVIDIA 580".to_owned(),
        vendor_device: (0x10de, 0x2335),
        driver_version: 0,
        kind: DeviceKind::Discrete,
        api: ApiVersion::V1_3,
        uuid: Uuid([0x20; 16]),
        pipeline_cache_uuid: Uuid([0x5c; 16]),
        limits: Limits {
            max_storage_buffer_range: 4_294_967_295,
            max_allocation: 0xffe0_0000,
            max_buffer_size: 0xffff_ffff_ffff,
            max_workgroups_x: 2_147_483_647,
            max_workgroup_size_x: 1024,
            max_workgroup_invocations: 1024,
            max_shared_memory: 49_152,
            max_push_constants: 256,
            max_storage_buffers: 1_048_576,
            storage_buffer_alignment: 16,
            non_coherent_atom: 64,
            timestamp_period: 1.0,
        },
        features: Features::all(),
        heaps: vec![heap(150_800_000_000, true), heap(101_000_000_000, false)],
        memory_types: vec![
            kind(1, Memory::empty()),
            kind(0, DEVICE),
            kind(1, HOST),
            kind(1, CACHED),
            kind(0, DEVICE | HOST),
        ],
        queue_families: vec![
            family(all_purpose(), 16, 64),
            family(QueueFlags::TRANSFER | QueueFlags::SPARSE_BINDING, 2, 64),
            family(
                QueueFlags::COMPUTE | QueueFlags::TRANSFER | QueueFlags::SPARSE_BINDING,
                8,
                64,
            ),
            family(QueueFlags::TRANSFER | QueueFlags::VIDEO_DECODE_KHR, 7, 32),
            family(QueueFlags::TRANSFER | QueueFlags::OPTICAL_FLOW_NV, 1, 64),
        ],
    }
}

/// Mesa's llvmpipe 22.3.6, recorded 2026-11-22.
#[must_use]
pub fn llvmpipe() -> DeviceCaps {
    DeviceCaps {
        name: "llvmpipe (LLVM 15.0.6, 256 bits)".to_owned(),
        driver: "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)".to_owned(),
        vendor_device: (0x10005, 0),
        driver_version: 1,
        kind: DeviceKind::Software,
        api: ApiVersion::V1_3,
        uuid: Uuid(*b"mesa22.3.6\0\0\0\0\0\0"),
        pipeline_cache_uuid: Uuid(*b"val-%s\0\0\0\0\0\0\0\0\0\0"),
        limits: Limits {
            max_storage_buffer_range: 128 << 20,
            max_allocation: 2 << 30,
            max_buffer_size: 1 << 32,
            max_workgroups_x: 65_535,
            max_workgroup_size_x: 1024,
            max_workgroup_invocations: 1024,
            max_shared_memory: 32_768,
            max_push_constants: 256,
            max_storage_buffers: 32,
            storage_buffer_alignment: 16,
            non_coherent_atom: 64,
            timestamp_period: 1.0,
        },
        features: Features {
            shader_float16: false,
            subgroup_operations: SubgroupFeatureFlags::BASIC
                | SubgroupFeatureFlags::VOTE
                | SubgroupFeatureFlags::ARITHMETIC
                | SubgroupFeatureFlags::BALLOT,
            ..Features::all()
        },
        heaps: vec![heap(2 << 30, true)],
        memory_types: vec![kind(0, DEVICE | CACHED)],
        queue_families: vec![family(
            QueueFlags::GRAPHICS | QueueFlags::COMPUTE | QueueFlags::TRANSFER,
            1,
            64,
        )],
    }
}

/// An integrated GPU: one heap that is device-local, write-combined and
/// cached types apart, no 64-bit integers in shaders.
#[must_use]
pub fn integrated() -> DeviceCaps {
    DeviceCaps {
        name: "Integrated Graphics".to_owned(),
        driver: "Mesa".to_owned(),
        kind: DeviceKind::Integrated,
        uuid: Uuid([0x16; 16]),
        heaps: vec![heap(8 << 30, true)],
        memory_types: vec![
            kind(0, DEVICE),
            kind(0, DEVICE | HOST),
            kind(0, DEVICE | CACHED),
        ],
        features: Features {
            shader_int64: false,
            ..Features::all()
        },
        ..llvmpipe()
    }
}

/// A unified device without any `HOST_CACHED` type (as on a Raspberry Pi).
#[must_use]
pub fn uncached() -> DeviceCaps {
    DeviceCaps {
        name: "Uncached".to_owned(),
        uuid: Uuid([0x0c; 16]),
        memory_types: vec![kind(0, DEVICE | HOST)],
        ..integrated()
    }
}

/// A discrete GPU whose device memory is visible to the host through a BAR
/// of 256 MiB only, on a heap of its own.
#[must_use]
pub fn small_bar() -> DeviceCaps {
    DeviceCaps {
        name: "Small BAR".to_owned(),
        uuid: Uuid([0x5b; 16]),
        heaps: vec![
            heap(8 << 30, true),
            heap(16 << 30, false),
            heap(256 << 20, true),
        ],
        memory_types: vec![
            kind(0, DEVICE),
            kind(2, DEVICE | HOST),
            kind(1, HOST),
            kind(1, CACHED),
        ],
        ..h200()
    }
}
