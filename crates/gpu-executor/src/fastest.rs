//! A Vulkan device and the CPU, and which of them was faster.

use std::time::Duration;

use vk_mem_paths::{Effort, Measured};

use crate::calibration::{CpuTime, Findings};
use crate::cpu::CpuEngine;
use crate::field_add::Batch;
use crate::kernels;
use crate::spirv::PersistentVulkanBackend;
use crate::{Result, RunReport};

/// Both engines, for [`Executor::Fastest`](crate::Executor::Fastest).
#[derive(Debug)]
pub struct Fastest {
    pub(crate) vulkan: PersistentVulkanBackend,
    pub(crate) cpu: CpuEngine,
    /// How long both take.
    times: Findings,
    /// Which of them ran last.
    last: Side,
}

/// What is measured of the device where nothing was before.
const EFFORT: Effort = Effort {
    budget: Duration::from_millis(30),
    largest: 1 << 18,
    step: 16,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Vulkan,
    Cpu,
}

impl Fastest {
    /// `vulkan` and a CPU engine, by what a calibration of the device found
    /// ([`PersistentVulkanBackend::calibrate`]). Where `vulkan` goes by none, this
    /// measures both engines, as a calibration does but at four sizes up to 2^18 elements
    /// for some 30 ms, and keeps nothing: it is the one constructor that measures, since
    /// that is what it is for.
    ///
    /// # Errors
    /// [`Error::DataPath`](crate::Error::DataPath) where threads cannot be
    /// started, and what the runs that are measured return.
    pub fn new(mut vulkan: PersistentVulkanBackend) -> Result<Self> {
        let settings = vulkan.settings();
        let cpu = CpuEngine::with_threads(settings.transfer.threads)?.with_inputs(settings.inputs);
        let times = match vulkan.findings() {
            Some(kept) => kept.clone(),
            None => vulkan.measure(EFFORT)?,
        };
        Ok(Self {
            vulkan,
            cpu,
            times,
            last: Side::Vulkan,
        })
    }

    pub(crate) fn last_report(&self) -> Option<&RunReport> {
        match self.last {
            Side::Vulkan => self.vulkan.last_report(),
            Side::Cpu => self.cpu.last_report(),
        }
    }

    /// The engine for `batch`: the CPU where it knows the kernel, nobody asked
    /// for device memory, and it was measured to be faster at that size than
    /// the path on which the device would run.
    pub(crate) fn choose(&mut self, batch: &Batch<'_>) -> Side {
        let known = batch
            .spirv
            .is_none_or(|spirv| kernels::find_by_spirv(spirv).is_some());
        let caps = self.vulkan.device();
        let path = self.vulkan.request(batch.mode, batch.device_local).path;
        let device = &self.times.tuning;
        let device = device.fastest(batch.total(), path, |path| path.is_usable(caps));
        let faster = cpu_is_faster(device, &self.times.cpu);
        let faster = known && !batch.device_local && faster;
        self.last = if faster { Side::Cpu } else { Side::Vulkan };
        self.last
    }
}

/// Whether the CPU takes less time per element than the run measured of the
/// `device`, at the size nearest to it. What was not measured is not faster.
fn cpu_is_faster(device: Option<&Measured>, cpu: &[CpuTime]) -> bool {
    let Some(device) = device else {
        return false;
    };
    let nearest = cpu
        .iter()
        .min_by_key(|time| time.elements.abs_diff(device.elements));
    nearest.is_some_and(|cpu| {
        let [cpu_all, device_all] = [
            u128::from(cpu.nanoseconds) * device.elements as u128,
            u128::from(device.nanoseconds) * cpu.elements as u128,
        ];
        cpu_all < device_all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_mem_paths::{Strategy, TransferPath};

    fn device(elements: usize, nanoseconds: u64) -> Measured {
        Measured {
            elements,
            strategy: Strategy {
                path: TransferPath::HostVisible,
                depth: 1,
                chunk: elements,
            },
            nanoseconds,
        }
    }

    fn cpu(elements: usize, nanoseconds: u64) -> CpuTime {
        CpuTime {
            elements,
            nanoseconds,
        }
    }

    #[test]
    fn rates_count_where_sizes_differ() {
        // Twice the elements in twice the time and a bit: slower.
        let device = device(1 << 18, 1_000_000);
        for (nanoseconds, faster) in [(2_000_001, false), (1_999_999, true)] {
            let cpu = [cpu(1 << 19, nanoseconds)];
            assert_eq!(cpu_is_faster(Some(&device), &cpu), faster);
        }
    }

    #[test]
    fn what_was_not_measured_is_not_faster() {
        assert!(!cpu_is_faster(Some(&device(64, u64::MAX)), &[]));
        assert!(!cpu_is_faster(None, &[cpu(64, 1)]));
    }
}
