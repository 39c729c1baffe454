//! The submissions of one run: recorded once, flown again and again.

use std::sync::{Arc, Weak};
use std::time::Instant;

use vk_core::ash::{self, vk};
use vk_core::spirv::BINDINGS;
use vk_core::{CommandBuffer, ComputePipeline, Device, SetLayout, StageTimer, Ticket, WaitPolicy};

use super::PinnedPlan;
use super::scratch::Scratch;
use crate::descriptors::DescriptorSets;
use crate::memory::Block;
use crate::record::{BufferCopies, Steps, copy_region};
use crate::stages::Stage;
use crate::stats::StageTimes;
use crate::timeline::TimedStages;
use crate::{Error, StageKind};

/// A, B and the output.
pub(super) type Operands = [Arc<Block>; BINDINGS];

/// What a flight computes, and how.
pub(super) struct Course {
    pub(super) kernel: Arc<ComputePipeline>,
    pub(super) plan: PinnedPlan,
    pub(super) element_bytes: usize,
    /// Where the chunks of a staged run are computed.
    pub(super) scratch: Option<Arc<Scratch>>,
}

/// A run's chunks, ready to be submitted.
pub(super) struct Flight {
    // Some: in flight. The memory stays until all tickets are complete.
    kept: Option<Operands>,
    // The submission of each chunk submitted so far.
    tickets: Vec<Ticket>,
    device: Arc<Device>,
    stages: &'static [Stage],
    // The commands of each chunk.
    chunks: Vec<CommandBuffer>,
    sets: DescriptorSets,
    timer: Option<StageTimer>,
    course: Course,
    operands: [Weak<Block>; BINDINGS],
}

impl Flight {
    /// Records the commands of a run over `operands`, which are equally long
    /// and hold one element or more.
    pub(super) fn new(
        device: &Arc<Device>,
        set_layout: &Arc<SetLayout>,
        course: Course,
        operands: &Operands,
        timestamps: bool,
    ) -> Result<Self, Error> {
        let plan = &course.plan;
        let elements = operands[0].bytes() / course.element_bytes;
        let count = elements.div_ceil(plan.chunk());
        let stages = plan.path().stages();
        let mut flight = Self {
            kept: None,
            tickets: Vec::with_capacity(count),
            device: Arc::clone(device),
            stages,
            chunks: Vec::with_capacity(count),
            sets: DescriptorSets::new(device, set_layout, count)?,
            timer: match timestamps {
                true => StageTimer::new(device, Self::first_stage(count))?,
                false => None,
            },
            course,
            operands: operands.each_ref().map(Arc::downgrade),
        };
        for number in 0..count {
            flight.record(number, elements, operands)?;
        }
        Ok(flight)
    }

    /// Whether this is `kernel` over `operands` by `plan`.
    pub(super) fn is_for(
        &self,
        kernel: &Arc<ComputePipeline>,
        plan: &PinnedPlan,
        element_bytes: usize,
        operands: &Operands,
    ) -> bool {
        let same = |(known, given): (&Weak<Block>, &Arc<Block>)| {
            std::ptr::eq(known.as_ptr(), Arc::as_ptr(given))
        };
        Arc::ptr_eq(&self.course.kernel, kernel)
            && self.course.plan == *plan
            && self.course.element_bytes == element_bytes
            && self.operands.iter().zip(operands).all(same)
    }

    /// Whether a buffer that it was recorded for is gone.
    pub(super) fn is_stale(&self) -> bool {
        self.operands.iter().any(|known| known.strong_count() == 0)
    }

