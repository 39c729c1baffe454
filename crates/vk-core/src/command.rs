//! A command buffer with an owner.

use std::sync::Arc;

use ash::vk;

use crate::error::VkContext;
use crate::{Device, Error};

/// A primary command buffer, in a pool of its own.
///
/// It can be recorded again once it is no longer in flight. With a pool each,
/// two of them can be recorded by two threads at once.
pub struct CommandBuffer {
    device: Arc<Device>,
    pool: vk::CommandPool,
    raw: vk::CommandBuffer,
}

impl CommandBuffer {
    /// One for the device's queue.
    ///
    /// # Errors
    /// What the driver returned.
    pub fn new(device: &Arc<Device>) -> Result<Self, Error> {
        let info = vk::CommandPoolCreateInfo::default()
            .queue_family_index(device.family())
            .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
        // SAFETY: the device is alive and has a queue of this family.
        let pool = unsafe { device.raw().create_command_pool(&info, None) };
        let mut owned = Self {
            device: Arc::clone(device),
            pool: pool.during("vkCreateCommandPool")?,
            raw: vk::CommandBuffer::null(),
        };
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(owned.pool)
            .level(vk::CommandBufferLevel::PRIMARY)
            .command_buffer_count(1);
        let call = "vkAllocateCommandBuffers";
        // SAFETY: the pool was created above and `owned` excludes other users.
        let buffers = unsafe { device.raw().allocate_command_buffers(&info) }.during(call)?;
        let result = vk::Result::ERROR_UNKNOWN;
        let first = buffers.first().copied();
        owned.raw = first.ok_or(Error::Vulkan { call, result })?;
        Ok(owned)
    }

    /// The buffer's handle, for submitting what was recorded last.
    #[must_use]
    pub fn raw(&self) -> vk::CommandBuffer {
        self.raw
    }

    /// Records the buffer from its start: begins it, lets `commands` fill it,
    /// ends it.
    ///
    /// # Errors
    /// What the driver returned; the buffer must then be recorded again
    /// before it is submitted.
    ///
    /// # Safety
    /// The buffer is not in flight. `commands` only records into it, and
    /// neither begins, ends nor resets it.
    pub unsafe fn record(
        &mut self,
        commands: impl FnOnce(&ash::Device, vk::CommandBuffer),
    ) -> Result<(), Error> {
        let device = self.device.raw();
        // Begin alone would reset it too, except after a panic in `commands`,
        // which left it begun.
        let flags = vk::CommandBufferResetFlags::empty();
        // SAFETY: not in flight by this function's contract; the pool allows
        // the reset, and `&mut self` excludes other users of it.
        unsafe { device.reset_command_buffer(self.raw, flags) }.during("vkResetCommandBuffer")?;
        let begin = vk::CommandBufferBeginInfo::default();
        // SAFETY: reset above.
        unsafe { device.begin_command_buffer(self.raw, &begin) }.during("vkBeginCommandBuffer")?;
        commands(device, self.raw);
        // SAFETY: begun above.
        unsafe { device.end_command_buffer(self.raw) }.during("vkEndCommandBuffer")
    }
}

impl Drop for CommandBuffer {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        // SAFETY: whoever submitted the buffer keeps this value until its
        // ticket is complete (contract of `Device::submit`); destroying the
        // pool frees its buffer.
        unsafe { self.device.raw().destroy_command_pool(self.pool, None) };
    }
}
