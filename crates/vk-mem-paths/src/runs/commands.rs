//! A chunk's commands, recorded once and submitted again: what host-to-host runs and runs
//! over host buffers have in common.

use std::sync::Arc;

use vk_core::{ComputePipeline, Device};

use super::StageKind;
use super::layout::Layout;
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
