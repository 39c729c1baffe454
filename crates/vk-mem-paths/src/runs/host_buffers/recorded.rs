//! The chunks of one run over host buffers: recorded once, run again and again.

use std::sync::{Arc, Weak};
use std::time::Instant;

use vk_core::spirv::BINDINGS;
use vk_core::{ComputePipeline, Device, WaitPolicy};

use crate::Error;
use crate::memory::{Access, Block, Region};
use crate::runs::slot::{ChunkCommands, DeviceOperands};
use crate::runs::{Plan, StageTimes};

/// A, B and the output.
pub(super) type Operands = [Arc<Block>; BINDINGS];

/// A run's chunks, ready to be submitted.
pub(super) struct RecordedRun {
    chunks: Vec<ChunkCommands>,
    kernel: Arc<ComputePipeline>,
    plan: Plan,
    element_bytes: usize,
    /// Known, not held: no buffer made later can be taken for one of them.
    operands: [Weak<Block>; BINDINGS],
}

impl RecordedRun {
    /// Records the commands of a run over `operands`, which are equally long
    /// and hold one element or more. The chunks of a staged run take turns with `scratch`.
    pub(super) fn new(
        device: &Arc<Device>,
        kernel: &Arc<ComputePipeline>,
        plan: &Plan,
        element_bytes: usize,
        operands: &Operands,
        scratch: Option<&[DeviceOperands]>,
        timestamps: bool,
    ) -> Result<Self, Error> {
        let element = element_bytes;
        let elements = operands[0].bytes() / element;
        let mut chunks = Vec::with_capacity(elements.div_ceil(plan.chunk));
        for first in (0..elements).step_by(plan.chunk) {
            let count = plan.chunk.min(elements - first);
            let bytes = first * element..(first + count) * element;
            let [a, b, out] = operands;
            let mut chunk = ChunkCommands::new(device, timestamps)?;
            let host = [
                Region::new(a, bytes.clone(), Access::Read),
                Region::new(b, bytes.clone(), Access::Read),
                Region::new(out, bytes, Access::Write),
            ];
            let device = scratch.and_then(|scratch| scratch.get(chunks.len() % plan.depth));
            chunk.record(kernel, count, host, device)?;
            chunk.batch.let_go();
            chunks.push(chunk);
        }
        Ok(Self {
            chunks,
            kernel: Arc::clone(kernel),
            plan: *plan,
            element_bytes: element,
            operands: operands.each_ref().map(Arc::downgrade),
        })
    }

    /// Whether this is `kernel` over `operands` by `plan`.
    pub(super) fn is_for(
        &self,
        kernel: &Arc<ComputePipeline>,
        plan: &Plan,
        element_bytes: usize,
        operands: &Operands,
    ) -> bool {
        let same = |(known, given): (&Weak<Block>, &Arc<Block>)| {
            std::ptr::eq(known.as_ptr(), Arc::as_ptr(given))
        };
        Arc::ptr_eq(&self.kernel, kernel)
            && self.plan == *plan
            && self.element_bytes == element_bytes
            && self.operands.iter().zip(operands).all(same)
    }

    /// Whether memory that it was recorded with is gone.
    pub(super) fn is_stale(&self) -> bool {
        self.chunks.iter().any(|chunk| chunk.batch.is_stale())
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.chunks.iter().any(|chunk| chunk.batch.is_in_flight())
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    #[cfg(test)]
    pub(super) fn commands(&self) -> Vec<vk_core::ash::vk::CommandBuffer> {
        let chunks = self.chunks.iter();
        chunks.map(|chunk| chunk.batch.commands()).collect()
    }

    /// Submits every chunk and waits for all of them. On an error some may still be in
    /// flight.
    ///
    /// # Safety
    /// Until [`Self::wait`] has succeeded nobody sees the memory of the output, and no other
    /// run with the same scratch memory is in flight.
    pub(super) unsafe fn run(
        &mut self,
        wait: WaitPolicy,
        times: &mut StageTimes,
    ) -> Result<(), Error> {
        for number in 0..self.chunks.len() {
            let start = Instant::now();
            // It has had the scratch memory before.
            if let Some(earlier) = number.checked_sub(self.plan.depth) {
                self.chunks[earlier].batch.wait(wait)?;
            }
            let waited = Instant::now();
            // SAFETY: this function's contract; the chunks write different parts of the
            // output, and scratch memory is that of chunks waited for.
            unsafe { self.chunks[number].batch.submit(wait)? };
            times.wait += waited - start;
            times.submit += waited.elapsed();
        }
        let start = Instant::now();
        self.wait(wait)?;
        times.wait += start.elapsed();
        for chunk in &self.chunks {
            times.add_device(&chunk.device_stages()?);
        }
        Ok(())
    }

    pub(super) fn wait(&mut self, wait: WaitPolicy) -> Result<(), Error> {
        let mut chunks = self.chunks.iter_mut();
        chunks.try_for_each(|chunk| chunk.batch.wait(wait))
    }
}
