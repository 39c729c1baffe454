//! When a backend measures, and what it does with the result.

use std::time::{Duration, Instant};

use vk_mem_paths::{Effort, Tuning};

use super::PersistentVulkanBackend;
use crate::Error;
use crate::calibration::{Calibration, CpuTime, Findings, Subject, path_over_buffers};
use crate::kernels::{self, ELEMENT_BYTES};

impl PersistentVulkanBackend {
    /// Measures, with the library's field addition, which path and which cut
    /// of the work is fastest for each size, and which path for host buffers;
    /// plans all further runs by it and stores it where the builder's
    /// [`Cache`](crate::Cache) says. Takes about the time and the memory that
    /// `effort` allows.
    ///
    /// A backend that was opened with a stored calibration may have left out
    /// the device's copy queues, and does not measure them then. One with
    /// [`Calibration::Off`] has them all.
    ///
    /// What it found is kept however far it came within its budget. A failure
    /// to measure runs over host buffers is a warning.
    ///
    /// # Errors
    /// As [`Self::run_field_add_batch`], and [`Error::Config`] for an `effort`
    /// whose largest run is smaller than the smallest that is measured; plans
    /// are then made as before.
    pub fn calibrate(&mut self, effort: Effort) -> anyhow::Result<&Tuning> {
        self.revive()?;
        let found = self.measure(effort);
        let found = self.noting_loss(found)?;
        self.keep(found);
        Ok(self.tuning())
    }

    /// What was measured, now or by an earlier process; empty where nothing
    /// was.
    #[must_use]
    pub fn tuning(&self) -> &Tuning {
        self.opened.transfer.tuning()
    }

    /// Measures before the first run that is open to it, and returns how long
    /// that took: it is no part of the run.
    pub(in crate::spirv) fn calibrate_if(&mut self, open: bool) -> Duration {
        let start = Instant::now();
        if open {
            self.calibrate_on_first_use();
        }
        start.elapsed()
    }

    /// Whether this backend is to measure without being asked to.
    pub(crate) fn measures_on_first_use(&self) -> bool {
        self.settings.calibration == Calibration::OnFirstUse
    }

    /// Measures, if that is wanted, can be kept, and was not done or tried
    /// before. A failure is a warning: runs go by the rules then.
    pub(crate) fn calibrate_on_first_use(&mut self) {
        let Some(folder) = self.settings.cache.as_deref() else {
            return;
        };
        if self.calibrated || !self.measures_on_first_use() {
            return;
        }
        let subject = self.subject();
        let storable = subject.is_storable::<Findings>(folder, self.opened.warned);
        self.calibrated = true;
        if !storable {
            return;
        }
        let device = self.opened.device.caps().name.clone();
        tracing::info!("measuring which path is fastest on {device}, once");
        match self.measure(Effort::BRIEF) {
            Ok(found) => self.keep(found),
            Err(error) => {
                tracing::warn!("{device} could not be measured, going by fixed rules: {error}");
            }
        }
    }

    /// What was measured of the CPU engine, now or by an earlier process.
    pub(crate) fn cpu_times(&self) -> &[CpuTime] {
        self.opened
            .findings
            .as_ref()
            .map_or(&[], |findings| &findings.cpu)
    }

    /// Keeps what was measured of the CPU engine beside this device, if the
    /// device was measured.
    pub(crate) fn keep_cpu_times(&mut self, times: Vec<CpuTime>) {
        if let Some(findings) = &mut self.opened.findings {
            findings.cpu = times;
            self.store_findings();
        }
    }

    /// Measures, and plans by what was found. After an error plans are made as
    /// before.
    fn measure(&mut self, effort: Effort) -> Result<Findings, Error> {
        let spirv = kernels::field_add_for(self.opened.device.caps()).spirv;
        let kernel = self.opened.kernels.get(spirv)?;
        let before = self.tuning().clone();
        let tuning = self
            .opened
            .transfer
            .calibrate(&kernel, ELEMENT_BYTES, effort)?;
        if tuning.measured.is_empty() {
            self.opened.transfer.set_tuning(before);
            return Err(Error::Config {
                variable: "the largest run of a calibration",
                value: effort.largest.to_string(),
                accepted: "as many elements as the smallest run that is measured".to_owned(),
            });
        }
        let known = self
            .opened
            .findings
            .as_ref()
            .and_then(|known| known.host_buffers);
        let measured = self.opened.pinned.calibrate(&kernel, ELEMENT_BYTES);
        Ok(Findings {
            tuning,
            host_buffers: path_over_buffers(measured, known),
            cpu: Vec::new(),
        })
    }

    /// Plans by `findings`.
    pub(super) fn take(&mut self, findings: Findings) {
        self.calibrated = true;
        self.opened.take(findings);
    }

    /// Plans by `findings`, measured now, and stores them.
    fn keep(&mut self, findings: Findings) {
        self.take(findings);
        self.store_findings();
    }

    fn store_findings(&self) {
        if let (Some(folder), Some(findings)) = (&self.settings.cache, &self.opened.findings) {
            self.subject().store(folder, findings);
        }
    }

    fn subject(&self) -> Subject {
        Subject::new(self.opened.device.caps(), self.opened.transfer.threads())
    }
}
