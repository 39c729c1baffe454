//! A Vulkan device and the CPU, and which of them was faster.

use vk_mem_paths::{Measured, fastest_of};

use crate::calibration::CpuTime;
use crate::cpu::CpuEngine;
use crate::kernels::{self, LIMBS};
use crate::spirv::PersistentVulkanBackend;
use crate::{Mode, RunReport};

/// Both engines, for [`Executor::Fastest`](crate::Executor::Fastest).
#[derive(Debug)]
pub struct Fastest {
    pub(crate) vulkan: PersistentVulkanBackend,
    pub(crate) cpu: CpuEngine,
    /// Which of them ran last.
    last: Side,
}

/// One of the two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Vulkan,
    Cpu,
}

/// What a call asks for, as far as it matters to the choice.
pub(crate) struct Call<'a> {
    /// The caller's module; `None` for the library's own.
    spirv: Option<&'a [u8]>,
    /// Elements of all jobs.
    elements: usize,
    mode: Mode,
    /// Whether device memory was asked for.
    device_local: bool,
}

impl<'a> Call<'a> {
    /// A call that runs `spirv` over `jobs` jobs of `elements` elements, one
    /// after the other.
    pub(crate) fn sequential(
        spirv: &'a [u8],
        jobs: usize,
        elements: usize,
        device_local: bool,
    ) -> Self {
        Self {
            mode: Mode::Sequential,
            device_local,
            ..Self::pipelined(spirv, jobs, elements)
        }
    }

    /// As [`Self::sequential`], overlapping.
    pub(crate) fn pipelined(spirv: &'a [u8], jobs: usize, elements: usize) -> Self {
        Self {
            spirv: Some(spirv),
            ..Self::addition(jobs, elements)
        }
    }

    /// A call that adds, with the library's kernel, overlapping.
    pub(crate) fn addition(jobs: usize, elements: usize) -> Self {
        Self {
            spirv: None,
            elements: jobs.saturating_mul(elements),
            mode: Mode::Pipelined,
            device_local: false,
        }
    }
}

/// The sizes at which the CPU is measured, in elements.
const SIZES: [usize; 4] = [1 << 6, 1 << 10, 1 << 14, 1 << 18];

impl Fastest {
    /// `vulkan` and a CPU engine, both measured now if `vulkan` measures on
    /// first use ([`Calibration`](crate::Calibration)) and they were not
    /// before. Where either was not, every call runs on the device.
    ///
    /// # Errors
    /// [`Error::DataPath`](crate::Error::DataPath) where threads cannot be
    /// started.
    pub fn new(mut vulkan: PersistentVulkanBackend) -> anyhow::Result<Self> {
        let mut cpu = CpuEngine::new()?.with_inputs(vulkan.inputs());
        vulkan.calibrate_on_first_use();
        let wanted = vulkan.measures_on_first_use() && vulkan.cpu_times().is_empty();
        if wanted && !vulkan.tuning().measured.is_empty() {
            vulkan.keep_cpu_times(measure(&mut cpu)?);
        }
        Ok(Self {
            vulkan,
            cpu,
            last: Side::Vulkan,
        })
    }

    /// What the last run did, wherever it was.
    pub(crate) fn last_report(&self) -> Option<&RunReport> {
        match self.last {
            Side::Vulkan => self.vulkan.last_report(),
            Side::Cpu => self.cpu.last_report(),
        }
    }

    /// The engine for `call`: the CPU where it knows the kernel, nobody asked
    /// for device memory, and it was measured to be faster at that size than
    /// the path on which the device would run.
    pub(crate) fn choose(&mut self, call: &Call<'_>) -> Side {
        let known = call
            .spirv
            .is_none_or(|spirv| kernels::find_by_spirv(spirv).is_some());
        let caps = self.vulkan.device();
        let path = self.vulkan.path_of(call.mode);
        let device = self.vulkan.tuning();
        let device = device.fastest(call.elements, path, |path| path.is_usable(caps));
        let faster = cpu_is_faster(device, self.vulkan.cpu_times());
        let faster = known && !call.device_local && faster;
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

fn measure(cpu: &mut CpuEngine) -> anyhow::Result<Vec<CpuTime>> {
    let times = SIZES.map(|elements| measure_size(cpu, elements));
    times.into_iter().collect()
}

/// Runs write to memory that was written before, as those of the device's
/// measured paths do.
fn measure_size(cpu: &mut CpuEngine, elements: usize) -> anyhow::Result<CpuTime> {
    let limbs = elements * LIMBS;
    let (a, b) = (vec![1; limbs], vec![2; limbs]);
    let mut sums = vec![3; limbs];
    let jobs: [(&[u64], &[u64]); 1] = [(&a, &b)];
    let fastest = fastest_of(|| cpu.field_add_batch_into(&jobs, elements, &mut [&mut sums]))?;
    Ok(CpuTime {
        elements,
        nanoseconds: u64::try_from(fastest.as_nanos()).unwrap_or(u64::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_mem_paths::{Path, Strategy};

    fn device(elements: usize, nanoseconds: u64) -> Measured {
        Measured {
            elements,
            strategy: Strategy {
                path: Path::HostVisible,
                depth: 1,
                chunk: elements,
                streaming: false,
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
    fn the_cpu_is_taken_where_it_was_faster() {
        let cpu = [cpu(64, 500), cpu(1 << 18, 2_000_000)];
        assert!(cpu_is_faster(Some(&device(64, 20_000)), &cpu));
        assert!(!cpu_is_faster(Some(&device(1 << 18, 1_000_000)), &cpu));
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

    #[test]
    fn every_size_is_measured() {
        let times = measure(&mut CpuEngine::with_threads(2).unwrap()).unwrap();
        let sizes: Vec<_> = times.iter().map(|time| time.elements).collect();
        assert_eq!(sizes, SIZES);
        assert!(times.iter().all(|time| time.nanoseconds > 0));
    }
}