    pub(super) fn is_staged(&self) -> bool {
        self.course.scratch.is_some()
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.kept.is_some()
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Which command buffers it submits.
    #[cfg(test)]
    pub(super) fn commands(&self) -> Vec<vk::CommandBuffer> {
        self.chunks.iter().map(CommandBuffer::raw).collect()
    }

    /// Submits every chunk and waits for all of them, with `kept` being the
    /// buffers that it was recorded for. On an error it may still be in
    /// flight.
    pub(super) fn fly(
        &mut self,
        kept: Operands,
        wait: WaitPolicy,
        times: &mut StageTimes,
    ) -> Result<(), Error> {
        if self.is_in_flight() {
            return Err(Error::Internal {
                what: "expected a flight on the ground, found one in flight".to_owned(),
            });
        }
        if let Some(timer) = &self.timer {
            // SAFETY: nothing is in flight, checked above.
            unsafe { timer.reset() };
        }
        self.kept = Some(kept);
        for number in 0..self.chunks.len() {
            let start = Instant::now();
            let earlier = number.checked_sub(self.course.plan.depth());
            if let Some(ticket) = earlier.and_then(|earlier| self.tickets.get(earlier)) {
                self.device.wait(*ticket, wait)?;
            }
            let waited = Instant::now();
            self.submit(number)?;
            times.wait += waited - start;
            times.submit += waited.elapsed();
        }
        let start = Instant::now();
        self.land(wait)?;
        times.wait += start.elapsed();
        self.add_device_times(times)
    }

    /// Waits for whatever is in flight.
    pub(super) fn land(&mut self, wait: WaitPolicy) -> Result<(), Error> {
        for ticket in &self.tickets {
            self.device.wait(*ticket, wait)?;
        }
        if self.is_in_flight() {
            // A submission that reported the loss left no ticket, and may
            // have begun.
            self.device.expect_alive()?;
        }
        self.tickets.clear();
        self.kept = None;
        Ok(())
    }

    /// Drops the flight once nothing of it is in flight; leaks it where the
    /// device does not say so in time.
    pub(super) fn retire(mut self, wait: WaitPolicy) {
        if self.device.is_inherited() {
            return;
        }
        let landed = self.land(wait);
        if self.device.is_lost() {
            let _ = self.device.wait_idle();
        } else if let Err(error) = landed {
            tracing::error!("leaking buffers that are still in flight: {error}");
            std::mem::forget(self);
        }
    }

    /// Submits one chunk.
    fn submit(&mut self, number: usize) -> Result<(), Error> {
        let (queue, commands) = (self.device.queue_plan().compute, &self.chunks[number]);
        // SAFETY: recorded by `new`; not in flight, since `fly` checked
        // and submits each chunk once. What the commands name lives in
        // this flight and in `kept`, until `land` saw every ticket
        // complete (rules 2, 4 and 5). Scratch memory of an earlier chunk
        // is used again only after `fly` waited for that chunk.
        let ticket = unsafe { self.device.submit(queue, commands.raw(), None)? };
        self.tickets.push(ticket);
        Ok(())
    }

    /// Records chunk `number` of a run over `elements` elements.
    fn record(&mut self, number: usize, elements: usize, operands: &Operands) -> Result<(), Error> {
        let Course {
            kernel,
            plan,
            element_bytes,
            scratch,
        } = &self.course;
        let first = number * plan.chunk();
        let len = plan.chunk().min(elements - first);
        let count = u32::try_from(len).map_err(|_| Error::Internal {
            what: format!("expected a chunk below 2^32 elements, found {len}"),
        })?;
        let (start, bytes) = (first * element_bytes, len * element_bytes);
        let [a, b, out] = operands.each_ref().map(|operand| operand.raw());
        let slot = scratch.as_ref().and_then(|scratch| {
            let slot = scratch.slots.get(number % plan.depth())?;
            Some((slot, &scratch.layout))
        });
        let (bound, uploads, download) = match slot {
            None => {
                let shared = [a, b, out].map(|buffer| (buffer, start..start + bytes));
                (shared, Vec::new(), None)
            }
            Some(((input, output), layout)) => {
                let (to_a, to_b) = (layout.a(len), layout.b(len));
                let upload = |from, to: usize| BufferCopies {
                    from,
                    to: input.raw(),
                    regions: vec![copy_region(start, to, bytes)],
                };
                let uploads = vec![upload(a, to_a.start), upload(b, to_b.start)];
                let from = layout.out(len);
                let download = BufferCopies {
                    from: output.raw(),
                    to: out,
                    regions: vec![copy_region(from.start, start, bytes)],
                };
                let own = [
                    (input.raw(), to_a),
                    (input.raw(), to_b),
                    (output.raw(), from),
                ];
                (own, uploads, Some(download))
            }
        };
        // SAFETY: `new` made a set per chunk and nothing is in flight; the
        // ranges lie inside the operands and the scratch memory, and both are
        // kept while the set is in flight (rule 2).
        unsafe { self.sets.write(number, bound) };
        let steps = Steps {
            kernel,
            set: self.sets.raw(number),
            elements: count,
            uploads,
            download,
            result: out,
            timer: self
                .timer
                .as_ref()
                .map(|timer| (timer, Self::first_stage(number))),
        };
        let family = self.device.queue_plan().compute.family;
        let mut commands = CommandBuffer::new(&self.device, family)?;
        let fill = |device: &ash::Device, buffer: vk::CommandBuffer| {
            // SAFETY: being recorded for `family`; all that `steps` names
            // is kept while it is in flight (rule 2), and its regions are
            // the ranges above.
            unsafe { steps.record(device, buffer, family, self.stages) };
        };
        // SAFETY: made above, so not in flight.
        unsafe { commands.record(fill)? };
        self.chunks.push(commands);
        Ok(())
    }

    fn add_device_times(&self, times: &mut StageTimes) -> Result<(), Error> {
        let Some(timer) = &self.timer else {
            return Ok(());
        };
        for number in 0..self.chunks.len() {
            let first = Self::first_stage(number);
            let stages = self.stages.iter();
            let numbers: Vec<_> = stages.clone().map(|stage| first + stage.number()).collect();
            let spans = timer.spans(self.device.queue_plan().compute.family, &numbers)?;
            let kinds = stages.map(|stage| StageKind::from(*stage));
            let timed: TimedStages = kinds.zip(spans.unwrap_or_default()).collect();
            times.add_device(&timed);
        }
        Ok(())
    }

    /// The timer's number of the first stage of chunk `number`.
    fn first_stage(number: usize) -> u32 {
        u32::try_from(number)
            .unwrap_or(u32::MAX)
            .saturating_mul(Stage::COUNT)
    }
}
