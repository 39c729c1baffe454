//! What carries one chunk: memory for its operands, and its commands, recorded once and
//! submitted again.
//!
//! What is in flight of it is its batch (`lane::batch`), which holds all that its commands
//! name. The host touches a slot's upload and readback memory only while the batch is free.

use std::sync::Arc;

use vk_core::spirv::BINDINGS;
use vk_core::{ComputePipeline, Device, WaitPolicy};

use super::chunks::Chunk;
use super::timeline::TimedStages;
use super::{Plan, StageKind, TransferPath};
use crate::lane::{Batch, Life, Step};
use crate::memory::{Access, Block, Memory, ReadbackBuffer, Region, UploadBuffer};
use crate::threads::host_copy;
use crate::{ElementFormat, Error, MemoryUse, ThreadPool};

/// The operands of a job, as errors name them.
pub(super) const OPERANDS: [&str; BINDINGS] = ["A", "B", "the output"];

/// Staging memory for a chunk, and the commands that work on it.
pub(super) struct Slot {
    pub(super) commands: ChunkCommands,
    /// What is recorded: a kernel, and over how many elements and bytes of each operand.
    recorded: Option<(Arc<ComputePipeline>, usize, usize)>,
    uploads: [UploadBuffer; 2],
    readback: ReadbackBuffer,
    /// Of the device-local path alone.
    device: Option<DeviceOperands>,
}

impl Slot {
    /// A slot for the chunks of `plan`, of elements of `element_bytes` bytes.
    pub(super) fn new(
        device: &Arc<Device>,
        memory: &Arc<Memory>,
        plan: &Plan,
        element_bytes: usize,
        timestamps: bool,
    ) -> Result<Self, Error> {
        let bytes = plan.capacity * element_bytes;
        let upload = || UploadBuffer::new(memory, plan.path.upload_memory(), bytes);
        Ok(Self {
            commands: ChunkCommands::new(device, timestamps)?,
            recorded: None,
            uploads: [upload()?, upload()?],
            readback: ReadbackBuffer::new(memory, bytes)?,
            device: match plan.path {
                TransferPath::HostVisible | TransferPath::Bar => None,
                TransferPath::DeviceLocal => Some(DeviceOperands::new(memory, bytes)?),
            },
        })
    }

    /// Whether it has room for `bytes` bytes of each operand.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        bytes <= self.readback.bytes()
    }

    /// Copies the inputs of `chunk` into the upload buffer.
    pub(super) fn stage(
        &mut self,
        chunk: &Chunk<'_>,
        element: ElementFormat,
        threads: &mut ThreadPool,
    ) -> Result<(), Error> {
        self.commands.batch.expect_free()?;
        let all = 0..chunk.elements * element.bytes;
        let [to_a, to_b] = &mut self.uploads;
        // SAFETY: the batch is free, and nothing else names the memory.
        let mut a = unsafe { to_a.view(&all)? };
        // SAFETY: as above.
        let mut b = unsafe { to_b.view(&all)? };
        let mut copies = Vec::with_capacity(2 * chunk.parts.len());
        for part in &chunk.parts {
            let (to_a, rest_a) = a.split_at_mut(part.a.len());
            let (to_b, rest_b) = b.split_at_mut(part.b.len());
            copies.extend([(part.a, to_a), (part.b, to_b)]);
            (a, b) = (rest_a, rest_b);
        }
        if let Some((copy, refused)) = host_copy::run_checked(copies, element, threads) {
            let (part, operand) = (copy / 2, copy % 2);
            let before = if part == 0 { chunk.element } else { 0 };
            let refused = refused.of(chunk.job + part, OPERANDS[operand]);
            return Err(refused.after(before).into());
        }
        self.uploads.iter().try_for_each(|it| it.flush(&all))
    }

    /// Submits the `elements` of `element_bytes` bytes staged last to run through `kernel`;
    /// `wait` is how long that may take.
    pub(super) fn submit(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        elements: usize,
        element_bytes: usize,
        wait: WaitPolicy,
    ) -> Result<(), Error> {
        let bytes = elements * element_bytes;
        let same = |known: &(Arc<ComputePipeline>, usize, usize)| {
            Arc::ptr_eq(&known.0, kernel) && (known.1, known.2) == (elements, bytes)
        };
        if !self.recorded.as_ref().is_some_and(same) {
            self.recorded = None;
            let [a, b] = self.uploads.each_ref().map(|it| it.region(0..bytes));
            let host = [a, b, self.readback.region(0..bytes)];
            self.commands
                .record(kernel, elements, host, self.device.as_ref())?;
            self.recorded = Some((Arc::clone(kernel), elements, bytes));
        }
        // SAFETY: no view of the memory is about, and the host makes the next when the batch
        // is free; nobody else has the slot's memory.
        unsafe { self.commands.batch.submit(wait).map(drop) }
    }

    /// Copies the results of `chunk`, which was submitted last, out.
    pub(super) fn copy_out(
        &mut self,
        chunk: Chunk<'_>,
        threads: &mut ThreadPool,
    ) -> Result<(), Error> {
        self.commands.batch.expect_free()?;
        let all = 0..chunk.parts.iter().map(|part| part.out.len()).sum();
        let recorded = self.recorded.as_ref().map(|(_, _, bytes)| *bytes);
        if recorded != Some(all.end) {
            let expected = format_args!("results of {recorded:?} bytes");
            return Err(Error::internal(expected, all.end));
        }
        // SAFETY: the batch is free, so the submission that wrote this range and ended with
        // the host barrier is complete.
        let mut from = unsafe { self.readback.read(&all)? };
        let mut copies = Vec::with_capacity(chunk.parts.len());
        for part in chunk.parts {
            let (results, rest) = from.split_at(part.out.len());
            copies.push((results, part.out));
            from = rest;
        }
        host_copy::run(copies, threads);
        Ok(())
    }
}

