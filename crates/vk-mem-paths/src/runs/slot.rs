//! One slot of the transfer loop: its buffers, and the commands of its chunk.
//!
//! What is in flight of it is its batch (`lane::batch`), which holds all that its commands
//! name. The host touches the upload and readback memory only while the batch is free.

use std::sync::Arc;

use vk_core::{ComputePipeline, Device, WaitPolicy};

use super::chunks::Chunk;
use super::commands::{ChunkCommands, DeviceOperands, Layout};
use super::request::OPERANDS;
use super::timeline::TimedStages;
use super::{Plan, TransferPath};
use crate::memory::{Memory, ReadbackBuffer, UploadBuffer};
use crate::threads::host_copy;
use crate::{ElementFormat, Error, ThreadPool};

/// Staging memory for a chunk, and the commands that work on it.
pub(super) struct Slot {
    commands: ChunkCommands,
    /// What is recorded: a kernel, and over how many elements.
    recorded: Option<(Arc<ComputePipeline>, usize)>,
    upload: UploadBuffer,
    readback: ReadbackBuffer,
    /// Of the device-local path alone.
    device: Option<DeviceOperands>,
    layout: Layout,
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
        let layout = Layout::on(device.caps(), plan.capacity(), element_bytes);
        let purpose = plan.path().upload_memory();
        Ok(Self {
            commands: ChunkCommands::new(device, timestamps)?,
            recorded: None,
            upload: UploadBuffer::new(memory, purpose, layout.input_bytes())?,
            readback: ReadbackBuffer::new(memory, layout.output_bytes())?,
            device: match plan.path() {
                TransferPath::HostVisible | TransferPath::Bar => None,
                TransferPath::DeviceLocal => Some(DeviceOperands::new(memory, layout)?),
            },
            layout,
        })
    }

    pub(super) fn fits(&self, capacity: usize, element_bytes: usize) -> bool {
        self.layout.fits(capacity, element_bytes)
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.commands.batch.is_in_flight()
    }

    /// Copies the inputs of `chunk` into the upload buffer.
    pub(super) fn stage(
        &mut self,
        chunk: &Chunk<'_>,
        element: ElementFormat,
        threads: &mut ThreadPool,
    ) -> Result<(), Error> {
        self.commands.batch.expect_free()?;
        if !self.fits(chunk.elements, element.bytes) {
            return Err(Error::Internal {
                what: format!(
                    "expected a chunk that fits {:?}, found {} elements",
                    self.layout, chunk.elements
                ),
            });
        }
        let ranges = [self.layout.a(chunk.elements), self.layout.b(chunk.elements)];
        // SAFETY: the batch is free, and nothing else names the memory.
        let [mut a, mut b] = unsafe { self.upload.views(ranges.clone())? };
        let mut copies = Vec::with_capacity(2 * chunk.segments.len());
        for segment in &chunk.segments {
            let (to_a, rest_a) = a.split_at_mut(segment.a.len());
            let (to_b, rest_b) = b.split_at_mut(segment.b.len());
            copies.extend([(segment.a, to_a), (segment.b, to_b)]);
            (a, b) = (rest_a, rest_b);
        }
        if let Some((copy, refused)) = host_copy::run_checked(copies, element, threads) {
            let segment = &chunk.segments[copy / 2];
            return Err(Error::RefusedInput {
                job: segment.job,
                what: OPERANDS[copy % 2],
                refused: refused.after(segment.first),
            });
        }
        ranges.iter().try_for_each(|range| self.upload.flush(range))
    }

    /// Submits the `elements` staged last to run through `kernel`; `wait` is how long that
    /// may take.
    pub(super) fn submit(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        elements: usize,
        wait: WaitPolicy,
    ) -> Result<(), Error> {
        self.record(kernel, elements)?;
        // SAFETY: no view of the memory is about, and the host makes the next when the batch
        // is free; nobody else has the slot's memory.
        unsafe { self.commands.batch.submit(wait).map(drop) }
    }

    /// Waits for whatever is in flight.
    pub(super) fn release(&mut self, wait: WaitPolicy) -> Result<(), Error> {
        self.commands.batch.wait(wait)
    }

    /// Copies the results of `chunk`, which was submitted last, out.
    pub(super) fn copy_out(
        &mut self,
        chunk: Chunk<'_>,
        threads: &mut ThreadPool,
    ) -> Result<(), Error> {
        self.commands.batch.expect_free()?;
        let recorded = self.recorded.as_ref().map(|(_, elements)| *elements);
        if recorded != Some(chunk.elements) {
            let found = chunk.elements;
            return Err(Error::Internal {
                what: format!("expected the results of {recorded:?} elements, found {found}"),
            });
        }
        let range = self.layout.out(chunk.elements);
        // SAFETY: the batch is free, so the submission that wrote this range and ended with
        // the host barrier is complete.
        let mut from = unsafe { self.readback.read(&range)? };
        let mut copies = Vec::with_capacity(chunk.segments.len());
        for segment in chunk.segments {
            let (results, rest) = from.split_at(segment.out.len());
            copies.push((results, segment.out));
            from = rest;
        }
        host_copy::run(copies, threads);
        Ok(())
    }

    /// When the stages of the last chunk were at work on the device, in order; nothing where
    /// they are not timed.
    pub(super) fn device_stages(&self) -> Result<TimedStages, Error> {
        self.commands.device_stages()
    }

    fn record(&mut self, kernel: &Arc<ComputePipeline>, elements: usize) -> Result<(), Error> {
        let same = |(recorded, count): &(Arc<ComputePipeline>, usize)| {
            Arc::ptr_eq(recorded, kernel) && *count == elements
        };
        if self.recorded.as_ref().is_some_and(same) {
            return Ok(());
        }
        self.recorded = None;
        let layout = &self.layout;
        let host = [
            self.upload.region(layout.a(elements)),
            self.upload.region(layout.b(elements)),
            self.readback.region(layout.out(elements)),
        ];
        let device = self.device.as_ref();
        self.commands.record(kernel, elements, host, device)?;
        self.recorded = Some((Arc::clone(kernel), elements));
        Ok(())
    }
}
