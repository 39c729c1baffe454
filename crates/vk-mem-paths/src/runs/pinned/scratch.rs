//! Device memory for the chunks of a staged run.

use std::sync::Arc;

use vk_core::Device;

use crate::Error;
use crate::memory::Memory;
use crate::runs::commands::DeviceOperands;
use crate::runs::layout::Layout;

/// Room on the device for the operands of several chunks in flight.
pub(super) struct Scratch {
    pub(super) slots: Vec<DeviceOperands>,
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
        let layout = Layout::on(device.caps(), capacity, element_bytes);
        let slot = |_| DeviceOperands::new(memory, layout);
        Ok(Self {
            slots: (0..slots).map(slot).collect::<Result<_, Error>>()?,
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
