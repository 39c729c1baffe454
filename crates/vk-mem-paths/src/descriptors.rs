//! A descriptor set with an owner.

use std::ops::Range;
use std::sync::Arc;

use vk_core::ash::vk;
use vk_core::spirv::BINDINGS;
use vk_core::{Device, SetLayout};

use crate::Error;

/// One descriptor set of the kernel interface: three storage buffers.
pub(crate) struct DescriptorSet {
    device: Arc<Device>,
    pool: vk::DescriptorPool,
    raw: vk::DescriptorSet,
    // A set may be updated only while the layout it was made with lives.
    _layout: Arc<SetLayout>,
}

impl DescriptorSet {
    pub(crate) fn new(device: &Arc<Device>, layout: &Arc<SetLayout>) -> Result<Self, Error> {
        let sizes = [vk::DescriptorPoolSize::default()
            .ty(vk::DescriptorType::STORAGE_BUFFER)
            .descriptor_count(u32::try_from(BINDINGS).unwrap_or(u32::MAX))];
        let info = vk::DescriptorPoolCreateInfo::default()
            .max_sets(1)
            .pool_sizes(&sizes);
        // SAFETY: the device is alive; `info` points to locals.
        let pool = unsafe { device.raw().create_descriptor_pool(&info, None) };
        let mut owned = Self {
            device: Arc::clone(device),
            pool: pool.map_err(|e| vk_core::Error::from_vk("vkCreateDescriptorPool", e))?,
            raw: vk::DescriptorSet::null(),
            _layout: Arc::clone(layout),
        };
        let layouts = [layout.raw()];
        let info = vk::DescriptorSetAllocateInfo::default()
            .descriptor_pool(owned.pool)
            .set_layouts(&layouts);
        // SAFETY: pool and layout are alive; the pool has room for one set.
        let sets = unsafe { device.raw().allocate_descriptor_sets(&info) };
        let sets = sets.map_err(|e| vk_core::Error::from_vk("vkAllocateDescriptorSets", e))?;
        owned.raw = sets.first().copied().unwrap_or_default();
        Ok(owned)
    }

    pub(crate) fn raw(&self) -> vk::DescriptorSet {
        self.raw
    }

    /// Binds `buffers[i]` at binding i, with exactly the given byte range: a
    /// kernel may take its element count from the length of its buffers.
    ///
    /// # Safety
    /// No submission in flight uses the set; the ranges lie inside their
    /// buffers, which live until the set is written again or dropped.
    pub(crate) unsafe fn write(&self, buffers: [(vk::Buffer, Range<usize>); BINDINGS]) {
        let infos = buffers.map(|(buffer, range)| {
            [vk::DescriptorBufferInfo::default()
                .buffer(buffer)
                .offset(range.start as u64)
                .range(range.len() as u64)]
        });
        let writes: Vec<_> = (0..)
            .zip(&infos)
            .map(|(binding, info)| {
                vk::WriteDescriptorSet::default()
                    .dst_set(self.raw)
                    .dst_binding(binding)
                    .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
                    .buffer_info(info)
            })
            .collect();
        // SAFETY: this function's contract; the infos outlive the call.
        unsafe { self.device.raw().update_descriptor_sets(&writes, &[]) };
    }
}

impl Drop for DescriptorSet {
    fn drop(&mut self) {
        // SAFETY: its slot drops only with nothing in flight (rule 5 of
        // `slot`); destroying the pool frees the set.
        unsafe { self.device.raw().destroy_descriptor_pool(self.pool, None) };
    }
}
