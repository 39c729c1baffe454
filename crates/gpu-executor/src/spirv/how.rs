//! How a call wants its jobs run.

use vk_mem_paths::{Packing, PathChoice, Request, TransferPath};

use super::builder::Settings;
use crate::Mode;

/// What a call and the settings ask for together.
pub(super) struct How {
    pub(super) mode: Mode,
    pub(super) request: Request,
}

impl How {
    /// Job by job.
    pub(super) fn sequential(settings: &Settings, device_local: bool) -> Self {
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
