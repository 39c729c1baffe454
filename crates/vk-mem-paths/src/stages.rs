//! The stages of a chunk on the device.

use crate::{StageKind, TransferPath};

/// One step of a chunk on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// Staging buffer to device memory.
    Upload = 0,
    /// The kernel.
    Kernel = 1,
    /// Device memory to staging buffer.
    Download = 2,
}

impl Stage {
    /// How many stages there are.
    pub(crate) const COUNT: u32 = 3;

    /// The stage's number, from 0.
    pub(crate) fn number(self) -> u32 {
        self as u32
    }
}

impl From<Stage> for StageKind {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Upload => Self::Upload,
            Stage::Kernel => Self::Kernel,
            Stage::Download => Self::Download,
        }
    }
}

impl TransferPath {
    /// The stages of a chunk, in the order in which they run, one after the
    /// other in one command buffer.
    pub(crate) fn stages(self) -> &'static [Stage] {
        match self {
            Self::HostVisible | Self::Bar => &[Stage::Kernel],
            Self::DeviceLocal => &[Stage::Upload, Stage::Kernel, Stage::Download],
        }
    }
}
