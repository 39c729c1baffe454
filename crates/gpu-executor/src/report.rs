//! What a run did: where it ran, how, and how long its stages took.

use std::fmt;
use std::time::Duration;

use vk_core::spirv::SpirvCheck;
use vk_mem_paths::{Span, StageTimes, TransferPath};

use crate::ChosenBy;

/// Where a run was computed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// On a Vulkan device.
    Vulkan {
        /// The device's name.
        device: String,
        /// The driver's name and version.
        driver: String,
    },
    /// On the host's processor, by the CPU engine.
    Cpu {
        /// Threads used at most.
        threads: usize,
    },
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vulkan { device, driver } => write!(f, "Vulkan: {device} ({driver})"),
            Self::Cpu { threads } => write!(f, "CPU: {threads} threads"),
        }
    }
}

/// How the jobs of a batch follow each other.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each job is complete before the next begins.
    Sequential,
    /// Transfers and kernels of several chunks overlap.
    Pipelined,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sequential => "sequential",
            Self::Pipelined => "pipelined",
        })
    }
}

/// What the last successful run did.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// Where it was computed.
    pub engine: Engine,
    /// The library kernel's name, or the start of the SHA-256 of the module
    /// that the caller passed.
    pub kernel: String,
    /// Who looked at the kernel's module before the driver saw it;
    /// [`SpirvCheck::Own`] on the CPU, which runs none.
    pub spirv: SpirvCheck,
    /// Sequential or pipelined.
    pub mode: Mode,
    /// The data path; `None` on the CPU.
    pub path: Option<TransferPath>,
    /// Why this path.
    pub path_reason: &'static str,
    /// What decided the path and the cut, as far as nobody asked for them.
    pub chosen_by: ChosenBy,
    /// Elements per chunk, at most.
    pub chunk: usize,
    /// Chunks in flight, at most.
    pub depth: usize,
    /// Chunks submitted.
    pub chunks: usize,
    /// Jobs.
    pub jobs: usize,
    /// Elements of all jobs.
    pub elements: usize,
    /// Bytes read from the caller's slices.
    pub bytes_in: u64,
    /// Bytes of the results.
    pub bytes_out: u64,
    /// From the call to its return.
    pub total: Duration,
    /// Of that, making the kernel's pipeline: the check of the module and the
    /// driver's compiler. Next to nothing where the backend has it; zero on the CPU.
    pub compile: Duration,
    /// Time per stage; zero on the CPU.
    pub stages: StageTimes,
    /// When each chunk was in each stage; empty unless the backend was built
    /// with `timestamps(true)`, on the CPU and for runs over host buffers.
    pub timeline: Vec<Span>,
    /// How many of the five kinds of stages were at work at once, on average
    /// over the time in which any was: 1 where nothing overlapped. `None`
    /// without a timeline.
    pub overlap: Option<f64>,
}

/// A pipeline that is there already is found in less.
const WORTH_TELLING: Duration = Duration::from_micros(100);

impl RunReport {
    /// Elements per second over the whole call.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    pub fn elements_per_second(&self) -> f64 {
        self.elements as f64 / self.total.as_secs_f64()
    }
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} jobs, {} elements in {:.3?} on {}; kernel {} ({}), {}",
            self.jobs, self.elements, self.total, self.engine, self.kernel, self.spirv, self.mode
        )?;
        if let Some(path) = self.path {
            write!(
                f,
                ", {path} ({}), chunks: {} of {} elements at most, {} in flight, {}",
                self.path_reason, self.chunks, self.chunk, self.depth, self.chosen_by
            )?;
        }
        if self.compile > WORTH_TELLING {
            write!(f, ", {:.3?} of it compiling", self.compile)?;
        }
        if let Some(overlap) = self.overlap {
            write!(f, ", {overlap:.2} stages at once")?;
        }
        Ok(())
    }
}
