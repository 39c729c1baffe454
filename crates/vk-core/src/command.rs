//! Command pools and buffers with an owner.

use std::sync::Arc;

use ash::vk;

use crate::error::VkContext;
use crate::{Device, Error};

/// A command pool of one queue family and the primary buffers made from it.
///
/// Each buffer can be recorded again once it is no longer in flight.
pub struct CommandBuffers {
    device: Arc<Device>,
    pool: vk::CommandPool,
    buffers: Vec<vk::CommandBuffer>,
}

impl CommandBuffers {
    /// Makes `count` command buffers for queues of `family`.
    ///
    /// # Errors
    /// What the driver returned.
    pub fn new(device: &Arc<Device>, family: u32, count: u32) -> Result<Self, Error> {
        let info = vk::CommandPoolCreateInfo::default()
            .queue_family_index(family)
            .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
        // SAFETY: the device is alive and has queues of `family`.
        let pool = unsafe { device.raw().create_command_pool(&info, None) };
        let mut owned = Self {
            device: Arc::clone(device),
            pool: pool.during("vkCreateCommandPool")?,
            buffers: Vec::new(),
        };
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(owned.pool)
            .level(vk::CommandBufferLevel::PRIMARY)
            .command_buffer_count(count);
        // SAFETY: the pool was created above and `owned` excludes other users.
        let buffers = unsafe { device.raw().allocate_command_buffers(&info) };
        owned.buffers = buffers.during("vkAllocateCommandBuffers")?;
        Ok(owned)
    }

    /// Buffer `index`, as it was recorded last; `None` past the count.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<vk::CommandBuffer> {
        self.buffers.get(index).copied()
    }

    /// Records buffer `index` from its start: begins it, lets `commands` fill
    /// it, ends it.
    ///
    /// # Errors
    /// What `commands` or the driver returned; the buffer must then be
    /// recorded again before it is submitted.
    ///
    /// # Safety
    /// The buffer is not in flight.
    pub unsafe fn record<E: From<Error>>(
        &mut self,
        index: usize,
        commands: impl FnOnce(&ash::Device, vk::CommandBuffer) -> Result<(), E>,
    ) -> Result<(), E> {
        let buffer = self.get(index).ok_or_else(|| Error::Unsupported {
            needed: format!("command buffer {index}"),
            found: format!("{} of them", self.buffers.len()),
        })?;
        let raw = self.device.raw();
        let begin = vk::CommandBufferBeginInfo::default();
        // SAFETY: not in flight by this function's contract; the pool allows
        // the implicit reset, and `&mut self` excludes other users of it.
        unsafe { raw.begin_command_buffer(buffer, &begin) }.during("vkBeginCommandBuffer")?;
        commands(raw, buffer)?;
        // SAFETY: begun above.
        unsafe { raw.end_command_buffer(buffer) }.during("vkEndCommandBuffer")?;
        Ok(())
    }
}

impl Drop for CommandBuffers {
    fn drop(&mut self) {
        // SAFETY: whoever submitted a buffer keeps this value until its
        // ticket is complete (contract of `Device::submit`); freeing the pool
        // frees its buffers.
        unsafe { self.device.raw().destroy_command_pool(self.pool, None) };
    }
}
