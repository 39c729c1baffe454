//! Descriptor sets for the dispatches of a batch, used again when it is recorded again.

use std::collections::HashMap;
use std::sync::Arc;

use vk_core::ash::vk;
use vk_core::{Device, SetLayout, VkContext as _};

use super::step::Step;
use crate::Error;
use crate::memory::Region;

/// Sets of one pool at most.
const SETS: usize = 32;

pub(super) struct DescriptorSets {
    device: Arc<Device>,
    // By the address of the layout, which the shelf keeps alive.
    shelves: HashMap<usize, Shelf>,
}

struct Shelf {
    device: Arc<Device>,
    pools: Vec<vk::DescriptorPool>,
    sets: Vec<vk::DescriptorSet>,
    // Sets that the batch in recording uses.
    used: usize,
    // A set may be updated only while the layout it was made with lives.
    layout: Arc<SetLayout>,
}

impl DescriptorSets {
    pub(super) fn new(device: &Arc<Device>) -> Self {
        Self {
            device: Arc::clone(device),
            shelves: HashMap::new(),
        }
    }

    /// A set for each dispatch of `steps`, in their order, with its buffers at bindings 0,
    /// 1, 2 and so on: with exactly the given byte ranges, since a kernel may take its
    /// element count from the length of its buffers.
    ///
    /// # Safety
    /// No submission in flight uses a set.
    pub(super) unsafe fn write<'a>(
        &mut self,
        steps: impl Iterator<Item = &'a Step> + Clone,
    ) -> Result<Vec<vk::DescriptorSet>, Error> {
        self.shelves.values_mut().for_each(|shelf| shelf.used = 0);
        let dispatches = steps.filter_map(Step::dispatch);
        let wanted = dispatches.clone().count().min(SETS);
        let mut sets = Vec::with_capacity(wanted);
        for (pipeline, buffers) in dispatches {
            let layout = pipeline.set_layout();
            let shelf = self.shelves.entry(Arc::as_ptr(layout) as usize);
            let shelf = shelf.or_insert_with(|| Shelf {
                device: Arc::clone(&self.device),
                pools: Vec::new(),
                sets: Vec::new(),
                used: 0,
                layout: Arc::clone(layout),
            });
            let set = shelf.next(buffers.len(), wanted)?;
            // SAFETY: not in use by this function's contract, and given out once.
            unsafe { update(self.device.raw(), set, buffers) };
            sets.push(set);
        }
        Ok(sets)
    }
}

impl Shelf {
    /// The next free set; where there is none, `more`, which are some, are made.
    fn next(&mut self, bindings: usize, more: usize) -> Result<vk::DescriptorSet, Error> {
        loop {
            if let Some(set) = self.sets.get(self.used) {
                self.used += 1;
                return Ok(*set);
            }
            self.grow(bindings, more)?;
        }
    }

    fn grow(&mut self, bindings: usize, more: usize) -> Result<(), Error> {
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let sizes = [vk::DescriptorPoolSize::default()
            .ty(vk::DescriptorType::STORAGE_BUFFER)
            .descriptor_count(number(more * bindings))];
        let info = vk::DescriptorPoolCreateInfo::default()
            .max_sets(number(more))
            .pool_sizes(&sizes);
        let device = self.device.raw();
        // SAFETY: the device is alive; `info` points to locals.
        let pool = unsafe { device.create_descriptor_pool(&info, None) };
        let pool = pool.during("vkCreateDescriptorPool")?;
        self.pools.push(pool);
        let layouts = vec![self.layout.raw(); more];
        let info = vk::DescriptorSetAllocateInfo::default()
            .descriptor_pool(pool)
            .set_layouts(&layouts);
        // SAFETY: pool and layout are alive; the pool has room for the sets.
        let sets = unsafe { device.allocate_descriptor_sets(&info) };
        self.sets.extend(sets.during("vkAllocateDescriptorSets")?);
        Ok(())
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        for pool in self.pools.drain(..) {
            // SAFETY: its batch drops it only with nothing in flight (rule 4 of
            // `batch`); destroying a pool frees its sets.
            unsafe { self.device.raw().destroy_descriptor_pool(pool, None) };
        }
    }
}

/// # Safety
/// No submission in flight uses `set`.
unsafe fn update(device: &vk_core::ash::Device, set: vk::DescriptorSet, buffers: &[Region]) {
    let infos: Vec<_> = buffers
        .iter()
        .map(|region| {
            [vk::DescriptorBufferInfo::default()
                .buffer(region.block.raw())
                .offset(region.range.start as u64)
                .range(region.range.len() as u64)]
        })
        .collect();
    let writes: Vec<_> = (0..)
        .zip(&infos)
        .map(|(binding, info)| {
            vk::WriteDescriptorSet::default()
                .dst_set(set)
                .dst_binding(binding)
                .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
                .buffer_info(info)
        })
        .collect();
    // SAFETY: this function's contract; the infos outlive the call.
    unsafe { device.update_descriptor_sets(&writes, &[]) };
}
