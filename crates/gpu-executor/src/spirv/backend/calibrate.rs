//! Measuring how runs are fastest, on request.

use vk_mem_paths::{Effort, Tuning};

use super::PersistentVulkanBackend;
use crate::Error;
use crate::calibration::{ChosenBy, Findings};
use crate::cpu::{CpuEngine, measure};
use crate::kernels::{self, ELEMENT_BYTES};

impl PersistentVulkanBackend {
    /// Measures, with the library's field addition, which path and which cut
    /// of the work is fastest for each size, and how long the CPU engine takes;
    /// plans all further runs by it and keeps it where the builder's
    /// [`Cache`](crate::Cache) says, for later processes. Takes about the time
    /// and the memory that `effort` allows. One process of a user measures at
    /// a time: where another one is at it for the same device, this waits, and
    /// takes what that one found.
    ///
    /// What it found is kept however far it came within its budget.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`], and [`Error::Config`] for an `effort`
    /// whose largest run is smaller than the smallest that is measured; plans
    /// are then made as before.
    pub fn calibrate(&mut self, effort: Effort) -> Result<&Tuning, Error> {
        self.revive()?;
        let keeper = self.opened.keeper();
        let found = keeper.measure(|| self.measure(effort));
        let found = self.opened.open.noting_loss(found)?;
        self.opened.take(found);
        Ok(self.tuning())
    }

    /// What was measured, now or by an earlier process; empty where nothing
    /// was.
    #[must_use]
    pub fn tuning(&self) -> &Tuning {
        self.opened.transfer.tuning()
    }

    /// What was measured of runs, now or by an earlier process.
    pub(crate) fn findings(&self) -> Option<&Findings> {
        self.opened.findings.as_ref().map(|dated| &dated.found)
    }

    /// Measures. Plans are made as before until the result is taken.
    pub(crate) fn measure(&mut self, effort: Effort) -> Result<Findings, Error> {
        let spirv = kernels::field_add_for(self.opened.open.device.caps()).spirv;
        let kernel = self.opened.kernels.get(spirv)?;
        let transfer = &mut self.opened.transfer;
        let before = transfer.tuning().clone();
        let tuning = transfer.calibrate(&kernel, ELEMENT_BYTES, effort)?;
        transfer.set_tuning(before);
        if tuning.measured.is_empty() {
            return Err(Error::Config {
                variable: "the largest run of a calibration",
                value: effort.largest.to_string(),
                accepted: "as many elements as the smallest run that is measured".to_owned(),
            });
        }
        let mut cpu = CpuEngine::with_threads(self.opened.transfer.threads())?;
        Ok(Findings {
            tuning,
            cpu: measure::times(&mut cpu)?,
        })
    }

    /// What decided how a run was done, where something measured did.
    pub(in crate::spirv) fn chosen_by(&self, measured: bool) -> ChosenBy {
        let findings = self.opened.findings.as_ref().filter(|_| measured);
        findings.map_or(ChosenBy::Rule, |dated| dated.chosen_by())
    }
}
