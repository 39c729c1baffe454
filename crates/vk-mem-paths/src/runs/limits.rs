//! What a device's limits and heaps allow one chunk to carry.

use vk_core::DeviceCaps;

use super::{TransferPath, Workload};
use crate::{Error, MemoryUse, most_dispatched, rank_memory_types};

/// The most staging memory a run takes from one heap, in bytes.
pub(crate) const STAGING_BUDGET: u64 = 1 << 30;
/// The largest part of a heap that a run takes for staging.
const HEAP_SHARE: u64 = 4;

impl TransferPath {
    /// Whether a device with `caps` has the memory that this path needs
    /// beyond what every path does.
    #[must_use]
    pub fn is_usable(self, caps: &DeviceCaps) -> bool {
        self != Self::Bar || !rank_memory_types(caps, MemoryUse::Bar).is_empty()
    }

    /// Where the host writes the inputs.
    pub(crate) fn upload_memory(self) -> MemoryUse {
        match self {
            Self::Bar => MemoryUse::Bar,
            Self::HostVisible | Self::DeviceLocal => MemoryUse::Upload,
        }
    }
}

/// The most elements that one chunk of `work` can carry, with `depth` chunks in flight, whose
/// operands lie in a buffer each: so many by each of `uses`, none where a chunk has no memory of
/// its own.
pub(crate) fn chunk_limit(
    caps: &DeviceCaps,
    work: &Workload,
    uses: &[(MemoryUse, u64)],
    depth: usize,
) -> Result<usize, Error> {
    let dispatch = most_dispatched(caps, work.element_bytes, work.workgroup_size as usize);
    if uses.is_empty() {
        return Ok(dispatch);
    }
    let element = work.element_bytes.max(1) as u64;
    let buffer = caps.limits.max_allocation.min(caps.limits.max_buffer_size) / element;
    let limit = buffer.min(staging_limit(caps, uses, element * depth as u64)?);
    Ok(usize::try_from(limit).unwrap_or(usize::MAX).min(dispatch))
}

/// The operands of a chunk by the memory that they lie in: A and B in, the result out.
pub(super) fn uses_of(path: TransferPath) -> Vec<(MemoryUse, u64)> {
    let mut uses = vec![(path.upload_memory(), 2), (MemoryUse::Readback, 1)];
    if path == TransferPath::DeviceLocal {
        uses.push((MemoryUse::Device, 3));
    }
    uses
}

/// The most elements per chunk so that no heap gives more than its share: of `uses`, each a
/// number of operands; `slots` is the bytes of one element times the number of slots.
///
/// # Errors
/// [`Error::NoMemoryType`] for a use that the device has no memory for.
fn staging_limit(caps: &DeviceCaps, uses: &[(MemoryUse, u64)], slots: u64) -> Result<u64, Error> {
    let mut operands = vec![0_u64; caps.heaps.len()];
    for (purpose, count) in uses {
        let ranked = rank_memory_types(caps, *purpose);
        let heap = ranked.first().map(|&kind| caps.memory_types[kind].heap);
        match heap.and_then(|heap| operands.get_mut(heap)) {
            Some(operands) => *operands += count,
            None => {
                return Err(Error::NoMemoryType {
                    purpose: purpose.to_string(),
                    found: format!("{:?}", caps.memory_types),
                });
            }
        }
    }
    let limits = operands
        .iter()
        .zip(&caps.heaps)
        .filter(|(count, _)| **count > 0);
    let limits = limits.map(|(count, heap)| {
        let budget = (heap.size / HEAP_SHARE).min(STAGING_BUDGET);
        budget / (count * slots.max(1))
    });
    Ok(limits.min().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use vk_core::testing::recorded;

    use super::*;

    #[test]
    fn an_operand_of_a_chunk_fits_one_allocation_and_one_buffer() {
        let work = Workload {
            total: 1 << 30,
            largest_job: 1 << 30,
            element_bytes: 48,
            workgroup_size: 128,
        };
        let limit = |most: fn(&mut DeviceCaps) -> &mut u64| {
            let mut caps = recorded::h200();
            *most(&mut caps) = 48_000;
            chunk_limit(&caps, &work, &uses_of(TransferPath::HostVisible), 1)
        };
        assert_eq!(limit(|caps| &mut caps.limits.max_allocation), Ok(1_000));
        assert_eq!(limit(|caps| &mut caps.limits.max_buffer_size), Ok(1_000));
    }

    #[test]
    fn the_bar_is_the_only_path_that_not_every_device_has() {
        for path in [TransferPath::HostVisible, TransferPath::DeviceLocal] {
            assert!(path.is_usable(&recorded::h200()));
            assert!(path.is_usable(&recorded::small_bar()));
        }
        assert!(TransferPath::Bar.is_usable(&recorded::h200()));
        assert!(!TransferPath::Bar.is_usable(&recorded::small_bar()));
    }

    #[test]
    fn each_heap_gives_a_quarter_or_the_budget_to_the_operands_that_lie_in_it() {
        let limit = |sizes: [u64; 2], path| {
            let mut caps = recorded::h200();
            for (heap, size) in caps.heaps.iter_mut().zip(sizes) {
                heap.size = size;
            }
            // 48 bytes in each of two slots.
            staging_limit(&caps, &uses_of(path), 96)
        };
        let unlimited = 1 << 40;
        let small = 4 * 3 * 96_000;
        // Both operands and the result lie in host memory, and once more in
        // the device's where they are copied.
        assert_eq!(
            limit([unlimited, small], TransferPath::HostVisible),
            Ok(1_000)
        );
        assert_eq!(
            limit([small, unlimited], TransferPath::DeviceLocal),
            Ok(1_000)
        );
        let budget = Ok((1 << 30) / (3 * 96));
        assert_eq!(limit([small, unlimited], TransferPath::HostVisible), budget);
        assert_eq!(
            limit([unlimited, unlimited], TransferPath::DeviceLocal),
            budget
        );
    }
}
