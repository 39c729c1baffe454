//! Buffers, commands and dispatches by hand, without the data paths that are
//! built on this crate.

use std::sync::Arc;

use vk_core::ash::vk;
use vk_core::{CommandBuffer, Device, KernelCache, Ticket, WaitPolicy};

pub(crate) struct Bench {
    pub(crate) device: Arc<Device>,
}

impl Bench {
    pub(crate) fn new(device: Arc<Device>) -> Self {
        Self { device }
    }

    pub(crate) fn commands(&self) -> CommandBuffer {
        CommandBuffer::new(&self.device).unwrap()
    }

    pub(crate) fn submit(&self, commands: &CommandBuffer) -> Ticket {
        // SAFETY: the test recorded it, and waits before anything is dropped.
        unsafe { self.device.submit(commands.raw()) }.unwrap()
    }

    pub(crate) fn wait(&self, ticket: Ticket) {
        self.device.wait(ticket, WaitPolicy::default()).unwrap();
    }

    /// A transfer that writes the whole buffer.
    pub(crate) fn fill(&self, commands: vk::CommandBuffer, buffer: &Buffer) {
        let device = self.device.raw();
        // SAFETY: being recorded; the buffer is alive and may be written to.
        unsafe { device.cmd_fill_buffer(commands, buffer.raw, 0, vk::WHOLE_SIZE, 7) };
    }

    /// Everything before it is over for everything after it.
    pub(crate) fn barrier(&self, commands: vk::CommandBuffer) {
        let all = vk::PipelineStageFlags::ALL_COMMANDS;
        let memory = [vk::MemoryBarrier::default()
            .src_access_mask(vk::AccessFlags::MEMORY_WRITE)
            .dst_access_mask(vk::AccessFlags::MEMORY_READ | vk::AccessFlags::MEMORY_WRITE)];
        let none = vk::DependencyFlags::empty();
        let device = self.device.raw();
        // SAFETY: being recorded; the barrier is a local.
        unsafe { device.cmd_pipeline_barrier(commands, all, all, none, &memory, &[], &[]) };
    }

    /// Runs one workgroup of the kernel over the first `bytes` of the buffers.
    pub(crate) fn dispatch(&self, spirv: &[u8], buffers: &[Buffer; 3], bytes: u64) {
        self.run(spirv, buffers, bytes, |device, commands| {
            // SAFETY: all that the pipeline needs is bound.
            unsafe { device.cmd_dispatch(commands, 1, 1, 1) };
        });
    }

    /// As [`Self::dispatch`], with the numbers of workgroups along x, y and z
    /// in a buffer.
    pub(crate) fn dispatch_indirect(&self, spirv: &[u8], buffers: &[Buffer; 3], groups: [u32; 3]) {
        let counts = Buffer::new(&self.device, 12);
        let mut commands = self.commands();
        let write = |device: &vk_core::ash::Device, raw| {
            for (place, groups) in (0..).step_by(4).zip(groups) {
                // SAFETY: being recorded; inside the buffer, which is alive.
                unsafe { device.cmd_fill_buffer(raw, counts.raw, place, 4, groups) };
            }
        };
        // SAFETY: not in flight.
        unsafe { commands.record(write) }.unwrap();
        self.wait(self.submit(&commands));
        self.run(spirv, buffers, vk::WHOLE_SIZE, |device, commands| {
            self.barrier(commands);
            // SAFETY: as for `dispatch`; the counts are alive.
            unsafe { device.cmd_dispatch_indirect(commands, counts.raw, 0) };
        });
    }

