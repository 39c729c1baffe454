//! What a device can do, captured once as a plain value.
//!
//! Every choice in this workspace (device, queue, memory type, path, chunk)
//! is a pure function over [`DeviceCaps`], so it can be tested against the
//! recorded caps of devices that are not at hand.

mod features;
mod query;

use std::fmt;

use ash::vk;

use crate::Error;
pub use features::Features;
pub(crate) use query::query;

/// A Vulkan version, ordered; printed as `major.minor.patch`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(pub u32);

impl ApiVersion {
    /// Vulkan 1.1, the least this library works with.
    pub const V1_1: Self = Self(vk::API_VERSION_1_1);
    /// Vulkan 1.2: timeline semaphores are core.
    pub const V1_2: Self = Self(vk::API_VERSION_1_2);
    /// Vulkan 1.3, the most this library asks for.
    pub const V1_3: Self = Self(vk::API_VERSION_1_3);
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        let (major, minor) = (vk::api_version_major(v), vk::api_version_minor(v));
        write!(f, "{major}.{minor}.{}", vk::api_version_patch(v))
    }
}

impl fmt::Debug for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A UUID of a device or driver, printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What sort of device it is, in order of preference.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    /// A GPU with memory of its own, behind a bus.
    Discrete,
    /// A GPU that shares the host's memory.
    Integrated,
    /// A GPU passed through or emulated by a hypervisor.
    Virtual,
    /// A kind that Vulkan has no word for.
    Other,
    /// The host's processor, such as llvmpipe.
    Software,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Other => "other device",
            Self::Software => "software device",
        })
    }
}

/// Everything that a choice may depend on, captured from one physical device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceCaps {
    /// The device's name, as the driver reports it.
    pub name: String,
    /// The driver's name and version, as the driver reports them.
    pub driver: String,
    /// `vendorID` and `deviceID`.
    pub vendor_device: (u32, u32),
    /// The driver's raw version number.
    pub driver_version: u32,
    /// Discrete, integrated, virtual or software.
    pub kind: DeviceKind,
    /// The version usable here: the least of loader, device and 1.3.
    pub api: ApiVersion,
    /// Identifies the device across drivers and processes.
    pub uuid: Uuid,
    /// `pipelineCacheUUID`: tells whose pipeline cache data the driver takes.
    pub pipeline_cache_uuid: Uuid,
    /// Size limits.
    pub limits: Limits,
    /// Optional features, as far as this library can use them.
    pub features: Features,
    /// Memory heaps.
    pub heaps: Vec<MemoryHeap>,
    /// Memory types, in the driver's order.
    pub memory_types: Vec<MemoryType>,
    /// Queue families, in the driver's order.
    pub queue_families: Vec<QueueFamily>,
}

impl DeviceCaps {
    /// Whether device memory and host memory are one: every heap is
    /// device-local, so copying into "device memory" gains nothing.
    #[must_use]
    pub fn unified_memory(&self) -> bool {
        self.heaps.iter().all(|heap| heap.device_local)
    }

    /// Checks that each of so many things is no more than what the device takes of it at most.
    pub(crate) fn expect_at_most(&self, rows: &[(u32, u32, &str)]) -> Result<(), Error> {
        match rows.iter().find(|(needed, most, _)| needed > most) {
            Some((needed, most, what)) => Err(Error::unsupported(
                what.replace("{}", &needed.to_string()),
                format!("{most} at most on {}", self.name),
            )),
            None => Ok(()),
        }
    }
}

/// Size limits of a device (`VkPhysicalDeviceLimits` and its extensions).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Largest range of one storage buffer binding, in bytes.
    pub max_storage_buffer_range: u64,
    /// Largest single memory allocation, in bytes.
    pub max_allocation: u64,
    /// Largest buffer, in bytes; `u64::MAX` where the device does not say
    /// (before Vulkan 1.3).
    pub max_buffer_size: u64,
    /// Most workgroups of one dispatch along x.
    pub max_workgroups_x: u32,
    /// Largest workgroup along x, in invocations.
    pub max_workgroup_size_x: u32,
    /// Most invocations of one workgroup.
    pub max_workgroup_invocations: u32,
    /// Shared memory of one workgroup, in bytes.
    pub max_shared_memory: u32,
    /// Largest push constant block, in bytes.
    pub max_push_constants: u32,
    /// Most storage buffers that one compute shader can use.
    pub max_storage_buffers: u32,
    /// Alignment of a storage buffer binding's offset, in bytes.
    pub storage_buffer_alignment: u64,
    /// Granularity of flushes and invalidations, in bytes.
    pub non_coherent_atom: u64,
    /// Nanoseconds per timestamp tick.
    pub timestamp_period: f32,
}

/// One memory heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryHeap {
    /// Size in bytes.
    pub size: u64,
    /// Whether this is the device's own memory.
    pub device_local: bool,
}

/// One memory type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryType {
    /// Index into [`DeviceCaps::heaps`].
    pub heap: usize,
    /// Property flags.
    pub flags: vk::MemoryPropertyFlags,
}

/// One queue family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFamily {
    /// What its queues can do.
    pub flags: vk::QueueFlags,
    /// How many queues it has.
    pub count: u32,
    /// Valid bits of a timestamp written here; 0 means none can be written.
    pub timestamp_bits: u32,
}
