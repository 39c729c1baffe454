//! Records the stages of a chunk into command buffers.

use std::ops::Range;

use vk_core::ash::{self, vk};
use vk_core::{ComputePipeline, StageTimer};

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
    pub(crate) kernel: &'a ComputePipeline,
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
        // SAFETY: this function's contract; the slot's buffers of one
        // direction have the same layout and size.
        unsafe { self.steps().record(device, commands, family, stages) };
    }

    fn steps(&self) -> Steps<'_> {
        let (upload, readback) = (self.buffers.upload.raw(), self.buffers.readback.raw());
        let elements = self.elements as usize;
        let (a, b) = (self.layout.a(elements), self.layout.b(elements));
        let region = |range: Range<usize>| copy_region(range.start, range.start, range.len());
        let copies = self.buffers.device.as_ref().map(|(input, output)| {
            let inputs = BufferCopies {
                from: upload,
                to: input.raw(),
                regions: vec![region(a), region(b)],
            };
            let result = BufferCopies {
                from: output.raw(),
                to: readback,
                regions: vec![region(self.layout.out(elements))],
            };
            (vec![inputs], result)
        });
        let (uploads, download) = copies.unzip();
        Steps {
            kernel: self.kernel,
            set: self.set,
            elements: self.elements,
            uploads: uploads.unwrap_or_default(),
            download,
            result: readback,
            timer: self.timer.map(|timer| (timer, 0)),
        }
    }
}

/// What the stages of one chunk do, whoever owns its buffers.
pub(crate) struct Steps<'a> {
    pub(crate) kernel: &'a ComputePipeline,
    /// What the kernel reads and writes.
    pub(crate) set: vk::DescriptorSet,
    pub(crate) elements: u32,
    /// Inputs to device memory; none where the kernel reads them in place.
    pub(crate) uploads: Vec<BufferCopies>,
    /// The result to host memory; `None` where the kernel writes it there.
    pub(crate) download: Option<BufferCopies>,
    /// Where the host finds the result.
    pub(crate) result: vk::Buffer,
    /// Times the stages, counted on from the number beside it.
    pub(crate) timer: Option<(&'a StageTimer, u32)>,
}

/// Copies between two buffers.
pub(crate) struct BufferCopies {
    pub(crate) from: vk::Buffer,
    pub(crate) to: vk::Buffer,
    pub(crate) regions: Vec<vk::BufferCopy>,
}

/// A copy of `bytes` bytes.
pub(crate) fn copy_region(from: usize, to: usize, bytes: usize) -> vk::BufferCopy {
    vk::BufferCopy::default()
        .src_offset(from as u64)
        .dst_offset(to as u64)
        .size(bytes as u64)
}

impl Steps<'_> {
    /// Records `stages`, which run on a queue of `family`.
    ///
    /// # Safety
    /// `commands` is being recorded for that family, everything that `self`
    /// names outlives its submission, and every region lies inside both its
    /// buffers.
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
                Stage::Upload => unsafe { copy_all(device, commands, &self.uploads) },
                // SAFETY: this function's contract.
                Stage::Kernel => unsafe { self.dispatch(device, commands) },
                Stage::Download => {
                    // SAFETY: this function's contract.
                    unsafe { copy_all(device, commands, self.download.as_slice()) };
                }
            }
            // SAFETY: this function's contract.
            unsafe { self.timestamp(commands, family, *stage, true) };
        }
        let last = stages.last().copied();
        let (stage, access) = match (last, &self.download) {
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
        // SAFETY: this function's contract.
        unsafe { host_barrier(device, commands, self.result, stage, access) };
    }

    /// Notes the start or the end of `stage`, where timestamps are on.
    ///
    /// # Safety
    /// As [`Self::record`].
    unsafe fn timestamp(&self, commands: vk::CommandBuffer, family: u32, stage: Stage, end: bool) {
        if let Some((timer, first)) = self.timer {
            // SAFETY: as `record`.
            unsafe { timer.record(commands, family, first + stage.number(), end) };
        }
    }

    /// Runs the kernel over the chunk.
    ///
    /// # Safety
    /// As [`Self::record`].
    unsafe fn dispatch(&self, device: &ash::Device, commands: vk::CommandBuffer) {
        let compute = vk::PipelineBindPoint::COMPUTE;
        let (kernel, sets) = (self.kernel, [self.set]);
        // SAFETY: as `record`.
        unsafe { device.cmd_bind_pipeline(commands, compute, kernel.raw()) };
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
        let workgroups = self.elements.div_ceil(kernel.shape().workgroup_size);
        // SAFETY: as `record`; the planner keeps the count within the limit.
        unsafe { device.cmd_dispatch(commands, workgroups, 1, 1) };
    }
}

/// Records all of `copies`.
///
/// # Safety
/// As [`Steps::record`].
unsafe fn copy_all(device: &ash::Device, commands: vk::CommandBuffer, copies: &[BufferCopies]) {
    for BufferCopies { from, to, regions } in copies {
        // SAFETY: as `record`.
        unsafe { device.cmd_copy_buffer(commands, *from, *to, regions) };
    }
}

/// Orders what kernels and copies do after this to all that they did before, on
/// the same queue.
///
/// # Safety
/// `commands` is being recorded for a queue with compute.
pub(crate) unsafe fn order_after_all_before(device: &ash::Device, commands: vk::CommandBuffer) {
    let stages = vk::PipelineStageFlags::COMPUTE_SHADER | vk::PipelineStageFlags::TRANSFER;
    let written = vk::AccessFlags::SHADER_WRITE | vk::AccessFlags::TRANSFER_WRITE;
    let read = vk::AccessFlags::SHADER_READ | vk::AccessFlags::TRANSFER_READ;
    let barrier = [vk::MemoryBarrier::default()
        .src_access_mask(written)
        .dst_access_mask(read | written)];
    let none = vk::DependencyFlags::empty();
    // SAFETY: this function's contract.
    unsafe { device.cmd_pipeline_barrier(commands, stages, stages, none, &barrier, &[], &[]) };
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

/// Makes writes of `access` at `stage` to `buffer` visible to the host:
/// waiting for the submission alone does not.
///
/// # Safety
/// `commands` is being recorded, and `buffer` outlives its submission.
pub(crate) unsafe fn host_barrier(
    device: &ash::Device,
    commands: vk::CommandBuffer,
    buffer: vk::Buffer,
    stage: vk::PipelineStageFlags,
    access: vk::AccessFlags,
) {
    let barrier = [vk::BufferMemoryBarrier::default()
        .src_access_mask(access)
        .dst_access_mask(vk::AccessFlags::HOST_READ)
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .buffer(buffer)
        .size(vk::WHOLE_SIZE)];
    let host = vk::PipelineStageFlags::HOST;
    let none = vk::DependencyFlags::empty();
    // SAFETY: this function's contract; the barrier is on a live buffer.
    unsafe { device.cmd_pipeline_barrier(commands, stage, host, none, &[], &barrier, &[]) };
}
