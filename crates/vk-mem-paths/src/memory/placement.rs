//! Which memory type serves which purpose: a pure function over the caps.

use std::fmt;

use vk_core::DeviceCaps;
use vk_core::ash::vk::MemoryPropertyFlags as Flags;

/// What a buffer's memory is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryUse {
    /// Touched by the device alone.
    Device,
    /// Written by the host, read by the device.
    Upload,
    /// Device memory that the host writes, through the bus.
    Bar,
    /// Written by the device, read by the host.
    Readback,
}

impl fmt::Display for MemoryUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device => "device memory",
            Self::Upload => "upload memory",
            Self::Bar => "device memory that is wholly host-visible",
            Self::Readback => "readback memory",
        })
    }
}

/// The memory types that can serve `purpose`, best first, as indices into
/// [`DeviceCaps::memory_types`]; empty where none can.
///
/// - Device: device-local is required; a type the host cannot see is better,
///   since the part of device memory behind a BAR may be small.
/// - Upload: host-visible is required. Host memory is better than device
///   memory behind a BAR, which may be small and is slow to fill from one
///   thread; coherent is better than flushing.
/// - BAR: device-local and host-visible are required, and a heap that is the
///   device's whole memory: a window of 256 MiB is soon used up.
/// - Readback: host-visible is required. Cached memory is better by far
///   (uncached reads run at about 1/40 of its speed) but some devices have
///   none; never device memory behind a bus while there is any other.
#[must_use]
pub fn rank_memory_types(caps: &DeviceCaps, purpose: MemoryUse) -> Vec<usize> {
    let required = match purpose {
        MemoryUse::Device => Flags::DEVICE_LOCAL,
        MemoryUse::Bar => Flags::DEVICE_LOCAL | Flags::HOST_VISIBLE,
        _ => Flags::HOST_VISIBLE,
    };
    let largest = caps.heaps.iter().filter(|heap| heap.device_local);
    let largest = largest.map(|heap| heap.size).max();
    // Lazily allocated and protected memory is for attachments and DRM.
    let unusable = Flags::LAZILY_ALLOCATED | Flags::PROTECTED;
    let mut ranked: Vec<usize> = (0..caps.memory_types.len())
        .filter(|&index| {
            let kind = caps.memory_types[index];
            let whole = caps.heaps.get(kind.heap).map(|heap| heap.size) == largest;
            kind.flags.contains(required)
                && !kind.flags.intersects(unusable)
                && (purpose != MemoryUse::Bar || whole)
        })
        .collect();
    // A stable sort keeps the driver's order among equals: Vulkan requires
    // drivers to list the faster of two otherwise equal types first.
    ranked.sort_by_key(|&index| std::cmp::Reverse(score(caps, index, purpose)));
    ranked
}

fn score(caps: &DeviceCaps, index: usize, purpose: MemoryUse) -> u32 {
    let flags = caps.memory_types[index].flags;
    let has = |flag| u32::from(flags.contains(flag));
    let not = |flag| u32::from(!flags.contains(flag));
    match purpose {
        MemoryUse::Device => not(Flags::HOST_VISIBLE),
        MemoryUse::Upload => 2 * not(Flags::DEVICE_LOCAL) + has(Flags::HOST_COHERENT),
        MemoryUse::Bar => has(Flags::HOST_COHERENT),
        MemoryUse::Readback => {
            4 * has(Flags::HOST_CACHED) + 2 * not(Flags::DEVICE_LOCAL) + has(Flags::HOST_COHERENT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MemoryUse::{Bar, Device, Readback, Upload};
    use vk_core::testing::recorded;

    #[test]
    fn each_use_has_its_types_on_each_device() {
        // A discrete GPU computes in its own memory, where the host sees none of it, and stages
        // in the host's. The BAR serves only where it shows the whole device memory, and is the
        // last resort of readbacks, which prefer cached memory and do without.
        type Ranked = &'static [usize];
        let expected: [(DeviceCaps, [Ranked; 4]); 5] = [
            (recorded::h200(), [&[1, 4], &[2, 3, 4], &[4], &[3, 2, 4]]),
            (
                recorded::small_bar(),
                [&[0, 1], &[2, 3, 1], &[], &[3, 2, 1]],
            ),
            (recorded::llvmpipe(), [&[0]; 4]),
            (
                recorded::integrated(),
                [&[0, 1, 2], &[1, 2], &[1, 2], &[2, 1]],
            ),
            (recorded::uncached(), [&[0]; 4]),
        ];
        for (caps, expected) in expected {
            let found = [Device, Upload, Bar, Readback].map(|it| rank_memory_types(&caps, it));
            assert_eq!(found, expected, "{}", caps.name);
        }
    }

    #[test]
    fn what_cannot_serve_does_not() {
        let changed = |mut caps: DeviceCaps, change: fn(&mut DeviceCaps), purpose| {
            change(&mut caps);
            assert_eq!(rank_memory_types(&caps, purpose), [0; 0], "{purpose}");
        };
        let device_only: fn(&mut DeviceCaps) = |caps| {
            let types = &mut caps.memory_types;
            types.retain(|kind| !kind.flags.contains(Flags::HOST_VISIBLE));
        };
        changed(recorded::h200(), device_only, Upload);
        // Host memory is no BAR however large its heap.
        let large: fn(&mut DeviceCaps) = |caps| caps.heaps[1].size = caps.heaps[0].size;
        changed(recorded::small_bar(), large, Bar);
        // Memory for attachments and protected content.
        for purpose in [Device, Upload, Readback] {
            changed(
                recorded::llvmpipe(),
                |caps| caps.memory_types[0].flags |= Flags::LAZILY_ALLOCATED,
                purpose,
            );
            changed(
                recorded::llvmpipe(),
                |caps| caps.memory_types[0].flags |= Flags::PROTECTED,
                purpose,
            );
        }
    }

    #[test]
    fn host_visible_types_are_ranked_by_caches_then_place_then_coherence() {
        // Type 4 * cached + 2 * in host memory + coherent.
        let flag = |set: bool, flag| if set { flag } else { Flags::empty() };
        let kind = |index: usize| vk_core::MemoryType {
            heap: 0,
            flags: Flags::HOST_VISIBLE
                | flag(index & 4 != 0, Flags::HOST_CACHED)
                | flag(index & 2 == 0, Flags::DEVICE_LOCAL)
                | flag(index & 1 != 0, Flags::HOST_COHERENT),
        };
        let mut caps = recorded::llvmpipe();
        caps.memory_types = (0..8).map(kind).collect();
        let ranked = |purpose| rank_memory_types(&caps, purpose);
        let cached_first = [7, 6, 5, 4, 3, 2, 1, 0];
        assert_eq!(ranked(Readback), cached_first);
        assert_eq!(ranked(Upload), [3, 7, 2, 6, 1, 5, 0, 4]);
        assert_eq!(ranked(Bar), [1, 5, 0, 4]);
    }
}
