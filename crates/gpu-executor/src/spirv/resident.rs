//! Vectors on the backend's device.

use super::PersistentVulkanBackend;
use crate::Result;
use crate::vectors::{Queue, VectorEngine};

impl PersistentVulkanBackend {
    /// Vectors that stay on this backend's device, by its settings: made once, and the same
    /// engine from then on. It shares the backend's memory, and may outlive the backend;
    /// after the loss of the device its vectors are gone, and this returns an engine on the
    /// device that was opened anew.
    ///
    /// # Errors
    /// As [`VectorEngine::new`], and [`Error::Vulkan`](crate::Error::Vulkan) where the
    /// device was lost and cannot be opened anew.
    pub fn vectors(&mut self) -> Result<VectorEngine> {
        self.revive()?;
        if let Some(known) = &self.opened.vectors {
            return Ok(known.clone());
        }
        let lane = self.opened.transfer.lane();
        let made = VectorEngine::with_lane(&self.opened.open, lane)?;
        Ok(self.opened.vectors.insert(made).clone())
    }

    /// A queue for operations on the vectors of [`Self::vectors`].
    ///
    /// # Errors
    /// As [`Self::vectors`].
    pub fn queue(&mut self) -> Result<Queue> {
        Ok(self.vectors()?.queue())
    }
}

#[cfg(test)]
mod tests;
