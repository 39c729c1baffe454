//! The commands of one batch, with everything that they name.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use vk_core::ash::{self, vk};
use vk_core::{CommandBuffer, ComputePipeline, Device, StageTimer, Ticket};

use super::descriptors::SetArena;
use super::hazards::Hazards;
use super::pool::Block;
use super::step::{Region, Step};
use super::submitted::{Outcome, Readback, Submitted};
use crate::Error;
use crate::buffers::ReadbackBuffer;
use crate::memory::Memory;
use crate::record::{copy_region, host_barrier, order_after_all_before};

/// Where reads begin in readback memory: a word of any element.
const READ_ALIGNMENT: usize = 16;

/// A command buffer, and what it names until its ticket is complete.
pub(super) struct Frame {
    ticket: Option<Ticket>,
    outcome: Arc<Outcome>,
    device: Arc<Device>,
    commands: CommandBuffer,
    sets: SetArena,
    timer: Option<StageTimer>,
    // Free for the next batch that reads something.
    readback: Option<(ReadbackBuffer, usize)>,
    blocks: Vec<Arc<Block>>,
    operations: Vec<Arc<ComputePipeline>>,
}

impl Frame {
    pub(super) fn new(device: &Arc<Device>, timestamps: bool) -> Result<Self, Error> {
        let family = device.queue_plan().compute.family;
        Ok(Self {
            ticket: None,
            outcome: Arc::default(),
            device: Arc::clone(device),
            commands: CommandBuffer::new(device, family)?,
            sets: SetArena::new(device),
            timer: match timestamps {
                true => StageTimer::new(device, 1)?,
                false => None,
            },
            readback: None,
            blocks: Vec::new(),
            operations: Vec::new(),
        })
    }

    pub(super) fn ticket(&self) -> Option<Ticket> {
        self.ticket
    }

    pub(super) fn is_complete(&self) -> Result<bool, Error> {
        match self.ticket {
            Some(ticket) => Ok(self.device.is_complete(ticket)?),
            // Not known to be in flight, on a lost device.
            None => Ok(self.device.expect_alive().map(|()| true)?),
        }
    }

    /// Records a batch.
    ///
    /// # Safety
    /// The frame is not in flight, and dispatches are as
    /// [`Lane::submit`](super::Lane::submit) asks.
    pub(super) unsafe fn record(
        &mut self,
        memory: &Arc<Memory>,
        steps: &[Step],
        reads: &[Region],
    ) -> Result<(), Error> {
        steps.iter().try_for_each(Step::expect_sound)?;
        reads.iter().try_for_each(Region::expect_inside)?;
        self.hold(steps, reads);
        // SAFETY: not in flight by this function's contract.
        unsafe { self.sets.restart() };
        let sets = self.write_sets(steps)?;
        let readback = self.readback(memory, reads)?;
        let family = self.device.queue_plan().compute.family;
        let timer = self.timer.as_ref().map(|timer| (timer, family));
        let fill = |device: &ash::Device, commands: vk::CommandBuffer| {
            let recorder = Recorder {
                device,
                commands,
                timer,
            };
            // SAFETY: `commands` is being recorded for the compute queue; what
            // it names is held by this frame, regions lie inside their blocks
            // by the checks above, and dispatches are sound by the contract.
            unsafe { recorder.batch(steps, &sets) };
            if let Some(readback) = &readback {
                // SAFETY: as above.
                unsafe { recorder.reads(reads, readback) };
            }
        };
        // SAFETY: not in flight by this function's contract; only records.
        unsafe { self.commands.record(fill)? };
        let place = self.outcome.readback.lock();
        *place.unwrap_or_else(PoisonError::into_inner) = readback;
        Ok(())
    }

    /// Submits what was recorded.
    ///
    /// # Safety
    /// [`Self::record`] has just succeeded. The frame stays until its ticket is
    /// complete.
    pub(super) unsafe fn submit(&mut self) -> Result<Submitted, Error> {
        if let Some(timer) = &self.timer {
            // SAFETY: the frame is not in flight.
            unsafe { timer.reset() };
        }
        let queue = self.device.queue_plan().compute;
        // SAFETY: recorded for this queue; what it names is held until the
        // ticket is complete, by this function's contract.
        let ticket = unsafe { self.device.submit(queue, self.commands.raw(), None)? };
        self.ticket = Some(ticket);
        Ok(Submitted {
            device: Arc::clone(&self.device),
            ticket,
            outcome: Arc::clone(&self.outcome),
        })
    }

