//! What a run computes, and how its caller wants it done.

use serde::{Deserialize, Serialize};

use super::Packing;

/// Where a kernel reads and writes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferPath {
    /// Host memory, directly: no copies on the device.
    HostVisible,
    /// Device memory, with an upload before and a download after it.
    DeviceLocal,
    /// Reads device memory that the host wrote through the bus (BAR), and
    /// writes host memory directly. Only where the whole device memory is
    /// host-visible.
    Bar,
}

impl TransferPath {
    /// Every path, the ones without conditions first.
    pub const ALL: [Self; 3] = [Self::HostVisible, Self::DeviceLocal, Self::Bar];
}

impl std::fmt::Display for TransferPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::HostVisible => "host-visible",
            Self::DeviceLocal => "device-local",
            Self::Bar => "bar",
        })
    }
}

/// Which path a caller wants.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathChoice {
    /// The one that is expected to be faster for the device and the size.
    #[default]
    Auto,
    /// Always this one.
    Fixed(TransferPath),
}

/// What is to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    /// Elements of all jobs together.
    pub(crate) total: usize,
    /// Elements of the largest job.
    pub(crate) largest_job: usize,
    /// Bytes of one element.
    pub(crate) element_bytes: usize,
    /// Elements that one workgroup of the kernel computes.
    pub(crate) workgroup_size: u32,
}

/// How it should be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path.
    pub path: PathChoice,
    /// The most elements of one chunk; `None` leaves it to the planner, which
    /// takes 2^19 for a sequential run and less for a pipelined one.
    pub chunk: Option<usize>,
    /// The most chunks in flight; `None` leaves it to the planner.
    pub depth: Option<usize>,
    /// Whether a chunk may carry several jobs.
    pub packing: Packing,
}
