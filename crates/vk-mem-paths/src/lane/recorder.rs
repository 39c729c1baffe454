//! Records steps into a command buffer, with the barriers that they need.

use std::ops::Range;
use std::sync::Arc;

use vk_core::ash::{self, vk};
use vk_core::{ComputePipeline, StageTimer};

use super::step::Step;
use crate::memory::{Access, Region};

pub(super) struct Recorder<'a> {
    device: &'a ash::Device,
    commands: vk::CommandBuffer,
    timer: Option<&'a StageTimer>,
    /// One for each dispatch to come.
    sets: std::slice::Iter<'a, vk::DescriptorSet>,
    hazards: Hazards,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        device: &'a ash::Device,
        commands: vk::CommandBuffer,
        timer: Option<&'a StageTimer>,
        sets: &'a [vk::DescriptorSet],
    ) -> Self {
        Self {
            device,
            commands,
            timer,
            sets: sets.iter(),
            hazards: Hazards::default(),
        }
    }

    /// Orders what kernels and copies do after this to all that they did before, on the
    /// same queue.
    ///
    /// # Safety
    /// The command buffer is being recorded for a queue with compute.
    pub(super) unsafe fn order(&self) {
        let stages = vk::PipelineStageFlags::COMPUTE_SHADER | vk::PipelineStageFlags::TRANSFER;
        let written = vk::AccessFlags::SHADER_WRITE | vk::AccessFlags::TRANSFER_WRITE;
        let read = vk::AccessFlags::SHADER_READ | vk::AccessFlags::TRANSFER_READ;
        let barrier = [vk::MemoryBarrier::default()
            .src_access_mask(written)
            .dst_access_mask(read | written)];
        let (device, none) = (self.device, vk::DependencyFlags::empty());
        // SAFETY: this function's contract.
        unsafe {
            device.cmd_pipeline_barrier(self.commands, stages, stages, none, &barrier, &[], &[]);
        }
    }

    /// Records `steps`, timed where they have a stage and there is a timer.
    ///
    /// # Safety
    /// As [`Self::order`]; everything that the steps name, and the timer, outlives the
    /// submission, regions lie inside their blocks, and dispatches inside their regions.
    pub(super) unsafe fn part(&mut self, stage: Option<u32>, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            let used = step.regions().map(|region| {
                let place = Arc::as_ptr(&region.block) as usize;
                (place, region.range.clone(), region.access)
            });
            if self.hazards.barrier_before(used) {
                // SAFETY: this function's contract.
                unsafe { self.order() };
            }
            if number == 0 {
                // SAFETY: this function's contract.
                unsafe { self.mark(stage, false) };
            }
            // SAFETY: this function's contract.
            unsafe { self.step(step) };
        }
        // SAFETY: this function's contract.
        unsafe { self.mark(stage, true) };
    }

    /// Makes what was written to `results` visible to the host: waiting for the submission
    /// alone does not.
    ///
    /// # Safety
    /// As [`Self::part`].
    pub(super) unsafe fn show_host(&self, results: &[Region]) {
        if results.is_empty() {
            return;
        }
        let barriers: Vec<_> = results
            .iter()
            .map(|result| {
                vk::BufferMemoryBarrier::default()
                    .src_access_mask(
                        vk::AccessFlags::SHADER_WRITE | vk::AccessFlags::TRANSFER_WRITE,
                    )
                    .dst_access_mask(vk::AccessFlags::HOST_READ)
                    .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
                    .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
                    .buffer(result.block.raw())
                    .size(vk::WHOLE_SIZE)
            })
            .collect();
        let stages = vk::PipelineStageFlags::COMPUTE_SHADER | vk::PipelineStageFlags::TRANSFER;
        let (host, none) = (vk::PipelineStageFlags::HOST, vk::DependencyFlags::empty());
        let (device, commands) = (self.device, self.commands);
        // SAFETY: this function's contract.
        unsafe { device.cmd_pipeline_barrier(commands, stages, host, none, &[], &barriers, &[]) };
    }

    /// Notes the start or the end of a stage.
    ///
    /// # Safety
    /// As [`Self::part`].
    unsafe fn mark(&self, stage: Option<u32>, end: bool) {
        if let (Some(timer), Some(stage)) = (self.timer, stage) {
            // SAFETY: this function's contract.
            unsafe { timer.record(self.commands, stage, end) };
        }
    }

    /// # Safety
    /// As [`Self::part`].
    unsafe fn step(&mut self, step: &Step) {
        let (device, commands) = (self.device, self.commands);
        match step {
            Step::Dispatch {
                pipeline,
                constants,
                workgroups,
                ..
            } => {
                // SAFETY: this function's contract.
                unsafe { self.dispatch(pipeline, constants, *workgroups) };
            }
            Step::Copy { from, to } => {
                let region = [vk::BufferCopy::default()
                    .src_offset(from.range.start as u64)
                    .dst_offset(to.range.start as u64)
                    .size(from.range.len() as u64)];
                let (from, to) = (from.block.raw(), to.block.raw());
                // SAFETY: this function's contract.
                unsafe { device.cmd_copy_buffer(commands, from, to, &region) };
            }
            Step::Write { to, bytes } => {
                let (buffer, offset) = (to.block.raw(), to.range.start as u64);
                // SAFETY: this function's contract.
                unsafe { device.cmd_update_buffer(commands, buffer, offset, bytes) };
            }
            Step::Zero { to } => {
                let (buffer, offset) = (to.block.raw(), to.range.start as u64);
                let bytes = to.range.len() as u64;
                // SAFETY: this function's contract.
                unsafe { device.cmd_fill_buffer(commands, buffer, offset, bytes, 0) };
            }
        }
    }

    /// # Safety
    /// As [`Self::part`].
    unsafe fn dispatch(&mut self, pipeline: &ComputePipeline, constants: &[u32], workgroups: u32) {
        let (device, commands) = (self.device, self.commands);
        let (compute, layout) = (vk::PipelineBindPoint::COMPUTE, pipeline.layout());
        let set = [self.sets.next().copied().unwrap_or_default()];
        // SAFETY: this function's contract.
        unsafe { device.cmd_bind_pipeline(commands, compute, pipeline.raw()) };
        // SAFETY: the set was made with the pipeline's layout.
        unsafe { device.cmd_bind_descriptor_sets(commands, compute, layout, 0, &set, &[]) };
        if !constants.is_empty() {
            let bytes: Vec<u8> = constants.iter().flat_map(|c| c.to_ne_bytes()).collect();
            let stage = vk::ShaderStageFlags::COMPUTE;
            // SAFETY: as long as the layout's range, by `Step::expect_sound`.
            unsafe { device.cmd_push_constants(commands, layout, stage, 0, &bytes) };
        }
        // SAFETY: this function's contract.
        unsafe { device.cmd_dispatch(commands, workgroups, 1, 1) };
    }
}