    /// Collects what a complete batch left, and lets go of what it named. What
    /// fails concerns that batch alone, and is in its outcome.
    ///
    /// # Safety
    /// The batch is complete.
    pub(super) unsafe fn finish(&mut self) {
        // SAFETY: this function's contract.
        let readback = unsafe { self.outcome.collect(self.device_time()) };
        self.readback = readback.or_else(|| self.readback.take());
        self.ticket = None;
        self.outcome = Arc::default();
        self.blocks.clear();
        self.operations.clear();
    }

    fn device_time(&self) -> Result<Option<Duration>, Error> {
        let family = self.device.queue_plan().compute.family;
        let spans = self.timer.as_ref().map(|timer| timer.spans(family, &[0]));
        let spans = spans.transpose()?.flatten();
        Ok(spans.and_then(|spans| spans.first().map(|span| span.end)))
    }

    fn hold(&mut self, steps: &[Step], reads: &[Region]) {
        let regions = steps.iter().flat_map(Step::regions).chain(reads);
        self.blocks = regions.map(|region| Arc::clone(&region.block)).collect();
        let operations = steps.iter().filter_map(|step| match step {
            Step::Dispatch { operation, .. } => Some(Arc::clone(operation)),
            _ => None,
        });
        self.operations = operations.collect();
    }

    /// A descriptor set for each dispatch, in their order.
    fn write_sets(&mut self, steps: &[Step]) -> Result<Vec<vk::DescriptorSet>, Error> {
        let dispatches = steps.iter().filter_map(|step| match step {
            Step::Dispatch {
                operation, buffers, ..
            } => Some((operation.set_layout(), buffers)),
            _ => None,
        });
        dispatches
            .map(|(layout, buffers)| self.sets.set(layout, buffers))
            .collect()
    }

    /// Memory for `reads`; `None` where there are none.
    fn readback(
        &mut self,
        memory: &Arc<Memory>,
        reads: &[Region],
    ) -> Result<Option<Readback>, Error> {
        let mut bytes = 0;
        let mut ranges = Vec::with_capacity(reads.len());
        for read in reads {
            let end = bytes + read.range.len();
            ranges.push(bytes..end);
            bytes = end.next_multiple_of(READ_ALIGNMENT);
        }
        if bytes == 0 {
            return Ok(None);
        }
        let known = self.readback.take().filter(|(_, room)| *room >= bytes);
        let (buffer, capacity) = match known {
            Some(known) => known,
            None => (ReadbackBuffer::new(memory, bytes)?, bytes),
        };
        Ok(Some(Readback {
            buffer,
            capacity,
            ranges,
        }))
    }
}

/// A command buffer in recording.
struct Recorder<'a> {
    device: &'a ash::Device,
    commands: vk::CommandBuffer,
    timer: Option<(&'a StageTimer, u32)>,
}

