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
    use vk_core::testing::recorded;

    fn best(caps: &DeviceCaps, purpose: MemoryUse) -> usize {
        rank_memory_types(caps, purpose)[0]
    }

    #[test]
    fn a_discrete_gpu_computes_in_its_own_memory_and_stages_in_the_hosts() {
        for (caps, device, upload, readback) in [
            (recorded::h200(), 1, 2, 3),
            (recorded::small_bar(), 0, 2, 3),
        ] {
            assert_eq!(best(&caps, MemoryUse::Device), device, "{}", caps.name);
            assert_eq!(best(&caps, MemoryUse::Upload), upload, "{}", caps.name);
            assert_eq!(best(&caps, MemoryUse::Readback), readback, "{}", caps.name);
        }
    }

    #[test]
    fn a_readback_through_the_bar_is_the_last_resort() {
        let caps = recorded::h200();
        assert_eq!(rank_memory_types(&caps, MemoryUse::Readback), [3, 2, 4]);
    }

    #[test]
    fn unified_devices_use_what_they_have() {
        let caps = recorded::llvmpipe();
        for purpose in [
            MemoryUse::Device,
            MemoryUse::Upload,
            MemoryUse::Bar,
            MemoryUse::Readback,
        ] {
            assert_eq!(rank_memory_types(&caps, purpose), [0]);
        }
        assert_eq!(best(&recorded::integrated(), MemoryUse::Readback), 2);
        assert_eq!(best(&recorded::integrated(), MemoryUse::Device), 0);
    }

    #[test]
    fn the_bar_serves_only_where_it_shows_the_whole_device_memory() {
        let bar = |caps: &DeviceCaps| rank_memory_types(caps, MemoryUse::Bar);
        assert_eq!(bar(&recorded::h200()), [4]);
        assert!(bar(&recorded::small_bar()).is_empty());
    }

    #[test]
    fn uploads_lie_in_the_hosts_memory_where_there_is_some() {
        let caps = recorded::h200();
        assert_eq!(rank_memory_types(&caps, MemoryUse::Upload), [2, 3, 4]);
    }

    #[test]
    fn cached_memory_is_preferred_for_readback_but_not_required() {
        assert_eq!(
            rank_memory_types(&recorded::uncached(), MemoryUse::Readback),
            [0]
        );
    }

    #[test]
    fn a_purpose_that_nothing_serves_has_no_candidates() {
        let mut caps = recorded::h200();
        caps.memory_types
            .retain(|kind| !kind.flags.contains(Flags::HOST_VISIBLE));
        assert!(rank_memory_types(&caps, MemoryUse::Upload).is_empty());
    }

    #[test]
    fn host_memory_is_no_bar_however_large_its_heap() {
        let mut caps = recorded::small_bar();
        caps.heaps[1].size = caps.heaps[0].size;
        assert!(rank_memory_types(&caps, MemoryUse::Bar).is_empty());
    }

    #[test]
    fn memory_for_attachments_and_protected_content_serves_nothing() {
        for unusable in [Flags::LAZILY_ALLOCATED, Flags::PROTECTED] {
            let mut caps = recorded::llvmpipe();
            for kind in &mut caps.memory_types {
                kind.flags |= unusable;
            }
            for purpose in [MemoryUse::Device, MemoryUse::Upload, MemoryUse::Readback] {
                let ranked = rank_memory_types(&caps, purpose);
                assert!(ranked.is_empty(), "{unusable:?} for {purpose}");
            }
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
        assert_eq!(ranked(MemoryUse::Readback), cached_first);
        assert_eq!(ranked(MemoryUse::Upload), [3, 7, 2, 6, 1, 5, 0, 4]);
        assert_eq!(ranked(MemoryUse::Bar), [1, 5, 0, 4]);
    }

    #[test]
    fn a_use_is_named_as_in_errors() {
        assert_eq!(MemoryUse::Device.to_string(), "device memory");
        assert_eq!(MemoryUse::Readback.to_string(), "readback memory");
    }
}
