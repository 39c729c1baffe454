//! A chunk's commands, recorded once and submitted again, and the device memory that they
//! work in: what host-to-host runs and runs over host buffers have in common.

use std::ops::Range;
use std::sync::Arc;

use vk_core::{ComputePipeline, Device, DeviceCaps};

use super::StageKind;
use super::timeline::TimedStages;
use crate::lane::{Batch, Life, Part, Step};
use crate::memory::{Access, Block, Memory, Region};
use crate::{Error, MemoryUse};

/// The stages of a chunk whose kernel works on the host's memory.
const IN_PLACE: &[StageKind] = &[StageKind::Kernel];
/// Those of one whose kernel works on the device's.
const COPIED: &[StageKind] = &[StageKind::Upload, StageKind::Kernel, StageKind::Download];

/// The batch of one chunk.
pub(super) struct ChunkCommands {
    pub(super) batch: Batch,
    stages: &'static [StageKind],
}

impl ChunkCommands {
    /// Nothing recorded yet.
    pub(super) fn new(device: &Arc<Device>, timestamps: bool) -> Result<Self, Error> {
        // As many as the longest has.
        let timed = timestamps.then_some(3);
        Ok(Self {
            batch: Batch::new(device, timed)?,
            stages: &[],
        })
    }

    /// Records `kernel` over `count` elements of A, B and the output in memory that the host
    /// reaches; it works on `device`'s, or without that on the host's.
    ///
    /// # Errors
    /// As [`Batch::record`].
    pub(super) fn record(
        &mut self,
        pipeline: &Arc<ComputePipeline>,
        count: usize,
        [a, b, out]: [Region; 3],
        device: Option<&DeviceOperands>,
    ) -> Result<(), Error> {
        let elements = u32::try_from(count).map_err(|_| Error::Internal {
            what: format!("expected a chunk below 2^32 elements, found {count}"),
        })?;
        let results = [out.clone()];
        let kernel = |buffers: [Region; 3]| {
            let constants = pipeline.push_constants(elements);
            let words = constants.as_chunks().0.iter();
            Step::Dispatch {
                pipeline: Arc::clone(pipeline),
                buffers: buffers.into(),
                constants: words.map(|word| u32::from_ne_bytes(*word)).collect(),
                workgroups: elements.div_ceil(pipeline.shape().workgroup_size),
            }
        };
        let copy = |from, to| Step::Copy { from, to };
        let steps = match device {
            None => vec![vec![kernel([a, b, out])]],
            Some(own) => {
                let (read, write) = (Access::Read, Access::Write);
                let inputs = vec![copy(a, own.a(count, write)), copy(b, own.b(count, write))];
                let operands = [
                    own.a(count, read),
                    own.b(count, read),
                    own.out(count, write),
                ];
                let result = vec![copy(own.out(count, read), out)];
                vec![inputs, vec![kernel(operands)], result]
            }
        };
        self.stages = match device {
            None => IN_PLACE,
            Some(_) => COPIED,
        };
        let numbered = (0..).zip(&steps);
        let parts: Vec<_> = numbered
            .map(|(number, steps)| Part {
                stage: Some(number),
                steps,
            })
            .collect();
        // SAFETY: the regions hold as many elements as the kernel is given; that it keeps to
        // them is vouched for by whoever gives a kernel.
        unsafe { self.batch.record(Life::Again, &parts, &results) }
    }

    /// When the stages of the last submission were at work; it is complete.
    ///
    /// # Errors
    /// As [`Batch::spans`].
    pub(super) fn device_stages(&self) -> Result<TimedStages, Error> {
        let numbers: Vec<u32> = (0..).take(self.stages.len()).collect();
        let spans = self.batch.spans(&numbers)?.unwrap_or_default();
        Ok(self.stages.iter().copied().zip(spans).collect())
    }
}

/// Device memory for the operands of one chunk.
pub(super) struct DeviceOperands {
    input: Arc<Block>,
    output: Arc<Block>,
    layout: Layout,
}

impl DeviceOperands {
    pub(super) fn new(memory: &Arc<Memory>, layout: Layout) -> Result<Self, Error> {
        let block = |bytes| memory.block(bytes, MemoryUse::Device).map(Arc::new);
        Ok(Self {
            input: block(layout.input_bytes())?,
            output: block(layout.output_bytes())?,
            layout,
        })
    }

    /// Whether there is room for chunks of `elements` elements of `element_bytes` bytes.
    pub(super) fn fits(&self, elements: usize, element_bytes: usize) -> bool {
        self.layout.fits(elements, element_bytes)
    }

    fn a(&self, elements: usize, access: Access) -> Region {
        Region::new(&self.input, self.layout.a(elements), access)
    }

    fn b(&self, elements: usize, access: Access) -> Region {
        Region::new(&self.input, self.layout.b(elements), access)
    }

    fn out(&self, elements: usize, access: Access) -> Region {
        Region::new(&self.output, self.layout.out(elements), access)
    }
}

/// The places of A, B and the output for chunks of up to `capacity` elements.
///
/// A and B share one input buffer, B starting at a fixed, aligned offset, so
/// that a shorter chunk moves nothing; the output has a buffer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    element_bytes: usize,
    b_offset: usize,
}

impl Layout {
    /// The layout for chunks of up to `capacity` elements on a device with `caps`.
    pub(super) fn on(caps: &DeviceCaps, capacity: usize, element_bytes: usize) -> Self {
        let alignment = usize::try_from(caps.limits.storage_buffer_alignment);
        Self::new(capacity, element_bytes, alignment.unwrap_or(usize::MAX))
    }

    /// The layout for `capacity` elements of `element_bytes` bytes, with B at
    /// a multiple of `alignment`.
    fn new(capacity: usize, element_bytes: usize, alignment: usize) -> Self {
        Self {
            element_bytes,
            b_offset: (capacity * element_bytes).next_multiple_of(alignment),
        }
    }

    /// Whether there is room for chunks of `elements` elements of `element_bytes` bytes.
    pub(super) fn fits(&self, elements: usize, element_bytes: usize) -> bool {
        self.element_bytes == element_bytes && elements * element_bytes <= self.b_offset
    }

    /// Bytes of the input buffer.
    pub(super) fn input_bytes(&self) -> usize {
        2 * self.b_offset
    }

    /// Bytes of the output buffer.
    pub(super) fn output_bytes(&self) -> usize {
        self.b_offset
    }

    /// A's bytes in the input buffer for a chunk of `elements`.
    pub(super) fn a(&self, elements: usize) -> Range<usize> {
        0..elements * self.element_bytes
    }

    /// B's bytes in the input buffer for a chunk of `elements`.
    pub(super) fn b(&self, elements: usize) -> Range<usize> {
        self.b_offset..self.b_offset + elements * self.element_bytes
    }

    /// The output's bytes in the output buffer for a chunk of `elements`.
    pub(super) fn out(&self, elements: usize) -> Range<usize> {
        0..elements * self.element_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_is_aligned_and_overlaps_nothing() {
        for (capacity, alignment) in [(1, 16), (1, 256), (5, 64), (128, 16), (129, 256)] {
            let layout = Layout::new(capacity, 48, alignment);
            let (a, b) = (layout.a(capacity), layout.b(capacity));
            assert!(a.end <= b.start && b.end <= layout.input_bytes());
            assert_eq!(b.start % alignment, 0);
            assert_eq!(a.len(), 48 * capacity);
            assert_eq!(layout.b(1), b.start..b.start + 48);
            assert!(layout.out(capacity).end <= layout.output_bytes());
        }
    }
}
