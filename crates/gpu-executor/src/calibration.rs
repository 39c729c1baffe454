//! What was measured on a device, kept from process to process.

mod file;

use serde::{Deserialize, Serialize};
use vk_mem_paths::{Effort, Path, Tuning};

pub(crate) use file::Subject;

/// When a backend measures which path and which cut of the work is fastest.
///
/// What was measured decides for pipelined runs wherever neither call nor
/// builder nor environment does; without it the planner goes by fixed rules
/// (docs/configuration.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calibration {
    /// With the first pipelined run of an element or more that leaves path and
    /// depth open, if nothing is stored for this device, driver, number of
    /// threads, version and kind of build of the library; about a tenth of a second then,
    /// once per machine. Nothing is measured where it cannot be kept: without
    /// a folder ([`Cache`](crate::Cache)), or with one that cannot be written
    /// to, which is a warning. Sizes that there was no time for are tried
    /// again by the next two processes. The default; under the validation
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
    /// How many processes may still try, on first use, to measure sizes that
    /// there was no time for; 0 where all were measured.
    pub(crate) retries: u32,
}

/// How long the CPU engine took for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CpuTime {
    pub(crate) elements: usize,
    pub(crate) nanoseconds: u64,
}

/// [`Findings::retries`] after the first try: enough to outlast a moment in
/// which the host was busy, few enough that a device which is always too slow
/// is not measured by each process.
const RETRIES: u32 = 2;

impl Findings {
    /// The most elements of one measured run.
    pub(crate) fn largest(&self) -> usize {
        let sizes = self.tuning.measured.iter().map(|row| row.elements);
        sizes.max().unwrap_or(0)
    }

    /// What to keep of a first use that measured this by `effort`, with
    /// `known` from the one before: whichever went further.
    pub(crate) fn after(self, known: Option<&Self>, effort: Effort) -> Self {
        let next = self.largest().saturating_mul(effort.step.max(2));
        let left = known.map_or(RETRIES, |known| known.retries.saturating_sub(1));
        let further = known.filter(|known| known.largest() > self.largest());
        Self {
            retries: if next > effort.largest { 0 } else { left },
            host_buffers: self.host_buffers,
            cpu: known.map_or(self.cpu, |known| known.cpu.clone()),
            tuning: further.map_or(self.tuning, |known| known.tuning.clone()),
        }
    }
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
mod tests {
    use super::*;
    use vk_mem_paths::{Measured, Strategy};

    /// What was measured at sizes up to `elements`.
    pub(super) fn tuning(elements: usize) -> Tuning {
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

    fn up_to(elements: usize) -> Findings {
        Findings {
            tuning: tuning(elements),
            host_buffers: None,
            cpu: Vec::new(),
            retries: 0,
        }
    }

    #[test]
    fn sizes_without_time_are_tried_again_by_a_few_processes() {
        let effort = Effort::BRIEF;
        assert_eq!(up_to(1 << 18).after(None, effort).retries, 0);
        let mut known = up_to(1 << 10).after(None, effort);
        for left in [2, 1, 0] {
            assert_eq!(known.retries, left);
            let whole = up_to(1 << 18).after(Some(&known), effort);
            assert_eq!((whole.retries, whole.largest()), (0, 1 << 18));
            known = up_to(1 << 10).after(Some(&known), effort);
        }
        // The largest size of these steps is not the largest allowed.
        let odd = Effort {
            largest: (1 << 18) - 1,
            ..effort
        };
        assert_eq!(up_to(1 << 14).after(None, odd).retries, 0);
        let endless = Effort {
            largest: usize::MAX,
            step: 0,
            ..effort
        };
        assert_eq!(up_to(1 << 40).after(None, endless).retries, 2);
    }

    #[test]
    fn what_went_further_is_kept_and_the_cpu_with_it() {
        let known = Findings {
            cpu: vec![CpuTime {
                elements: 64,
                nanoseconds: 1,
            }],
            retries: 2,
            ..up_to(1 << 10)
        };
        for (found, kept) in [(64, 1 << 10), (1 << 14, 1 << 14)] {
            let found = Findings {
                host_buffers: Some(Path::DeviceLocal),
                ..up_to(found)
            };
            let expected = Findings {
                tuning: tuning(kept),
                host_buffers: Some(Path::DeviceLocal),
                cpu: known.cpu.clone(),
                retries: 1,
            };
            assert_eq!(found.after(Some(&known), Effort::BRIEF), expected);
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
