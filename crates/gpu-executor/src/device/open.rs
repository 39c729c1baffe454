//! A device as its users hold it: opened once for a process, under one user's settings.

use std::sync::Arc;

use vk_core::{
    Compiler, Device, DeviceCaps, DevicePolicy, Error as VulkanError, Instance, PhysicalDevice,
};

use super::builder::Settings;
use super::environment::DEVICE_VARIABLE;
use super::pipelines::{Pipelines, VectorKernels};
use crate::Error;
use crate::calibration::{Calibration, Dated, Keeper, Kept, Subject};

/// An open device, what makes its pipelines and which were made, and the settings that it
/// was opened with.
pub(crate) struct OpenDevice {
    pub(crate) device: Arc<Device>,
    pub(crate) compiler: Arc<Compiler>,
    pub(crate) kernels: Arc<VectorKernels>,
    pub(crate) settings: Settings,
    physical: PhysicalDevice,
}

impl OpenDevice {
    /// The device that `settings` name, shared with all who opened it before.
    ///
    /// # Errors
    /// As [`Builder::build`](super::Builder::build).
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let instance = Instance::new(settings.validation)?;
        match (instance.device(&settings.device), &settings.device_variable) {
            (Err(VulkanError::NoMatchingDevice { found, .. }), Some(value)) => Err(Error::Config {
                variable: DEVICE_VARIABLE,
                value: value.clone(),
                accepted: format!("one of the devices {found}"),
            }),
            (chosen, _) => Self::of(chosen?, settings),
        }
    }

    /// As [`Self::new`]; `None`, with a warning in the log, where the system has no Vulkan
    /// loader or no device, and nobody asked for one: the CPU is to compute then.
    ///
    /// # Errors
    /// Whatever else keeps the device from being opened: that is a mistake to be seen,
    /// not a reason to compute elsewhere.
    pub(crate) fn if_any(settings: Settings) -> Result<Option<Self>, Error> {
        let any = settings.device == DevicePolicy::Auto;
        match Self::new(settings) {
            Err(
                error @ Error::Vulkan(VulkanError::NoLoader { .. } | VulkanError::NoDevice { .. }),
            ) if any => {
                tracing::warn!("computing on the CPU: {error}");
                Ok(None)
            }
            opened => opened.map(Some),
        }
    }

    /// The same device after its loss, opened anew by the first who asks.
    ///
    /// # Errors
    /// What the driver returned.
    pub(crate) fn anew(&self) -> Result<Self, Error> {
        Self::of(self.physical.clone(), self.settings.clone())
    }

    fn of(physical: PhysicalDevice, settings: Settings) -> Result<Self, Error> {
        let device = Device::shared(&physical)?;
        let Pipelines { cache, kernels } = Pipelines::of(&device, settings.cache.as_deref());
        Ok(Self {
            compiler: Compiler::new(cache, settings.transfer.wait.timeout),
            kernels,
            device,
            settings,
            physical,
        })
    }

    pub(crate) fn caps(&self) -> &DeviceCaps {
        self.device.caps()
    }

    /// What keeps measurements of the device beside `threads` threads.
    pub(crate) fn keeper(&self, threads: usize) -> Keeper {
        let subject = Subject::new(self.caps(), threads);
        Keeper::new(self.settings.cache.clone(), subject)
    }

    /// What was kept, if that is to be used.
    pub(crate) fn kept<T: Kept>(&self, keeper: &Keeper) -> Option<Dated<T>> {
        match self.settings.calibration {
            Calibration::Off => None,
            Calibration::Stored => keeper.load(),
        }
    }

    /// As [`noting_loss`], of this device.
    pub(crate) fn noting_loss<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        noting_loss(&self.device, result)
    }
}

/// Remembers a loss of `device` that `result` tells of, whichever call reported it, so that
/// whoever opens it next gets another one.
pub(crate) fn noting_loss<T>(device: &Device, result: Result<T, Error>) -> Result<T, Error> {
    if let Err(Error::Vulkan(VulkanError::DeviceLost { call })) = result {
        device.declare_lost(call);
    }
    result
}
