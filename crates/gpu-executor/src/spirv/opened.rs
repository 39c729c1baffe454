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