impl Recorder<'_> {
    /// Orders what follows after everything before on the queue.
    ///
    /// # Safety
    /// The command buffer is being recorded for a queue with compute.
    unsafe fn order(&self) {
        // SAFETY: this function's contract.
        unsafe { order_after_all_before(self.device, self.commands) };
    }

    /// Records all of a batch.
    ///
    /// # Safety
    /// As [`Self::steps`].
    unsafe fn batch(&self, steps: &[Step], sets: &[vk::DescriptorSet]) {
        // SAFETY: this function's contract.
        unsafe { self.order() };
        // SAFETY: this function's contract.
        unsafe { self.mark(false) };
        // SAFETY: this function's contract.
        unsafe { self.steps(steps, sets) };
        // SAFETY: this function's contract.
        unsafe { self.mark(true) };
    }

    /// Notes the start or the end of the batch, where timestamps are on.
    ///
    /// # Safety
    /// As [`Self::order`]; the timer outlives the submission.
    unsafe fn mark(&self, end: bool) {
        if let Some((timer, family)) = self.timer {
            // SAFETY: this function's contract.
            unsafe { timer.record(self.commands, family, 0, end) };
        }
    }

    /// # Safety
    /// As [`Self::order`]; everything named outlives the submission, regions
    /// lie inside their blocks, and `sets` has one set for each dispatch.
    unsafe fn steps(&self, steps: &[Step], sets: &[vk::DescriptorSet]) {
        let mut hazards = Hazards::default();
        let mut sets = sets.iter();
        for step in steps {
            let used = step.regions().map(|region| {
                let place = Arc::as_ptr(&region.block) as usize;
                (place, region.range.clone(), region.access)
            });
            if hazards.barrier_before(&used.collect::<Vec<_>>()) {
                // SAFETY: this function's contract.
                unsafe { self.order() };
            }
            // SAFETY: this function's contract.
            unsafe { self.step(step, &mut sets) };
        }
    }

    /// # Safety
    /// As [`Self::steps`].
    unsafe fn step(&self, step: &Step, sets: &mut std::slice::Iter<'_, vk::DescriptorSet>) {
        let (device, commands) = (self.device, self.commands);
        match step {
            Step::Dispatch {
                operation,
                constants,
                workgroups,
                ..
            } => {
                let set = sets.next().copied().unwrap_or_default();
                // SAFETY: this function's contract.
                unsafe { self.dispatch(operation, set, constants, *workgroups) };
            }
            Step::Copy { from, to } => {
                let region = copy_region(from.range.start, to.range.start, from.range.len());
                let (from, to) = (from.block.raw(), to.block.raw());
                // SAFETY: this function's contract.
                unsafe { device.cmd_copy_buffer(commands, from, to, &[region]) };
            }
            Step::Write { to, bytes } => {
                let (buffer, offset) = (to.block.raw(), to.range.start as u64);
                // SAFETY: this function's contract.
                unsafe { device.cmd_update_buffer(commands, buffer, offset, bytes) };
            }
        }
    }

    /// # Safety
    /// As [`Self::steps`].
    unsafe fn dispatch(
        &self,
        operation: &ComputePipeline,
        set: vk::DescriptorSet,
        constants: &[u32],
        workgroups: u32,
    ) {
        let (device, commands) = (self.device, self.commands);
        let (compute, layout) = (vk::PipelineBindPoint::COMPUTE, operation.layout());
        // SAFETY: this function's contract.
        unsafe { device.cmd_bind_pipeline(commands, compute, operation.raw()) };
        // SAFETY: the set was made with the operation's layout.
        unsafe { device.cmd_bind_descriptor_sets(commands, compute, layout, 0, &[set], &[]) };
        if !constants.is_empty() {
            let bytes: Vec<u8> = constants.iter().flat_map(|c| c.to_ne_bytes()).collect();
            let stage = vk::ShaderStageFlags::COMPUTE;
            // SAFETY: as long as the layout's range, by `Step::expect_sound`.
            unsafe { device.cmd_push_constants(commands, layout, stage, 0, &bytes) };
        }
        // SAFETY: this function's contract.
        unsafe { device.cmd_dispatch(commands, workgroups, 1, 1) };
    }

    /// # Safety
    /// As [`Self::steps`], for the regions of `reads`.
    unsafe fn reads(&self, reads: &[Region], readback: &Readback) {
        let (device, commands) = (self.device, self.commands);
        // SAFETY: this function's contract.
        unsafe { self.order() };
        let to = readback.buffer.raw();
        for (read, place) in reads.iter().zip(&readback.ranges) {
            let region = copy_region(read.range.start, place.start, place.len());
            // SAFETY: this function's contract; the readback memory has room.
            unsafe { device.cmd_copy_buffer(commands, read.block.raw(), to, &[region]) };
        }
        let (stage, access) = (
            vk::PipelineStageFlags::TRANSFER,
            vk::AccessFlags::TRANSFER_WRITE,
        );
        // SAFETY: this function's contract.
        unsafe { host_barrier(device, commands, to, stage, access) };
    }
}
