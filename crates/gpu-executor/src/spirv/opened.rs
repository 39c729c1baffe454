//! A device with what a backend made on it.

use vk_core::KernelCache;
use vk_mem_paths::{HostBufferRuns, Transfer};

use crate::Error;
use crate::calibration::{Dated, Findings, Keeper};
use crate::device::OpenDevice;
use crate::vectors::VectorEngine;

/// The device, its kernels and its loops: what is lost with the device, and can be made
/// anew.
pub(super) struct Opened {
    pub(super) transfer: Transfer,
    pub(super) host_runs: HostBufferRuns,
    pub(super) kernels: KernelCache,
    pub(super) open: OpenDevice,
    /// What was measured of it, now or by an earlier process.
    pub(super) findings: Option<Dated<Findings>>,
    /// Vectors on the device, once they were asked for.
    pub(super) vectors: Option<VectorEngine>,
}

impl Opened {
    pub(super) fn new(open: OpenDevice) -> Result<Self, Error> {
        let kernels = KernelCache::with_compiler(&open.compiler, open.settings.spirv.clone());
        let transfer = Transfer::new(&open.device, open.settings.transfer)?;
        let mut opened = Self {
            host_runs: HostBufferRuns::new(&transfer),
            transfer,
            kernels,
            open,
            findings: None,
            vectors: None,
        };
        if let Some(findings) = opened.open.kept(&opened.keeper()) {
            opened.take(findings);
        }
        Ok(opened)
    }

    /// What keeps the measurements of its runs.
    pub(super) fn keeper(&self) -> Keeper {
        self.open.keeper(self.transfer.threads())
    }

    /// Plans all further runs by `findings`.
    pub(super) fn take(&mut self, findings: Dated<Findings>) {
        self.transfer.set_tuning(findings.found.tuning.clone());
        self.findings = Some(findings);
    }
}

#[cfg(test)]
mod tests {
    use vk_core::testing::{DeviceTest, lose};

    use crate::kernels::LIMBS;
    use crate::spirv::PersistentVulkanBackend;
    use crate::{Cache, DataPathError, Error, FieldAdd, Validation};

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
            lose(&backend.opened.open.device);
            assert_eq!(backend.field_add(&a, &b).unwrap(), sums);
        }
        let mut out = backend.host_buffer(ELEMENTS).unwrap();
        let error = backend.field_add_host(&old, &old, &mut out).unwrap_err();
        let foreign = matches!(
            error,
            Error::DataPath(DataPathError::ForeignBuffer { what: "A", .. })
        );
        assert!(foreign, "{error}");
        let mut new = backend.host_buffer(ELEMENTS).unwrap();
        new.copy_from_slice(&a);
        backend.field_add_host(&new, &new, &mut out).unwrap();
        assert!(out.iter().all(|limb| *limb == 2));
        drop(old);
    }
}
