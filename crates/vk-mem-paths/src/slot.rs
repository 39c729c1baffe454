//! One slot of the transfer loop: its buffers, its commands and its state.
//!
//! # Safety
//!
//! A slot's buffers, command buffers, descriptor set and timer may be touched
//! only while no submission that names them is in flight. The slot's state is
//! what says so:
//!
//! ```text
//! Free --stage, submit--> InFlight(ticket) --ticket complete, copy out--> Free
//! ```
//!
//! 1. Every submission sets `InFlight` before anything else can fail, so a
//!    slot that is `Free` has nothing in flight, unless the device was lost:
//!    a submission that reports the loss may have begun.
//! 2. `InFlight` becomes `Free` only after waiting for its ticket succeeded.
//!    A wait that timed out or failed leaves the state as it is.
//! 3. A chunk is one submission, whose ticket it is.
//! 4. `stage` and `submit` refuse a slot that is not `Free`, and every slot
//!    of a lost device.
//! 5. A slot is dropped only while `Free` or through `retire`, which waits
//!    and, where the device does not answer in time, leaks the slot instead.
//!    So buffers, and the kernel that `recorded` holds, outlive every
//!    submission that names them. A lost device executes nothing any more.

use std::sync::Arc;
use std::time::Instant;

use tracing::trace_span;
use vk_core::ash::vk;
use vk_core::{CommandBuffer, ComputePipeline, Device, SetLayout, StageTimer, Ticket, WaitPolicy};

use crate::buffers::{DeviceBuffer, ReadbackBuffer, UploadBuffer};
use crate::descriptors::DescriptorSet;
use crate::layout::Layout;
use crate::memory::Memory;
use crate::record::{Buffers, Recording};
use crate::stages::Stage;
use crate::timeline::TimedStages;
use crate::work::ChunkWork;
use crate::{Crew, Error, StageKind, TransferPath, host_copy};

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
    state: State,
    device: Arc<Device>,
    stages: &'static [Stage],
    commands: CommandBuffer,
    recorded: Option<(Arc<ComputePipeline>, usize)>,
    set: DescriptorSet,
    timed: bool,
    timer: Option<StageTimer>,
    buffers: Buffers,
    layout: Layout,
    capacity: usize,
    element_bytes: usize,
}

#[derive(Clone, Copy)]
enum State {
    Free,
    InFlight(Ticket),
}

impl Slot {
    pub(crate) fn new(
        device: &Arc<Device>,
        memory: &Arc<Memory>,
        set_layout: &Arc<SetLayout>,
        shape: &SlotShape,
    ) -> Result<Self, Error> {
        let alignment = device.caps().limits.storage_buffer_alignment;
        let alignment = usize::try_from(alignment).unwrap_or(usize::MAX);
        let layout = Layout::new(shape.capacity, shape.element_bytes, alignment);
        let (input, output) = (layout.input_bytes(), layout.output_bytes());
        let buffers = Buffers {
            upload: UploadBuffer::new(memory, shape.path.upload_memory(), input)?,
            readback: ReadbackBuffer::new(memory, output)?,
            device: match shape.path {
                TransferPath::HostVisible | TransferPath::Bar => None,
                TransferPath::DeviceLocal => Some((
                    DeviceBuffer::new(memory, input)?,
                    DeviceBuffer::new(memory, output)?,
                )),
            },
        };
        Ok(Self {
            state: State::Free,
            device: Arc::clone(device),
            stages: shape.path.stages(),
            commands: CommandBuffer::new(device, device.queue_plan().compute.family)?,
            recorded: None,
            set: DescriptorSet::new(device, set_layout)?,
            timed: shape.timestamps,
            timer: match shape.timestamps {
                true => StageTimer::new(device, Stage::COUNT)?,
                false => None,
            },
            buffers,
            layout,
            capacity: shape.capacity,
            element_bytes: shape.element_bytes,
        })
    }

