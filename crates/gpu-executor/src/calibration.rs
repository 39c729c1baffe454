//! What was measured on a device, kept from process to process.

mod file;

use serde::{Deserialize, Serialize};
use vk_mem_paths::{Path, Tuning};

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
    /// to, which is a warning. The default; under the validation
    /// layer, which distorts every time, the same as [`Calibration::Off`].
    #[default]
    OnFirstUse,
    /// Never on its own: what is stored is used.
    Stored,
    /// Never, and what is stored is ignored.
    Off,
}

/// What is kept between processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// How runs over the caller's slices are fastest.
    pub(crate) tuning: Tuning,
    /// The faster path of runs over host buffers.
    pub(crate) host_buffers: Path,
    /// How long the CPU engine takes; empty where nobody asked.
    pub(crate) cpu: Vec<CpuTime>,
}

/// How long the CPU engine took for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CpuTime {
    pub(crate) elements: usize,
    pub(crate) nanoseconds: u64,
}