/// The stages of a chunk whose kernel works on the host's memory.
const IN_PLACE: &[StageKind] = &[StageKind::Kernel];
/// Those of one whose kernel works on the device's.
const COPIED: &[StageKind] = &[StageKind::Upload, StageKind::Kernel, StageKind::Download];

/// The batch of one chunk, of a run from host to host or over host buffers.
pub(super) struct ChunkCommands {
    pub(super) batch: Batch,
    stages: &'static [StageKind],
}

impl ChunkCommands {
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
    pub(super) fn record(
        &mut self,
        pipeline: &Arc<ComputePipeline>,
        count: usize,
        [a, b, out]: [Region; 3],
        device: Option<&DeviceOperands>,
    ) -> Result<(), Error> {
        let elements = u32::try_from(count);
        let elements =
            elements.map_err(|_| Error::internal("a chunk below 2^32 elements", count))?;
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
                let bytes = out.range.len();
                let [own_a, own_b, own_out] = &own.0;
                let read = |block| Region::new(block, 0..bytes, Access::Read);
                let written = |block| Region::new(block, 0..bytes, Access::Write);
                let inputs = vec![copy(a, written(own_a)), copy(b, written(own_b))];
                let operands = [read(own_a), read(own_b), written(own_out)];
                let result = vec![copy(read(own_out), out)];
                vec![inputs, vec![kernel(operands)], result]
            }
        };
        self.stages = match device {
            None => IN_PLACE,
            Some(_) => COPIED,
        };
        let steps = steps.iter().map(Vec::as_slice);
        let parts: Vec<_> = (0..).map(Some).zip(steps).collect();
        // SAFETY: the regions hold as many elements as the kernel is given; that it keeps to
        // them is vouched for by whoever gives a kernel.
        unsafe { self.batch.record(Life::Again, &parts, &results) }
    }

    /// When the stages of the last submission, which is complete, were at work, in order; nothing
    /// where they are not timed.
    pub(super) fn device_stages(&self) -> Result<TimedStages, Error> {
        let numbers: Vec<u32> = (0..).take(self.stages.len()).collect();
        let spans = self.batch.spans(&numbers)?.unwrap_or_default();
        Ok(self.stages.iter().copied().zip(spans).collect())
    }
}

/// Device memory for A, B and the output of one chunk.
pub(super) struct DeviceOperands([Arc<Block>; BINDINGS]);

impl DeviceOperands {
    pub(super) fn new(memory: &Arc<Memory>, bytes: usize) -> Result<Self, Error> {
        let block = || memory.block(bytes, MemoryUse::Device).map(Arc::new);
        Ok(Self([block()?, block()?, block()?]))
    }

    pub(super) fn bytes(&self) -> usize {
        self.0[0].bytes()
    }
}
