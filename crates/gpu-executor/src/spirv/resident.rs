//! Vectors on the backend's device.

use std::sync::Arc;

use vk_mem_paths::Crew;

use super::PersistentVulkanBackend;
use crate::Error;
use crate::calibration::{Calibration, Subject};
use crate::vectors::{Arithmetic, Choice, Queue, VectorEngine, VulkanRunner, tune};

impl PersistentVulkanBackend {
    /// Vectors that stay on this backend's device: made once, and the same engine from
    /// then on. It shares the device and its memory, and may outlive the backend; after
    /// the loss of the device its vectors are gone, and this returns an engine on the
    /// device that was opened anew.
    ///
    /// Which kernels it uses was measured on this device, by an earlier process or now,
    /// under the conditions of [`Calibration`]; else it goes by fixed rules.
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
        let caps = self.device().clone();
        let runner = Arc::new(VulkanRunner::new(
            &self.opened.transfer,
            &self.opened.kernels,
            Choice::of(&caps),
            self.settings.dispatch,
        ));
        let engine = VectorEngine::on(Arc::clone(&runner) as _, self.settings.inputs);
        let settings = &self.settings;
        let (arithmetic, access) = (settings.arithmetic, settings.access);
        let choice = match (arithmetic, access, settings.workgroup) {
            // Nothing is left to choose.
            (Some(_), Some(_), Some(_)) => Choice::of(&caps),
            _ => self.measured_choice(&engine, &runner)?,
        };
        runner.choose(choice.with(&caps, arithmetic, access, settings.workgroup)?);
        if arithmetic == Some(Arithmetic::F64) && !tune::multiplies_right(&engine)? {
            return Err(Error::Vulkan(vk_core::Error::Unsupported {
                needed: "a fused multiply-add of doubles that rounds once".to_owned(),
                found: format!("wrong products on {}", caps.name),
            })
            .into());
        }
        Ok(self.opened.vectors.insert(engine).clone())
    }

    /// What was measured, by an earlier process or now; else by fixed rules.
    fn measured_choice(
        &self,
        engine: &VectorEngine,
        runner: &VulkanRunner,
    ) -> anyhow::Result<Choice> {
        let by_rules = Choice::of(runner.caps());
        let device = &runner.caps().name;
        let threads = Crew::size(0);
        let stored = self.settings.stored::<Choice>(runner.caps(), threads);
        let warned = stored.is_err();
        if let Ok(Some(found)) = stored {
            return Ok(found);
        }
        let (Some(folder), Calibration::OnFirstUse) =
            (self.settings.cache.as_deref(), self.settings.calibration)
        else {
            return Ok(by_rules);
        };
        let subject = Subject::new(runner.caps(), threads);
        if !subject.is_storable::<Choice>(folder, warned) {
            return Ok(by_rules);
        }
        tracing::info!("measuring which kernels are fastest on {device}, once");
        match tune::tune(engine, runner) {
            Ok(choice) => {
                subject.store(folder, &choice);
                Ok(choice)
            }
            Err(error) if tune::is_fatal(&error) => Err(error),
            Err(error) => {
                tracing::warn!("{device} could not be measured, going by fixed rules: {error}");
                Ok(by_rules)
            }
        }
    }
}

#[cfg(test)]
mod tests;
