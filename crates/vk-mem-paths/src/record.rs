//! Records the stages of a chunk into command buffers.

use vk_core::ash::{self, vk};
use vk_core::{Kernel, StageTimer};

use crate::buffers::{DeviceBuffer, ReadbackBuffer, UploadBuffer};
use crate::layout::Layout;
use crate::stages::Stage;

/// The buffers of a slot; `device` holds inputs and output of the
/// device-local path.
pub(crate) struct Buffers {
    pub(crate) upload: UploadBuffer,
    pub(crate) readback: ReadbackBuffer,
    pub(crate) device: Option<(DeviceBuffer, DeviceBuffer)>,
}

impl Buffers {
    /// What the kernel reads and what it writes.
    pub(crate) fn kernel_operands(&self) -> (vk::Buffer, vk::Buffer) {
        match &self.device {
            Some((input, output)) => (input.raw(), output.raw()),
            None => (self.upload.raw(), self.readback.raw()),
        }
    }
}

/// What one chunk's commands are made from.
pub(crate) struct Recording<'a> {
    pub(crate) buffers: &'a Buffers,
    pub(crate) layout: &'a Layout,
    pub(crate) kernel: &'a Kernel,
    pub(crate) set: vk::DescriptorSet,
    pub(crate) timer: Option<&'a StageTimer>,
    pub(crate) elements: u32,
}

impl Recording<'_> {
    /// Records `stages`, which run on a queue of `family`.
    ///
    /// # Safety
    /// `commands` is being recorded for that family, and everything that
    /// `self` names outlives its submission.
    pub(crate) unsafe fn record(
        &self,
        device: &ash::Device,
        commands: vk::CommandBuffer,
        family: u32,
        stages: &[Stage],
    ) {
        for (position, stage) in stages.iter().enumerate() {
            if position > 0 {
                // SAFETY: this function's contract.
                unsafe { barrier_between_stages(device, commands) };
            }
            // SAFETY: this function's contract.
            unsafe { self.timestamp(commands, family, *stage, false) };
            match stage {
                // SAFETY: this function's contract.
                Stage::Upload => unsafe { self.upload(device, commands) },
                // SAFETY: this function's contract.
                Stage::Kernel => unsafe { self.dispatch(device, commands) },
                // SAFETY: this function's contract.
                Stage::Download => unsafe { self.download(device, commands) },
            }
            // SAFETY: this function's contract.
            unsafe { self.timestamp(commands, family, *stage, true) };
        }
        let last = stages.last().copied();
        let (stage, access) = match (last, &self.buffers.device) {
            (Some(Stage::Download), _) => (
                vk::PipelineStageFlags::TRANSFER,
                vk::AccessFlags::TRANSFER_WRITE,
            ),
            (Some(Stage::Kernel), None) => (
                vk::PipelineStageFlags::COMPUTE_SHADER,
                vk::AccessFlags::SHADER_WRITE,
            ),
            // The chunk goes on in another command buffer.
            _ => return,
        };
        let readback = &self.buffers.readback;
        // SAFETY: this function's contract.
        unsafe { readback.record_host_barrier(device, commands, stage, access) };
    }

    /// Notes the start or the end of `stage`, where timestamps are on.
    ///
    /// # Safety
    /// As [`Self::record`].
    unsafe fn timestamp(&self, commands: vk::CommandBuffer, family: u32, stage: Stage, end: bool) {
        if let Some(timer) = self.timer {
            // SAFETY: as `record`.
            unsafe { timer.record(commands, family, stage.number(), end) };
        }
    }

    /// Copies both inputs to device memory.
    ///
    /// # Safety
    /// As [`Self::record`].
    unsafe fn upload(&self, device: &ash::Device, commands: vk::CommandBuffer) {
        let Some((input, _)) = &self.buffers.device else {
            return;
        };
        let elements = self.elements as usize;
        let regions = [self.layout.a(elements), self.layout.b(elements)].map(|range| {
            vk::BufferCopy::default()
                .src_offset(range.start as u64)
                .dst_offset(range.start as u64)
                .size(range.len() as u64)
        });
        let from = self.buffers.upload.raw();
        // SAFETY: as `record`; both buffers have the same layout and size.
        unsafe { device.cmd_copy_buffer(commands, from, input.raw(), &regions) };
    }

    /// Copies the result back to staging memory.
    ///
    /// # Safety
    /// As [`Self::record`].
    unsafe fn download(&self, device: &ash::Device, commands: vk::CommandBuffer) {
        let Some((_, output)) = &self.buffers.device else {
            return;
        };
        let bytes = self.layout.out(self.elements as usize).len() as u64;
        let region = [vk::BufferCopy::default().size(bytes)];
        let to = self.buffers.readback.raw();
        // SAFETY: as `record`; both buffers hold at least `bytes`.
        unsafe { device.cmd_copy_buffer(commands, output.raw(), to, &region) };
    }

    /// Runs the kernel over the chunk.
    ///
    /// # Safety
    /// As [`Self::record`].
    unsafe fn dispatch(&self, device: &ash::Device, commands: vk::CommandBuffer) {
        let compute = vk::PipelineBindPoint::COMPUTE;
        let (kernel, sets) = (self.kernel, [self.set]);
        // SAFETY: as `record`.
        unsafe { device.cmd_bind_pipeline(commands, compute, kernel.pipeline()) };
        // SAFETY: as `record`; the set has the layout that all kernels share.
        unsafe {
            device.cmd_bind_descriptor_sets(commands, compute, kernel.layout(), 0, &sets, &[]);
        }
        let constants = kernel.push_constants(self.elements);
        if !constants.is_empty() {
            let stage = vk::ShaderStageFlags::COMPUTE;
            // SAFETY: as `record`; the kernel's layout has this range.
            unsafe { device.cmd_push_constants(commands, kernel.layout(), stage, 0, &constants) };
        }
        let workgroups = self.elements.div_ceil(kernel.workgroup_size());
        // SAFETY: as `record`; the planner keeps the count within the limit.
        unsafe { device.cmd_dispatch(commands, workgroups, 1, 1) };
    }
}

/// What one stage wrote, the next may read.
///
/// # Safety
/// `commands` is being recorded for a queue with compute.
unsafe fn barrier_between_stages(device: &ash::Device, commands: vk::CommandBuffer) {
    let stages = vk::PipelineStageFlags::TRANSFER | vk::PipelineStageFlags::COMPUTE_SHADER;
    let barrier = [vk::MemoryBarrier::default()
        .src_access_mask(vk::AccessFlags::TRANSFER_WRITE | vk::AccessFlags::SHADER_WRITE)
        .dst_access_mask(vk::AccessFlags::TRANSFER_READ | vk::AccessFlags::SHADER_READ)];
    let none = vk::DependencyFlags::empty();
    // SAFETY: the caller is recording `commands` for a queue with compute:
    // only such a queue gets more than one stage.
    unsafe { device.cmd_pipeline_barrier(commands, stages, stages, none, &barrier, &[], &[]) };
}
