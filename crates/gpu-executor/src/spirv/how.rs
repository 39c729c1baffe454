//! How a call wants its jobs run.

use vk_mem_paths::{Packing, Path, PathChoice, Request};

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
        let host = PathChoice::Fixed(Path::HostVisible);
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

    /// Whether a run over `elements` elements of the caller's slices goes by
    /// what was measured: one of depth 1 does not.
    pub(super) fn is_open(&self, elements: usize) -> bool {
        self.request.depth != Some(1) && self.is_open_over_buffers(elements)
    }

    /// Whether a run over `elements` elements of host buffers does, of which
    /// the path alone was measured.
    pub(super) fn is_open_over_buffers(&self, elements: usize) -> bool {
        self.mode == Mode::Pipelined && self.request.path == PathChoice::Auto && elements > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spirv::Builder;
    use crate::spirv::builder::tests::settings;

    #[test]
    fn what_goes_by_measurements_leaves_path_and_depth_open_and_has_work() {
        let of = |builder: Builder, elements| {
            let how = How::pipelined(&settings(builder));
            (how.is_open(elements), how.is_open_over_buffers(elements))
        };
        let builder = Builder::default;
        assert_eq!(of(builder(), 1), (true, true));
        assert_eq!(of(builder().depth(2).chunk_elements(7), 1), (true, true));
        assert_eq!(of(builder(), 0), (false, false));
        assert_eq!(of(builder().depth(1), 1), (false, true));
        let fixed = PathChoice::Fixed(Path::HostVisible);
        assert_eq!(of(builder().path(fixed), 1), (false, false));
        let open = settings(builder().path(PathChoice::Auto));
        assert!(!How::sequential(&open, false).is_open(1));
    }
}
