//! One engine or another behind the same calls.

use vk_core::Error as VulkanError;

use crate::config::Environment;
use crate::cpu::CpuEngine;
use crate::fastest::{Call, Fastest, Side};
use crate::kernels::LIMBS;
use crate::spirv::PersistentVulkanBackend;
use crate::vectors::VectorEngine;
use crate::{Error, RunReport};

/// A Vulkan device, the CPU, or whichever is faster, behind the same calls.
/// Which one ran shows in every [`RunReport`].
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one or two of them live in a process"
)]
pub enum Executor {
    /// Computes on a Vulkan device.
    Vulkan(PersistentVulkanBackend),
    /// Computes on the host's processor.
    Cpu(CpuEngine),
    /// Computes each call where runs of its size were measured to be faster.
    Fastest(Box<Fastest>),
}

/// Calls the same method on whichever engine is to run `call`.
macro_rules! on_engine {
    ($executor:expr, $call:expr, $engine:ident => $run:expr) => {
        match $executor {
            Executor::Vulkan($engine) => $run,
            Executor::Cpu($engine) => $run,
            Executor::Fastest(both) => match both.choose(&$call) {
                Side::Vulkan => {
                    let $engine = &mut both.vulkan;
                    $run
                }
                Side::Cpu => {
                    let $engine = &mut both.cpu;
                    $run
                }
            },
        }
    };
}

