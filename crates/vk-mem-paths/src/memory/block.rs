//! The one module that knows `vk-mem`: allocates buffers, maps, flushes,
//! invalidates and frees them.
//!
//! `vk_mem::Allocation` is `Copy`, so freeing one twice compiles. Here each
//! lives in a [`Block`] that is neither `Copy` nor `Clone` and frees it in
//! `Drop`, and nothing outside this module ever sees one.

use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use vk_core::ash::vk;
use vk_core::{Device, VkContext as _};
use vk_mem::Alloc;

use super::{MemoryUse, rank_memory_types};
use crate::Error;

/// How much memory is allocated through Vulkan: on the device, and on the host
/// where the device reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocatedMemory {
    /// Buffers that are alive.
    pub buffers: u32,
    /// Bytes that they take.
    pub buffer_bytes: u64,
    /// Allocations that the driver was asked for and holds; several buffers
    /// may share one.
    pub blocks: u32,
    /// Bytes in them.
    pub block_bytes: u64,
}

pub(crate) struct Memory {
    // Dropped by `Drop` alone, and not in a forked process: it frees its blocks then.
    allocator: ManuallyDrop<vk_mem::Allocator>,
    device: Arc<Device>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        // SAFETY: not used after; the device, dropped after this, is still alive.
        unsafe { ManuallyDrop::drop(&mut self.allocator) };
    }
}

impl Memory {
    pub(crate) fn new(device: &Arc<Device>) -> Result<Arc<Self>, Error> {
        let instance = device.instance();
        let mut info =
            vk_mem::AllocatorCreateInfo::new(instance.raw(), device.raw(), device.physical());
        // The default is 1.0; the instance was made for at least this version.
        info.vulkan_api_version = device.caps().api.0;
        info.preferred_large_heap_block_size = BLOCK;
        // SAFETY: instance, device and physical device outlive the allocator,
        // since `Memory` holds the device, which holds the instance.
        let allocator = unsafe { vk_mem::Allocator::new(info) }.during("vmaCreateAllocator")?;
        Ok(Arc::new(Self {
            allocator: ManuallyDrop::new(allocator),
            device: Arc::clone(device),
        }))
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn allocated(&self) -> Result<AllocatedMemory, Error> {
        // The allocator's locks may be held, for ever, by a thread that a fork left behind.
        if self.device.is_inherited() {
            self.device.expect_alive()?;
        }
        let counted = self.allocator.calculate_statistics();
        let counted = counted.during("vmaCalculateStatistics")?.total.statistics;
        Ok(AllocatedMemory {
            buffers: counted.allocationCount,
            buffer_bytes: counted.allocationBytes,
            blocks: counted.blockCount,
            block_bytes: counted.blockBytes,
        })
    }

    /// A block of `size` bytes (1 or more) from the best memory type for `purpose`,
    /// mapped where the host uses it.
    pub(crate) fn block(self: &Arc<Self>, size: usize, purpose: MemoryUse) -> Result<Block, Error> {
        let caps = self.device.caps();
        let mut exhausted = None;
        for kind in rank_memory_types(caps, purpose) {
            let number = caps.memory_types[kind].heap;
            let heap = caps.heaps.get(number).map_or(0, |heap| heap.size);
            let too_large = size as u64 > heap.min(caps.limits.max_buffer_size);
            let made = match too_large {
                true => Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY),
                false => self.block_of_type(size, purpose, kind),
            };
            match made {
                Ok(buffer) => return Ok(buffer),
                // The buffer may not live in this type: the next best then.
                Err(vk::Result::ERROR_FEATURE_NOT_PRESENT) => {}
                // Another type that serves the purpose may be on another heap.
                Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY) => {
                    // What is left, as far as the allocator knows.
                    let budgets = self.allocator.get_heap_budgets().unwrap_or_default();
                    let left = budgets.get(number);
                    exhausted.get_or_insert(Error::OutOfDeviceMemory {
                        purpose: purpose.to_string(),
                        requested: size as u64,
                        available: left.map_or(0, |it| it.budget.saturating_sub(it.usage)),
                        heap,
                    });
                }
                Err(result) => return Ok(Err(result).during("vmaCreateBuffer")?),
            }
        }
        Err(exhausted.unwrap_or_else(|| Error::NoMemoryType {
            purpose: purpose.to_string(),
            found: format!("{:?}", caps.memory_types),
        }))
    }

    fn block_of_type(
        self: &Arc<Self>,
        size: usize,
        purpose: MemoryUse,
        kind: usize,
    ) -> Result<Block, vk::Result> {
        let info = vk::BufferCreateInfo::default()
            .size(size as u64)
            .usage(USAGE);
        let mut placement = vk_mem::AllocationCreateInfo {
            memory_type_bits: 1 << kind,
            ..Default::default()
        };
        if purpose != MemoryUse::Device {
            placement.flags |= vk_mem::AllocationCreateFlags::MAPPED;
        }
        let allocator = &self.allocator;
        // SAFETY: both infos are valid and point to locals; the allocator is
        // alive.
        let made = unsafe { allocator.create_buffer_with_alignment(&info, &placement, ALIGNMENT) };
        let (raw, allocation) = made?;
        let mapped = self.allocator.get_allocation_info(&allocation).mapped_data;
        Ok(Block {
            memory: Arc::clone(self),
            raw,
            allocation,
            mapped: NonNull::new(mapped.cast()),
            size,
            purpose,
        })
    }
}

/// The size that the allocator's blocks grow to from an eighth of it; what is
/// larger than half a block has memory of its own. The allocator's default of
/// 256 MiB makes a first run of a few elements pin 32 MiB of host memory for
/// each of its buffers, which takes 20 ms.
const BLOCK: u64 = 32 << 20;

