//! How a call wants its jobs run.

use vk_mem_paths::{Packing, PathChoice, Request, TransferPath};

use crate::Mode;
use crate::device::Settings;
use crate::field_add::Batch;

/// What a call and the settings ask for together.
pub(super) struct How {
    pub(super) mode: Mode,
    pub(super) request: Request,
}

impl How {
    /// What `batch` and the settings ask for.
    pub(super) fn of(batch: &Batch<'_>, settings: &Settings) -> Self {
        match batch.mode {
            Mode::Sequential => Self::sequential(settings, batch.device_local),
            Mode::Pipelined => Self::pipelined(settings),
        }
    }

    /// Job by job.
    fn sequential(settings: &Settings, device_local: bool) -> Self {
        let host = PathChoice::Fixed(TransferPath::HostVisible);
        Self {
            mode: Mode::Sequential,
            request: Request {
                path: settings.path(device_local, host),
                chunk: settings.chunk,
                depth: Some(1),
                packing: Packing::PerJob,
            },
        }
    }

    /// With chunks that overlap.
    pub(super) fn pipelined(settings: &Settings) -> Self {
        Self {
            mode: Mode::Pipelined,
            request: Request {
                path: settings.path(false, PathChoice::Auto),
                chunk: settings.chunk,
                depth: settings.depth,
                packing: Packing::AcrossJobs,
            },
        }
    }
}