impl Executor {
    /// The best Vulkan device, or the CPU where the system has no Vulkan
    /// loader or no device and `GPU_DEVICE` names none; the choice is logged
    /// as a warning then.
    ///
    /// # Errors
    /// Whatever else keeps the Vulkan backend from being made (a malformed
    /// variable, a device asked for that is not there, a device that fails):
    /// that is a mistake to be seen, not a reason to compute elsewhere.
    pub fn auto() -> anyhow::Result<Self> {
        let any_device = Environment::read()?.device.is_none();
        match PersistentVulkanBackend::builder().build_typed() {
            Ok(backend) => Ok(Self::Vulkan(backend)),
            Err(
                error @ Error::Vulkan(VulkanError::NoLoader { .. } | VulkanError::NoDevice { .. }),
            ) if any_device => {
                tracing::warn!("computing on the CPU: {error}");
                Ok(Self::Cpu(CpuEngine::new()?))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The device of [`Executor::auto`] and the CPU: each call runs where runs
    /// of its size were measured to be faster, and its report says where. It goes
    /// by the calibration that is kept; without one it measures now, as
    /// [`Fastest::new`] says.
    ///
    /// A host-to-host addition moves 144 bytes for a handful of instructions:
    /// many cores may well do it faster than a bus can feed a device. Kernels
    /// that the CPU engine does not know, and calls that ask for device
    /// memory, run on the device.
    ///
    /// # Errors
    /// As [`Executor::auto`].
    pub fn fastest() -> anyhow::Result<Self> {
        match Self::auto()? {
            Self::Vulkan(backend) => Ok(Self::Fastest(Box::new(Fastest::new(backend)?))),
            other => Ok(other),
        }
    }

    /// Vectors that stay where they are computed, on the engine's device or on the CPU;
    /// with [`Executor::Fastest`] on the device.
    ///
    /// # Errors
    /// As [`PersistentVulkanBackend::vectors`], and [`Error::DataPath`] where the threads
    /// of the CPU cannot be started.
    pub fn vectors(&mut self) -> anyhow::Result<VectorEngine> {
        match self {
            Self::Vulkan(backend) => backend.vectors(),
            Self::Cpu(_) => VectorEngine::cpu(),
            Self::Fastest(both) => both.vulkan.vectors(),
        }
    }

    /// Runs `jobs` in order; see
    /// [`PersistentVulkanBackend::run_field_add_batch`].
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run_field_add_batch(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        use_device_local: bool,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        let call = Call::sequential(spirv_bytes, jobs.len(), elements, use_device_local);
        on_engine!(self, call, engine => engine.run_field_add_batch(spirv_bytes, jobs, elements, use_device_local))
    }

    /// As [`Self::run_field_add_batch`], with the results written to the
    /// caller's slices; see
    /// [`PersistentVulkanBackend::run_field_add_batch_into`].
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run_field_add_batch_into(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        use_device_local: bool,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        let call = Call::sequential(spirv_bytes, jobs.len(), elements, use_device_local);
        on_engine!(self, call, engine => engine.run_field_add_batch_into(spirv_bytes, jobs, elements, use_device_local, results))
    }

    /// Runs `jobs` with transfers and kernels overlapping; see
    /// [`PersistentVulkanBackend::run_field_add_batch_pipelined`].
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run_field_add_batch_pipelined(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        let call = Call::pipelined(spirv_bytes, jobs.len(), elements);
        on_engine!(self, call, engine => engine.run_field_add_batch_pipelined(spirv_bytes, jobs, elements))
    }

    /// As [`Self::run_field_add_batch_pipelined`], with the results written
    /// to the caller's slices; see
    /// [`PersistentVulkanBackend::run_field_add_batch_pipelined_into`].
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run_field_add_batch_pipelined_into(
        &mut self,
        spirv_bytes: &[u8],
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        let call = Call::pipelined(spirv_bytes, jobs.len(), elements);
        on_engine!(self, call, engine => engine.run_field_add_batch_pipelined_into(spirv_bytes, jobs, elements, results))
    }

    /// Runs one job; see [`PersistentVulkanBackend::run_field_add`].
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run_field_add(
        &mut self,
        spirv_bytes: &[u8],
        a: &[u64],
        b: &[u64],
        elements: usize,
        use_device_local: bool,
    ) -> anyhow::Result<Vec<u64>> {
        let call = Call::sequential(spirv_bytes, 1, elements, use_device_local);
        on_engine!(self, call, engine => engine.run_field_add(spirv_bytes, a, b, elements, use_device_local))
    }

    /// Adds A and B, flat slices of 6 limbs per element.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn field_add(&mut self, a: &[u64], b: &[u64]) -> anyhow::Result<Vec<u64>> {
        let call = Call::addition(1, a.len() / LIMBS);
        on_engine!(self, call, engine => engine.field_add(a, b))
    }

    /// Adds the pairs of `jobs`, each of `elements` elements.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn field_add_batch(
        &mut self,
        jobs: &[(&[u64], &[u64])],
        elements: usize,
    ) -> anyhow::Result<Vec<Vec<u64>>> {
        let call = Call::addition(jobs.len(), elements);
        on_engine!(self, call, engine => engine.field_add_batch(jobs, elements))
    }

    /// As [`Self::field_add_batch`], with the results written to the caller's
    /// slices.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn field_add_batch_into(
        &mut self,
        jobs: &[(&[u64], &[u64])],
        elements: usize,
        results: &mut [&mut [u64]],
    ) -> anyhow::Result<()> {
        let call = Call::addition(jobs.len(), elements);
        on_engine!(self, call, engine => engine.field_add_batch_into(jobs, elements, results))
    }

    /// The SPIR-V of the library's field addition for this engine.
    #[must_use]
    pub fn field_add_spirv(&self) -> &'static [u8] {
        match self {
            Self::Vulkan(engine) => engine.field_add_spirv(),
            Self::Cpu(engine) => engine.field_add_spirv(),
            Self::Fastest(both) => both.vulkan.field_add_spirv(),
        }
    }

    /// What the last run did; `None` before the first one and after one that
    /// failed.
    #[must_use]
    pub fn last_report(&self) -> Option<&RunReport> {
        match self {
            Self::Vulkan(engine) => engine.last_report(),
            Self::Cpu(engine) => engine.last_report(),
            Self::Fastest(both) => both.last_report(),
        }
    }
}
