//! What was measured on a device, kept from process to process.

mod date;
mod file;
mod keeper;

use std::fmt;

use serde::{Deserialize, Serialize};
use vk_mem_paths::Tuning;

pub use date::today;
pub(crate) use file::{Kept, Subject};
pub(crate) use keeper::{Dated, Keeper};

/// Whether a backend goes by what was measured on its device, where neither call nor
/// builder nor environment decides: for pipelined runs by
/// [`PersistentVulkanBackend::calibrate`], for vectors by [`VectorEngine::calibrate`].
///
/// Nothing is measured but by these two, and by
/// [`Executor::fastest`](crate::Executor::fastest). Where nothing is kept for this
/// device, driver, number of threads, version and kind of build of the library, fixed
/// rules decide (docs/configuration.md).
///
/// [`PersistentVulkanBackend::calibrate`]: crate::spirv::PersistentVulkanBackend::calibrate
/// [`VectorEngine::calibrate`]: crate::vectors::VectorEngine::calibrate
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calibration {
    /// It does: what a calibration kept in the [`Cache`](crate::Cache) is used. The
    /// default.
    #[default]
    Stored,
    /// It goes by the rules, whatever is kept.
    Off,
}

/// What decided that which nobody asked for.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChosenBy {
    /// The library's fixed rules.
    #[default]
    Rule,
    /// A calibration of this device.
    Calibration {
        /// Its day, in universal time: `2026-11-29`.
        date: String,
    },
}

impl fmt::Display for ChosenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule => f.write_str("by rule"),
            Self::Calibration { date } => write!(f, "by the calibration of {date}"),
        }
    }
}

/// What was measured of runs over the caller's slices, and is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// How they are fastest on the device.
    pub(crate) tuning: Tuning,
    /// How long the CPU engine takes.
    pub(crate) cpu: Vec<CpuTime>,
}

/// How long the CPU engine took for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CpuTime {
    pub(crate) elements: usize,
    pub(crate) nanoseconds: u64,
}

#[cfg(test)]
mod tests {
    use vk_mem_paths::{Measured, Strategy, TransferPath};

    use super::*;

    pub(super) fn findings(nanoseconds: u64) -> Findings {
        let elements = 64;
        let strategy = Strategy {
            path: TransferPath::DeviceLocal,
            depth: 1,
            chunk: elements,
        };
        let measured = vec![Measured {
            elements,
            strategy,
            nanoseconds,
        }];
        let cpu = CpuTime {
            elements,
            nanoseconds,
        };
        Findings {
            tuning: Tuning { measured },
            cpu: vec![cpu],
        }
    }
}
