//! Descriptor sets with an owner.

use std::ops::Range;
use std::sync::Arc;

use vk_core::ash::vk;
use vk_core::spirv::BINDINGS;
use vk_core::{Device, SetLayout};

use crate::Error;

/// One descriptor set of the kernel interface: three storage buffers.
pub(crate) struct DescriptorSet(DescriptorSets);

impl DescriptorSet {
    pub(crate) fn new(device: &Arc<Device>, layout: &Arc<SetLayout>) -> Result<Self, Error> {
        DescriptorSets::new(device, layout, 1).map(Self)
    }

    pub(crate) fn raw(&self) -> vk::DescriptorSet {
        self.0.raw(0)
    }

    /// As [`DescriptorSets::write`].
    ///
    /// # Safety
    /// As [`DescriptorSets::write`].
    pub(crate) unsafe fn write(&self, buffers: [(vk::Buffer, Range<usize>); BINDINGS]) {
        // SAFETY: this function's contract.
        unsafe { self.0.write(0, buffers) };
    }
}

/// Several descriptor sets of the kernel interface, in one pool.
pub(crate) struct DescriptorSets {
    device: Arc<Device>,
    pool: vk::DescriptorPool,
    sets: Vec<vk::DescriptorSet>,
    // A set may be updated only while the layout it was made with lives.
    _layout: Arc<SetLayout>,
}

impl DescriptorSets {
    /// `count` sets, 1 or more.
    pub(crate) fn new(
        device: &Arc<Device>,
        layout: &Arc<SetLayout>,
        count: usize,
    ) -> Result<Self, Error> {
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let sizes = [vk::DescriptorPoolSize::default()
            .ty(vk::DescriptorType::STORAGE_BUFFER)
            .descriptor_count(number(BINDINGS * count))];
        let info = vk::DescriptorPoolCreateInfo::default()
            .max_sets(number(count))
            .pool_sizes(&sizes);
        // SAFETY: the device is alive; `info` points to locals.
        let pool = unsafe { device.raw().create_descriptor_pool(&info, None) };
        let mut owned = Self {
            device: Arc::clone(device),
            pool: pool.map_err(|e| vk_core::Error::from_vk("vkCreateDescriptorPool", e))?,
            sets: Vec::new(),
            _layout: Arc::clone(layout),
        };
        let layouts = vec![layout.raw(); count];
        let info = vk::DescriptorSetAllocateInfo::default()
            .descriptor_pool(owned.pool)
            .set_layouts(&layouts);
        // SAFETY: pool and layout are alive; the pool has room for the sets.
        let sets = unsafe { device.raw().allocate_descriptor_sets(&info) };
        owned.sets = sets.map_err(|e| vk_core::Error::from_vk("vkAllocateDescriptorSets", e))?;
        Ok(owned)
    }

    /// Set `number`; a null handle for one that there is not.
    pub(crate) fn raw(&self, number: usize) -> vk::DescriptorSet {
        self.sets.get(number).copied().unwrap_or_default()
    }

    /// Binds `buffers[i]` at binding i of set `number`, with exactly the given
    /// byte range: a kernel may take its element count from the length of its
    /// buffers.
    ///
    /// # Safety
    /// There is a set `number`, and no submission in flight uses it. The
    /// ranges lie inside their buffers, which live for as long as the set is
    /// used in submissions.
    pub(crate) unsafe fn write(
        &self,
        number: usize,
        buffers: [(vk::Buffer, Range<usize>); BINDINGS],
    ) {
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
                    .dst_set(self.raw(number))
                    .dst_binding(binding)
                    .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
                    .buffer_info(info)
            })
            .collect();
        // SAFETY: this function's contract; the infos outlive the call.
        unsafe { self.device.raw().update_descriptor_sets(&writes, &[]) };
    }
}

impl Drop for DescriptorSets {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        // SAFETY: its owner drops only with nothing in flight (rule 5 of
        // `slot`, rule 5 of `pinned`); destroying the pool frees the sets.
        unsafe { self.device.raw().destroy_descriptor_pool(self.pool, None) };
    }
}