/// Kernels work on every block, and copies go to it and from it.
const USAGE: vk::BufferUsageFlags = vk::BufferUsageFlags::from_raw(
    vk::BufferUsageFlags::STORAGE_BUFFER.as_raw()
        | vk::BufferUsageFlags::TRANSFER_SRC.as_raw()
        | vk::BufferUsageFlags::TRANSFER_DST.as_raw(),
);

/// Where a buffer begins in its memory: at a multiple of a word at least, so
/// that the host may work on mapped words. Mappings begin at multiples of 64
/// bytes or more.
const ALIGNMENT: u64 = align_of::<u64>() as u64;

/// A buffer with its memory: what submissions name, and what is freed when nobody has it.
pub struct Block {
    memory: Arc<Memory>,
    raw: vk::Buffer,
    allocation: vk_mem::Allocation,
    mapped: Option<NonNull<u8>>,
    size: usize,
    purpose: MemoryUse,
}

// SAFETY: `mapped` points to memory that this value owns and that no thread
// is tied to; everything else is Send.
unsafe impl Send for Block {}
// SAFETY: through `&Block` the pointer is only handed out, not followed, and
// the allocator locks for itself.
unsafe impl Sync for Block {}

impl Block {
    /// Its size, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.size
    }

    pub(crate) fn purpose(&self) -> MemoryUse {
        self.purpose
    }

    pub(crate) fn raw(&self) -> vk::Buffer {
        self.raw
    }

    /// The mapped bytes of `range`; `None` for memory that is not mapped and
    /// for a range past the end.
    pub(crate) fn mapped(&self, range: &Range<usize>) -> Option<NonNull<u8>> {
        let inside = range.start <= range.end && range.end <= self.size;
        let base = self.mapped.filter(|_| inside)?;
        // SAFETY: the mapping covers `size` bytes and the range lies inside.
        Some(unsafe { base.add(range.start) })
    }

    /// Makes the host's writes to `range` available to the device; nothing on
    /// coherent memory.
    pub(crate) fn flush(&self, range: &Range<usize>) -> Result<(), Error> {
        let (allocator, start) = (&self.memory.allocator, range.start as u64);
        let flushed = allocator.flush_allocation(&self.allocation, start, range.len() as u64);
        Ok(flushed.during("vmaFlushAllocation")?)
    }

    /// Makes the device's writes to `range` visible to the host; nothing on
    /// coherent memory.
    pub(crate) fn invalidate(&self, range: &Range<usize>) -> Result<(), Error> {
        let (allocator, start) = (&self.memory.allocator, range.start as u64);
        let seen = allocator.invalidate_allocation(&self.allocation, start, range.len() as u64);
        Ok(seen.during("vmaInvalidateAllocation")?)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if self.memory.device.is_inherited() {
            return;
        }
        // SAFETY: made by this allocator and freed only here; it outlives every
        // submission that names it (`lane::batch`).
        unsafe {
            self.memory
                .allocator
                .destroy_buffer(self.raw, &mut self.allocation)
        };
    }
}

/// How a step uses a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads it.
    Read,
    /// Writes it, or reads and writes it.
    Write,
}

/// Bytes of a block, and how a step uses them.
#[derive(Clone)]
pub struct Region {
    /// The block.
    pub block: Arc<Block>,
    /// The bytes, counted from the block's start.
    pub range: Range<usize>,
    /// Read or written.
    pub access: Access,
}

impl Region {
    /// `range` of `block`, for a step that uses it as `access` says.
    pub(crate) fn new(block: &Arc<Block>, range: Range<usize>, access: Access) -> Self {
        Self {
            block: Arc::clone(block),
            range,
            access,
        }
    }

    pub(crate) fn expect_inside(&self) -> Result<(), Error> {
        let (range, bytes) = (&self.range, self.block.bytes());
        match range.start < range.end && range.end <= bytes {
            true => Ok(()),
            false => {
                let expected = format_args!("a region inside a block of {bytes} bytes");
                Err(Error::internal(expected, format_args!("{range:?}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::device_under_test;

    #[test]
    fn what_is_allocated_is_counted_and_goes_with_its_buffer() {
        let (_guard, physical) = device_under_test().unwrap();
        let memory = Memory::new(&Device::new(&physical).unwrap()).unwrap();
        let nothing = memory.allocated().unwrap();
        assert_eq!((nothing.buffers, nothing.buffer_bytes), (0, 0));
        let made = [1, 2].map(|_| memory.block(4096, MemoryUse::Upload).unwrap());
        let both = memory.allocated().unwrap();
        assert_eq!(both.buffers, 2);
        assert!(both.buffer_bytes >= 8192 && both.block_bytes >= both.buffer_bytes);
        assert!(both.blocks >= 1);
        drop(made);
        let after = memory.allocated().unwrap();
        assert_eq!((after.buffers, after.buffer_bytes), (0, 0));
    }

    #[test]
    fn a_buffer_larger_than_any_heap_is_an_error_with_both_sizes() {
        let (_guard, physical) = device_under_test().unwrap();
        let memory = Memory::new(&Device::new(&physical).unwrap()).unwrap();
        for purpose in [MemoryUse::Device, MemoryUse::Upload, MemoryUse::Readback] {
            let made = memory.block(1 << 50, purpose);
            let error = made.err().unwrap();
            assert!(
                matches!(error, Error::OutOfDeviceMemory { requested, .. } if requested == 1 << 50)
            );
            let small = memory.block(4096, purpose).unwrap();
            assert_eq!(
                small.mapped(&(0..4096)).is_some(),
                purpose != MemoryUse::Device
            );
            assert!(small.mapped(&(0..4097)).is_none());
        }
    }
}
