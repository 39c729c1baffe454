//! Vectors on the backend's device.

use std::sync::Arc;

use vk_mem_paths::Crew;

use super::PersistentVulkanBackend;
use crate::ChosenBy;
use crate::Error;
use crate::vectors::{
    Arithmetic, Choice, Chosen, Queue, VectorEngine, VulkanRunner, VulkanSettings,
};

impl PersistentVulkanBackend {
    /// Vectors that stay on this backend's device: made once, and the same engine from
    /// then on. It shares the device and its memory, and may outlive the backend; after
    /// the loss of the device its vectors are gone, and this returns an engine on the
    /// device that was opened anew.
    ///
    /// Which kernels it uses is what a calibration of this device found
    /// ([`VectorEngine::calibrate`]), else chosen by fixed rules. Before its first product
    /// in a field, some products are held to the CPU's: an arithmetic that is wrong on the
    /// device is passed over, with a warning, and the reports say so.
    ///
    /// # Errors
    /// [`Error::Vulkan`] where the device was lost and cannot be opened anew, and
    /// with [`Unsupported`](vk_core::Error::Unsupported) for an
    /// [`arithmetic`](super::Builder::arithmetic) that was asked for and that the
    /// device lacks or gets wrong.
    pub fn vectors(&mut self) -> anyhow::Result<VectorEngine> {
        let made = self.make_vectors();
        if let Err(Some(Error::Vulkan(vk_core::Error::DeviceLost { call }))) =
            made.as_ref().map_err(|error| error.downcast_ref())
        {
            self.opened.device.declare_lost(call);
        }
        made
    }

    /// A queue for operations on the vectors of [`Self::vectors`].
    ///
    /// # Errors
    /// As [`Self::vectors`].
    pub fn queue(&mut self) -> anyhow::Result<Queue> {
        Ok(self.vectors()?.queue())
    }

    fn make_vectors(&mut self) -> anyhow::Result<VectorEngine> {
        self.revive()?;
        if let Some(known) = &self.opened.vectors {
            return Ok(known.clone());
        }
        let (caps, settings) = (self.device(), &self.settings);
        let keeper = settings.keeper(caps, Crew::size(0));
        let chosen = settings.kept::<Choice>(&keeper);
        let (choice, by) = match chosen {
            Some(kept) => (kept.found, kept.chosen_by()),
            None => (Choice::of(caps), ChosenBy::Rule),
        };
        let asked = settings.asked;
        let runner = VulkanRunner::new(
            &self.opened.transfer,
            &self.opened.kernels,
            Chosen::new(asked.over(choice, caps)?, by),
            VulkanSettings {
                dispatch: settings.dispatch,
                asked,
                keeper,
            },
        );
        let engine = VectorEngine::on(Arc::clone(&runner) as _, settings.inputs);
        if asked.arithmetic == Some(Arithmetic::F64) {
            // Not every device gets it right, and whoever asks for it is told at once.
            runner.settle_now()?;
        }
        Ok(self.opened.vectors.insert(engine).clone())
    }
}

#[cfg(test)]
mod tests;
