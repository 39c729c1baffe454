//! A device with what was made on it.

use std::sync::Arc;

use vk_core::{Device, DeviceCaps, KernelCache, PhysicalDevice};
use vk_mem_paths::{Crew, PinnedTransfer, Transfer, TransferOptions};

use super::builder::Settings;
use crate::Error;
use crate::calibration::{Calibration, Dated, Findings, Keeper, Kept, Subject};
use crate::vectors::VectorEngine;

/// The logical device, its kernels and its loops: what is lost with the device,
/// and can be made anew.
pub(super) struct Opened {
    pub(super) transfer: Transfer,
    pub(super) pinned: PinnedTransfer,
    pub(super) kernels: KernelCache,
    pub(super) device: Arc<Device>,
    /// What was measured of it, now or by an earlier process.
    pub(super) findings: Option<Dated<Findings>>,
    /// Vectors on the device, once they were asked for.
    pub(super) vectors: Option<VectorEngine>,
}

impl Opened {
    pub(super) fn new(
        physical: &PhysicalDevice,
        settings: &Settings,
        options: TransferOptions,
    ) -> Result<Self, Error> {
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
            vectors: None,
        };
        let keeper = settings.keeper(physical.caps(), Crew::size(options.threads));
        if let Some(findings) = settings.kept(&keeper) {
            opened.take(findings);
        }
        Ok(opened)
    }

    /// Plans all further runs by `findings`.
    pub(super) fn take(&mut self, findings: Dated<Findings>) {
        self.transfer.set_tuning(findings.found.tuning.clone());
        self.findings = Some(findings);
    }
}

impl Settings {
    /// What keeps measurements of a device with `caps` beside `threads` threads.
    pub(super) fn keeper(&self, caps: &DeviceCaps, threads: usize) -> Keeper {
        Keeper::new(self.cache.clone(), Subject::new(caps, threads))
    }

    /// What was kept, if that is to be used.
    pub(super) fn kept<T: Kept>(&self, keeper: &Keeper) -> Option<Dated<T>> {
        match self.calibration {
            Calibration::Off => None,
            Calibration::Stored => keeper.load(),
        }
    }
}

#[cfg(test)]
mod tests {
    use vk_core::testing::{DeviceTest, lose};

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