    pub(crate) fn fits(&self, capacity: usize, element_bytes: usize) -> bool {
        self.capacity >= capacity && self.element_bytes == element_bytes
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight(_))
    }

    /// Whether runs on this slot are timed.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed
    }

    /// Copies the inputs of `work` into the upload buffer.
    pub(crate) fn stage(&mut self, work: &ChunkWork<'_>, crew: &mut Crew) -> Result<(), Error> {
        self.expect_free()?;
        if work.elements > self.capacity {
            return Err(Error::Internal {
                what: format!(
                    "expected a chunk of {} elements at most, found {}",
                    self.capacity, work.elements
                ),
            });
        }
        let ranges = [self.layout.a(work.elements), self.layout.b(work.elements)];
        // SAFETY: nothing is in flight (rule 1).
        let [mut a, mut b] = unsafe { self.buffers.upload.views(ranges.clone())? };
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
        ranges
            .iter()
            .try_for_each(|range| self.buffers.upload.flush(range))
    }

    /// Submits the `elements` staged last to run through `kernel`.
    pub(crate) fn submit(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        elements: usize,
    ) -> Result<(), Error> {
        self.expect_free()?;
        self.record(kernel, elements)?;
        if let Some(timer) = &self.timer {
            // SAFETY: nothing is in flight (rule 1).
            unsafe { timer.reset() };
        }
        let queue = self.device.queue_plan().compute;
        // SAFETY: recorded above, not in flight (rule 1); what it names
        // stays until the ticket is complete (rules 2 to 5).
        let ticket = unsafe { self.device.submit(queue, self.commands.raw(), None)? };
        self.state = State::InFlight(ticket);
        Ok(())
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
            device: self.device_stages()?,
        })
    }

    /// Waits for whatever is in flight.
    pub(crate) fn release(&mut self, wait: WaitPolicy) -> Result<(), Error> {
        if let State::InFlight(ticket) = self.state {
            self.device.wait(ticket, wait)?;
            self.state = State::Free;
        }
        Ok(())
    }

    /// Drops the slot once nothing of it is in flight; leaks it where the device
    /// does not say so in time.
    pub(crate) fn retire(mut self, wait: WaitPolicy) {
        if self.device.is_inherited() {
            return;
        }
        let released = self.release(wait);
        if self.device.is_lost() {
            // Even a submission that reported the loss may have begun.
            let _ = self.device.wait_idle();
        } else if let Err(error) = released {
            tracing::error!("leaking a slot that is still in flight: {error}");
            std::mem::forget(self);
        }
    }

    fn copy_out(&mut self, work: ChunkWork<'_>, crew: &mut Crew) -> Result<(), Error> {
        let range = self.layout.out(work.elements);
        // SAFETY: the submission that wrote this range and recorded the host
        // barrier is complete (rule 2), and nothing else is in flight.
        let mut from = unsafe { self.buffers.readback.read(&range)? };
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
        let (input, output) = self.buffers.kernel_operands();
        let ranges = [self.layout.a(elements), self.layout.b(elements)];
        let [a, b] = ranges.map(|range| (input, range));
        let out = (output, self.layout.out(elements));
        // SAFETY: nothing is in flight (rule 1); the buffers live as long as
        // the set.
        unsafe { self.set.write([a, b, out]) };
        let count = u32::try_from(elements).map_err(|_| Error::Internal {
            what: format!("expected a chunk below 2^32 elements, found {elements}"),
        })?;
        let recording = Recording {
            buffers: &self.buffers,
            layout: &self.layout,
            kernel,
            set: self.set.raw(),
            timer: self.timer.as_ref(),
            elements: count,
        };
        let (family, stages) = (self.device.queue_plan().compute.family, self.stages);
        let fill = |device: &vk_core::ash::Device, buffer: vk::CommandBuffer| {
            // SAFETY: being recorded for `family`; all that `recording`
            // names lives in this slot (rules 2 to 5).
            unsafe { recording.record(device, buffer, family, stages) };
        };
        // SAFETY: nothing is in flight (rule 1).
        unsafe { self.commands.record(fill)? };
        self.recorded = Some((Arc::clone(kernel), elements));
        Ok(())
    }

    /// When the stages of the last submission were at work.
    fn device_stages(&self) -> Result<TimedStages, Error> {
        let Some(timer) = &self.timer else {
            return Ok(Vec::new());
        };
        let family = self.device.queue_plan().compute.family;
        let numbers: Vec<_> = self.stages.iter().map(|stage| stage.number()).collect();
        let spans = timer.spans(family, &numbers)?.unwrap_or_default();
        let kinds = self.stages.iter().map(|stage| StageKind::from(*stage));
        Ok(kinds.zip(spans).collect())
    }

    fn expect_free(&self) -> Result<(), Error> {
        // A submission that reported the loss may have begun all the same.
        self.device.expect_alive()?;
        match self.state {
            State::Free => Ok(()),
            State::InFlight(_) => Err(Error::Internal {
                what: "expected a free slot, found one in flight".to_owned(),
            }),
        }
    }
}
