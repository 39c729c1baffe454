//! What was measured on a device, kept from process to process.

mod file;

use serde::{Deserialize, Serialize};
use vk_mem_paths::{Path, Tuning};

pub(crate) use file::{Kept, Subject};

/// When a backend measures which path and which cut of the work is fastest, and
/// which kernels are for [`vectors`](crate::vectors).
///
/// What was measured decides for pipelined runs wherever neither call nor
/// builder nor environment does; without it the planner goes by fixed rules
/// (docs/configuration.md).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calibration {
    /// With the first pipelined run of an element or more that leaves path and
    /// depth open, if nothing is stored for this device, driver, number of
    /// threads, version and kind of build of the library; about a tenth of a
    /// second then, once per machine. Runs much larger than what there was
    /// time for go by the rules. Nothing is measured where it cannot be kept:
    /// without a folder ([`Cache`](crate::Cache)), or with one that cannot be
    /// written to, which is a warning. Kernels for vectors are measured likewise
    /// when vectors are first asked for, in a few seconds. The default; under the validation
    /// layer, which distorts every time, the same as [`Calibration::Off`].
    #[default]
    OnFirstUse,
    /// Never on its own: what is stored is used.
    Stored,
    /// Never, and what is stored is ignored.
    Off,
}

/// What was measured, and is kept between processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// How runs over the caller's slices are fastest.
    pub(crate) tuning: Tuning,
    /// The faster path of runs over host buffers; `None` where it could not be
    /// measured.
    pub(crate) host_buffers: Option<Path>,
    /// How long the CPU engine takes; empty where nobody asked.
    pub(crate) cpu: Vec<CpuTime>,
}

/// How long the CPU engine took for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CpuTime {
    pub(crate) elements: usize,
    pub(crate) nanoseconds: u64,
}

/// The path of runs over host buffers, as `measured` or else as `before`. That
/// a measurement failed is a warning: all else that was measured holds.
pub(crate) fn path_over_buffers(
    measured: Result<Path, vk_mem_paths::Error>,
    before: Option<Path>,
) -> Option<Path> {
    let failed = |error| {
        tracing::warn!("runs over host buffers could not be measured, their path stays: {error}");
    };
    measured.map_err(failed).ok().or(before)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use vk_mem_paths::{Measured, Strategy};

    /// What was measured at sizes up to `elements`.
    pub(crate) fn tuning(elements: usize) -> Tuning {
        let row = |elements| Measured {
            elements,
            strategy: Strategy {
                path: Path::HostVisible,
                depth: 1,
                chunk: elements,
                streaming: false,
            },
            nanoseconds: 1,
        };
        Tuning {
            measured: vec![row(64), row(elements)],
            ..Tuning::default()
        }
    }

    #[test]
    fn a_failure_over_buffers_keeps_what_is_known_of_them() {
        let failed = || {
            let call = "vkQueueSubmit";
            Err(vk_core::Error::OutOfDeviceMemory { call }.into())
        };
        let staged = Some(Path::DeviceLocal);
        assert_eq!(path_over_buffers(failed(), None), None);
        assert_eq!(path_over_buffers(failed(), staged), staged);
        let direct = path_over_buffers(Ok(Path::HostVisible), staged);
        assert_eq!(direct, Some(Path::HostVisible));
    }
}
