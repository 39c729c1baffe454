//! One slot of the transfer loop: its buffers, and the commands of its chunk.
//!
//! What is in flight of it is its batch (`lane::batch`), which holds all that its commands
//! name. The host touches the upload and readback memory only while the batch is free.

use std::sync::Arc;
use std::time::Instant;

use tracing::trace_span;
use vk_core::{ComputePipeline, Device, WaitPolicy};

use crate::buffers::{ReadbackBuffer, UploadBuffer};
use crate::chunk::{Chunk, ChunkBatch, DeviceOperands};
use crate::layout::Layout;
use crate::memory::Memory;
use crate::timeline::TimedStages;
use crate::work::ChunkWork;
use crate::{Crew, Error, TransferPath, host_copy};

/// What a slot is made for.
pub(crate) struct SlotShape {
    pub(crate) path: TransferPath,
    pub(crate) capacity: usize,
    pub(crate) element_bytes: usize,
    pub(crate) timestamps: bool,
}

/// How a chunk came to its end.
pub(crate) struct Finished {
    /// When the host began to wait for the device.
    pub(crate) waiting: Instant,
    /// When it saw that the device was done, and began to copy.
    pub(crate) done: Instant,
    /// When the results were copied out.
    pub(crate) copied: Instant,
    /// The stages on the device, in order; nothing where they are not timed.
    pub(crate) device: TimedStages,
}

pub(crate) struct Slot {
    chunk: ChunkBatch,
    /// What is recorded: a kernel, and over how many elements.
    recorded: Option<(Arc<ComputePipeline>, usize)>,
    upload: UploadBuffer,
    readback: ReadbackBuffer,
    /// Of the device-local path alone.
    device: Option<DeviceOperands>,
    layout: Layout,
    timed: bool,
    capacity: usize,
    element_bytes: usize,
}

impl Slot {
    pub(crate) fn new(
        device: &Arc<Device>,
        memory: &Arc<Memory>,
        shape: &SlotShape,
    ) -> Result<Self, Error> {
        let layout = Layout::on(device.caps(), shape.capacity, shape.element_bytes);
        let purpose = shape.path.upload_memory();
        Ok(Self {
            chunk: ChunkBatch::new(device, shape.timestamps)?,
            recorded: None,
            upload: UploadBuffer::new(memory, purpose, layout.input_bytes())?,
            readback: ReadbackBuffer::new(memory, layout.output_bytes())?,
            device: match shape.path {
                TransferPath::HostVisible | TransferPath::Bar => None,
                TransferPath::DeviceLocal => Some(DeviceOperands::new(memory, layout)?),
            },
            layout,
            timed: shape.timestamps,
            capacity: shape.capacity,
            element_bytes: shape.element_bytes,
        })
    }

    pub(crate) fn fits(&self, capacity: usize, element_bytes: usize) -> bool {
        self.capacity >= capacity && self.element_bytes == element_bytes
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        self.chunk.batch.is_in_flight()
    }

    /// Whether runs on this slot are timed.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed
    }

    /// Copies the inputs of `work` into the upload buffer.
    pub(crate) fn stage(&mut self, work: &ChunkWork<'_>, crew: &mut Crew) -> Result<(), Error> {
        self.chunk.batch.expect_free()?;
        if work.elements > self.capacity {
            return Err(Error::Internal {
                what: format!(
                    "expected a chunk of {} elements at most, found {}",
                    self.capacity, work.elements
                ),
            });
        }
        let ranges = [self.layout.a(work.elements), self.layout.b(work.elements)];
        // SAFETY: the batch is free, and nothing else names the memory.
        let [mut a, mut b] = unsafe { self.upload.views(ranges.clone())? };
        let mut copies = Vec::with_capacity(2 * work.pieces.len());
        for piece in &work.pieces {
            let (to_a, rest_a) = a.split_at_mut(piece.a.len());
            let (to_b, rest_b) = b.split_at_mut(piece.b.len());
            copies.push((piece.a, to_a));
            copies.push((piece.b, to_b));
            (a, b) = (rest_a, rest_b);
        }
        match work.element.check {
            None => host_copy::run(copies, crew),
            Some(check) => {
                let refused = host_copy::run_checked(copies, work.element.bytes, check, crew);
                refused.map_or(Ok(()), |refused| Err(work.refusal(refused)))?;
            }
        }
        ranges.iter().try_for_each(|range| self.upload.flush(range))
    }

    /// Submits the `elements` staged last to run through `kernel`; `wait` is how long that
    /// may take.
    pub(crate) fn submit(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        elements: usize,
        wait: WaitPolicy,
    ) -> Result<(), Error> {
        self.record(kernel, elements)?;
        // SAFETY: no view of the memory is about, and the host makes the next when the batch
        // is free; nobody else has the slot's memory.
        unsafe { self.chunk.batch.submit(wait).map(drop) }
    }

    /// Waits for the chunk in flight, which is `work` and has the number
    /// `chunk`, and copies its results out.
    pub(crate) fn finish(
        &mut self,
        work: ChunkWork<'_>,
        chunk: usize,
        wait: WaitPolicy,
        crew: &mut Crew,
    ) -> Result<Finished, Error> {
        let elements = work.elements;
        let submitted = self.recorded.as_ref().map(|(_, elements)| *elements);
        if submitted != Some(elements) {
            return Err(Error::Internal {
                what: format!("expected the results of {submitted:?} elements, found {elements}"),
            });
        }
        let waiting = Instant::now();
        trace_span!("wait", chunk, elements).in_scope(|| self.release(wait))?;
        let done = Instant::now();
        trace_span!("copy out", chunk, elements).in_scope(|| self.copy_out(work, crew))?;
        Ok(Finished {
            waiting,
            done,
            copied: Instant::now(),
            device: self.chunk.device_stages()?,
        })
    }

    /// Waits for whatever is in flight.
    pub(crate) fn release(&mut self, wait: WaitPolicy) -> Result<(), Error> {
        self.chunk.batch.wait(wait)
    }

    fn copy_out(&mut self, work: ChunkWork<'_>, crew: &mut Crew) -> Result<(), Error> {
        let range = self.layout.out(work.elements);
        // SAFETY: the submission that wrote this range and ended with the host
        // barrier is complete, said `release`; none since.
        let mut from = unsafe { self.readback.read(&range)? };
        let mut copies = Vec::with_capacity(work.pieces.len());
        for piece in work.pieces {
            let (results, rest) = from.split_at(piece.out.len());
            copies.push((results, piece.out));
            from = rest;
        }
        host_copy::run(copies, crew);
        Ok(())
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
        self.chunk.record(Chunk {
            kernel,
            elements,
            host: [
                self.upload.region(layout.a(elements)),
                self.upload.region(layout.b(elements)),
                self.readback.region(layout.out(elements)),
            ],
            device: self.device.as_ref(),
        })?;
        self.recorded = Some((Arc::clone(kernel), elements));
        Ok(())
    }
}
