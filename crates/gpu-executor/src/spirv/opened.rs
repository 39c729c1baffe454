//! A device with what was made on it.

use std::sync::Arc;

use vk_core::{Device, DeviceCaps, KernelCache, PhysicalDevice};
use vk_mem_paths::{Crew, PinnedTransfer, Transfer, TransferOptions};

use super::builder::Settings;
use crate::Error;
use crate::calibration::{Calibration, Findings, Kept, Subject};
use crate::vectors::VectorEngine;

/// The logical device, its kernels and its loops: what is lost with the device,
/// and can be made anew.
pub(super) struct Opened {
    pub(super) transfer: Transfer,
    pub(super) pinned: PinnedTransfer,
    pub(super) kernels: KernelCache,
    pub(super) device: Arc<Device>,
    /// What was measured of it, now or by an earlier process.
    pub(super) findings: Option<Findings>,
    /// Whether the log has told of the calibration's file.
    pub(super) warned: bool,
    /// Vectors on the device, once they were asked for.
    pub(super) vectors: Option<VectorEngine>,
}

impl Opened {
    pub(super) fn new(
        physical: &PhysicalDevice,
        settings: &Settings,
        options: TransferOptions,
    ) -> Result<Self, Error> {
        let stored = settings.stored(physical.caps(), Crew::size(options.threads));
        let warned = stored.is_err();
        let known = stored.unwrap_or(None);
        let device = Device::shared(physical)?;
        let kernels = match &settings.cache {
            Some(folder) => KernelCache::with_folder(&device, folder)?,
            None => KernelCache::new(&device)?,
        };
        let kernels = kernels
            .with_policy(settings.spirv.clone())
            .with_limit(options.wait.timeout);
        let transfer = Transfer::new(&device, kernels.set_layout(), options)?;
        let mut opened = Self {
            pinned: PinnedTransfer::new(&transfer),
            transfer,
            kernels,
            device,
            findings: None,
            warned,
            vectors: None,
        };
        if let Some(findings) = known {
            opened.take(findings);
        }
        Ok(opened)
    }

    /// Plans all further runs by `findings`.
    pub(super) fn take(&mut self, findings: Findings) {
        self.transfer.set_tuning(findings.tuning.clone());
        self.pinned.set_fastest(findings.host_buffers);
        self.findings = Some(findings);
    }
}

/// The log has told that the calibration's file or folder cannot be used.
pub(super) struct Warned;

impl Settings {
    /// What an earlier process stored. A file or folder that cannot be used is
    /// none, and a warning.
    ///
    /// # Errors
    /// After that warning.
    pub(super) fn stored<T: Kept>(
        &self,
        caps: &DeviceCaps,
        threads: usize,
    ) -> Result<Option<T>, Warned> {
        let folder = match (&self.cache, self.calibration) {
            (None, _) | (_, Calibration::Off) => return Ok(None),
            (Some(folder), Calibration::OnFirstUse | Calibration::Stored) => folder,
        };
        let loaded = Subject::new(caps, threads).load(folder);
        loaded.map_err(|reason| {
            tracing::warn!("{reason}");
            Warned
        })
    }
}

#[cfg(test)]
mod tests {
    use vk_core::testing::{DeviceTest, lose};

    use super::*;
    use crate::kernels::LIMBS;
    use crate::spirv::PersistentVulkanBackend;
    use crate::{Cache, DataPathError, Error, Validation};

    const ELEMENTS: usize = 1_000;

    #[test]
    fn the_call_after_a_loss_opens_the_device_anew() {
        let mut guard = DeviceTest::begin();
        let builder = PersistentVulkanBackend::builder().validation(Validation::On);
        let mut backend = builder.cache(Cache::Off).build().unwrap();
        guard.watch(&backend.device().name, backend.validation_log().clone());
        let (a, b) = ([1; LIMBS * ELEMENTS], [2; LIMBS * ELEMENTS]);
        let sums = vec![3; LIMBS * ELEMENTS];
        let old = backend.host_buffer(ELEMENTS).unwrap();
        for losses in 0..3_u32 {
            assert_eq!(backend.losses(), losses);
            lose(&backend.opened.device);
            assert_eq!(backend.field_add(&a, &b).unwrap(), sums);
        }
        let mut out = backend.host_buffer(ELEMENTS).unwrap();
        let error = backend.field_add_host(&old, &old, &mut out).unwrap_err();
        let foreign = matches!(
            error.downcast_ref(),
            Some(Error::DataPath(DataPathError::ForeignBuffer {
                what: "A",
                ..
            }))
        );
        assert!(foreign, "{error}");
        let mut new = backend.host_buffer(ELEMENTS).unwrap();
        new.copy_from_slice(&a);
        backend.field_add_host(&new, &new, &mut out).unwrap();
        assert!(out.iter().all(|limb| *limb == 2));
        drop(old);
    }
}