/// A block's address or number.
type BlockId = usize;

/// Where a batch needs a barrier: before a step that conflicts with one since the last barrier.
/// Holds what was used since.
#[derive(Default)]
struct Hazards {
    used: Vec<(BlockId, Range<usize>, Access)>,
}

impl Hazards {
    /// Notes the next step's regions, and says whether a barrier must stand
    /// before it: where it reads what was written, or writes what was read or
    /// written.
    fn barrier_before(
        &mut self,
        step: impl IntoIterator<Item = (BlockId, Range<usize>, Access)>,
    ) -> bool {
        let earlier = self.used.len();
        self.used.extend(step);
        let (before, step) = self.used.split_at(earlier);
        let conflicts = |(block, range, access): &(BlockId, Range<usize>, Access)| {
            before.iter().any(|(other, used, before)| {
                let both_read = (*access, *before) == (Access::Read, Access::Read);
                other == block && overlap(range, used) && !both_read
            })
        };
        let barrier = step.iter().any(conflicts);
        if barrier {
            self.used.drain(..earlier);
        }
        barrier
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use Access::{Read, Write};

    #[test]
    fn only_conflicts_want_barriers() {
        let mut hazards = Hazards::default();
        // x is written.
        assert!(!hazards.barrier_before([(1, 0..8, Write)]));
        // Something else is written: independent.
        assert!(!hazards.barrier_before([(2, 0..8, Write), (3, 0..8, Read)]));
        // Reads after reads.
        assert!(!hazards.barrier_before([(3, 4..8, Read), (4, 0..8, Write)]));
        // The other half of a block that was written in part.
        assert!(!hazards.barrier_before([(1, 8..16, Write)]));
        // Read after write.
        assert!(hazards.barrier_before([(1, 7..9, Read), (5, 0..1, Write)]));
        // What came before the barrier is forgotten, what came after is not.
        assert!(!hazards.barrier_before([(2, 0..8, Write)]));
        // Write after read.
        assert!(hazards.barrier_before([(1, 0..8, Write)]));
        // Write after write.
        assert!(hazards.barrier_before([(1, 0..1, Write)]));
    }
}