    fn run(
        &self,
        spirv: &[u8],
        buffers: &[Buffer; 3],
        bytes: u64,
        dispatch: impl FnOnce(&vk_core::ash::Device, vk::CommandBuffer),
    ) {
        let device = self.device.raw();
        let mut kernels = KernelCache::new(&self.device);
        let kernel = kernels.get(spirv).unwrap();
        let sizes = [vk::DescriptorPoolSize::default()
            .ty(vk::DescriptorType::STORAGE_BUFFER)
            .descriptor_count(3)];
        let info = vk::DescriptorPoolCreateInfo::default()
            .max_sets(1)
            .pool_sizes(&sizes);
        // SAFETY: the device is alive.
        let pool = unsafe { device.create_descriptor_pool(&info, None) }.unwrap();
        let layouts = [kernel.set_layout().raw()];
        let info = vk::DescriptorSetAllocateInfo::default()
            .descriptor_pool(pool)
            .set_layouts(&layouts);
        // SAFETY: pool and layout are alive.
        let set = unsafe { device.allocate_descriptor_sets(&info) }.unwrap()[0];
        for (binding, buffer) in (0..).zip(buffers) {
            let bound = [vk::DescriptorBufferInfo::default()
                .buffer(buffer.raw)
                .range(bytes)];
            let write = vk::WriteDescriptorSet::default()
                .dst_set(set)
                .dst_binding(binding)
                .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
                .buffer_info(&bound);
            // SAFETY: set and buffer are alive, and nothing is in flight.
            unsafe { device.update_descriptor_sets(&[write], &[]) };
        }
        let mut commands = self.commands();
        let compute = vk::PipelineBindPoint::COMPUTE;
        let stage = vk::ShaderStageFlags::COMPUTE;
        let count = kernel.push_constants(128);
        let layout = kernel.layout();
        let record = |device: &vk_core::ash::Device, raw| {
            // SAFETY: being recorded; the pipeline is alive.
            unsafe { device.cmd_bind_pipeline(raw, compute, kernel.raw()) };
            // SAFETY: as above, and the set.
            unsafe { device.cmd_bind_descriptor_sets(raw, compute, layout, 0, &[set], &[]) };
            // SAFETY: as above; the block is as long as the module's.
            unsafe { device.cmd_push_constants(raw, layout, stage, 0, &count) };
            dispatch(device, raw);
        };
        // SAFETY: not in flight.
        unsafe { commands.record(record) }.unwrap();
        self.wait(self.submit(&commands));
        // SAFETY: its set is no longer in flight.
        unsafe { device.destroy_descriptor_pool(pool, None) };
    }
}

/// A buffer with memory of its own, not written to.
pub(crate) struct Buffer {
    device: Arc<Device>,
    raw: vk::Buffer,
    memory: vk::DeviceMemory,
}

impl Buffer {
    pub(crate) fn new(device: &Arc<Device>, size: u64) -> Self {
        let usage = vk::BufferUsageFlags::STORAGE_BUFFER
            | vk::BufferUsageFlags::INDIRECT_BUFFER
            | vk::BufferUsageFlags::TRANSFER_DST;
        let info = vk::BufferCreateInfo::default().size(size).usage(usage);
        // SAFETY: the device is alive.
        let raw = unsafe { device.raw().create_buffer(&info, None) }.unwrap();
        // SAFETY: made above.
        let needs = unsafe { device.raw().get_buffer_memory_requirements(raw) };
        let info = vk::MemoryAllocateInfo::default()
            .allocation_size(needs.size)
            .memory_type_index(needs.memory_type_bits.trailing_zeros());
        // SAFETY: of a type that the buffer takes.
        let memory = unsafe { device.raw().allocate_memory(&info, None) }.unwrap();
        // SAFETY: both made above, for each other.
        unsafe { device.raw().bind_buffer_memory(raw, memory, 0) }.unwrap();
        Self {
            device: Arc::clone(device),
            raw,
            memory,
        }
    }

    /// Its parts, of which the handles are never destroyed.
    pub(crate) fn leak(mut self) -> (Arc<Device>, vk::Buffer, vk::DeviceMemory) {
        let handles = (self.raw, self.memory);
        (self.raw, self.memory) = (vk::Buffer::null(), vk::DeviceMemory::null());
        (Arc::clone(&self.device), handles.0, handles.1)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the test waited for what used it; null is nothing.
        unsafe { self.device.raw().destroy_buffer(self.raw, None) };
        // SAFETY: as above.
        unsafe { self.device.raw().free_memory(self.memory, None) };
    }
}
