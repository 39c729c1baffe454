//! Device memory for the chunks of a staged run.

use std::sync::Arc;

use vk_core::Device;

use crate::Error;
use crate::buffers::DeviceBuffer;
use crate::layout::Layout;
use crate::memory::Memory;

/// Room on the device for the inputs and the result of several chunks.
pub(super) struct Scratch {
    /// The input and the output of each chunk in flight.
    pub(super) slots: Vec<(DeviceBuffer, DeviceBuffer)>,
    pub(super) layout: Layout,
    capacity: usize,
    element_bytes: usize,
}

impl Scratch {
    /// Room for `slots` chunks of `capacity` elements each.
    pub(super) fn new(
        device: &Device,
        memory: &Arc<Memory>,
        slots: usize,
        capacity: usize,
        element_bytes: usize,
    ) -> Result<Self, Error> {
        let alignment = device.caps().limits.storage_buffer_alignment;
        let alignment = usize::try_from(alignment).unwrap_or(usize::MAX);
        let layout = Layout::new(capacity, element_bytes, alignment);
        let slot = |_| {
            let input = DeviceBuffer::new(memory, layout.input_bytes())?;
            Ok((input, DeviceBuffer::new(memory, layout.output_bytes())?))
        };
        Ok(Self {
            slots: (0..slots).map(slot).collect::<Result<_, Error>>()?,
            layout,
            capacity,
            element_bytes,
        })
    }

    /// Whether `slots` chunks of `capacity` elements have room.
    pub(super) fn fits(&self, slots: usize, capacity: usize, element_bytes: usize) -> bool {
        let same_elements = self.element_bytes == element_bytes;
        same_elements && self.capacity >= capacity && self.slots.len() >= slots
    }
}
