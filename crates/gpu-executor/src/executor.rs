//! One engine or another behind the same calls.

use crate::cpu::CpuEngine;
use crate::device::{Build, Builder, OpenDevice, Settings};
use crate::fastest::{Fastest, Side};
use crate::field_add::{Batch, FieldAdd};
use crate::spirv::PersistentVulkanBackend;
use crate::vectors::VectorEngine;
use crate::{Result, RunReport};

/// A Vulkan device, the CPU, or whichever is faster, behind the same calls ([`FieldAdd`]).
/// Which one ran shows in every [`RunReport`].
#[derive(Debug)]
#[non_exhaustive]
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

impl Executor {
    /// The best Vulkan device, or the CPU where the system has no Vulkan
    /// loader or no device and `GPU_DEVICE` names none; the choice is logged
    /// as a warning then.
    ///
    /// # Errors
    /// Whatever else keeps the Vulkan backend from being made (a malformed
    /// variable, a device asked for that is not there, a device that fails):
    /// that is a mistake to be seen, not a reason to compute elsewhere.
    pub fn auto() -> Result<Self> {
        Self::builder().build()
    }

    /// A builder, for settings other than those of [`Self::auto`].
    pub fn builder() -> Builder<Self> {
        Builder::default()
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
    /// As [`Executor::auto`], and what the runs that are measured return.
    pub fn fastest() -> Result<Self> {
        match Self::auto()? {
            Self::Vulkan(backend) => Ok(Self::Fastest(Box::new(Fastest::new(backend)?))),
            other => Ok(other),
        }
    }

    /// Vectors that stay where they are computed, on the engine's device or on the CPU, with
    /// the engine's settings: the same engine of vectors at each call. With
    /// [`Executor::Fastest`] on the device.
    ///
    /// # Errors
    /// As [`PersistentVulkanBackend::vectors`] and [`CpuEngine::vectors`].
    pub fn vectors(&mut self) -> Result<VectorEngine> {
        match self {
            Self::Vulkan(backend) => backend.vectors(),
            Self::Cpu(engine) => engine.vectors(),
            Self::Fastest(both) => both.vulkan.vectors(),
        }
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

impl FieldAdd for Executor {
    fn run(
        &mut self,
        batch: &Batch<'_>,
        results: Option<&mut [&mut [u64]]>,
    ) -> Result<Vec<Vec<u64>>> {
        match self {
            Self::Vulkan(engine) => engine.run(batch, results),
            Self::Cpu(engine) => engine.run(batch, results),
            Self::Fastest(both) => match both.choose(batch) {
                Side::Vulkan => both.vulkan.run(batch, results),
                Side::Cpu => both.cpu.run(batch, results),
            },
        }
    }
}

/// As [`Executor::auto`].
impl Build for Executor {
    fn by(settings: Settings) -> Result<Self> {
        match OpenDevice::if_any(settings.clone())? {
            Some(open) => PersistentVulkanBackend::on(open).map(Self::Vulkan),
            None => {
                let engine = CpuEngine::with_threads(settings.transfer.threads)?;
                Ok(Self::Cpu(engine.with_inputs(settings.inputs)))
            }
        }
    }
}
