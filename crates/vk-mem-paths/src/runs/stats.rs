//! What a run did and how long its stages took.

use std::time::Duration;

use super::timeline::{TimedStages, overlap};
use super::{Span, StageKind};

/// Time spent per stage, summed over all chunks of a run.
///
/// The host's stages are wall time, one after the other. The device's stages
/// are measured by the device and overlap the host's, and each other when
/// chunks are pipelined; they are `None` unless timestamps were asked for and
/// the queue has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Copying the caller's slices into upload memory.
    pub copy_in: Duration,
    /// Recording and submitting.
    pub submit: Duration,
    /// Waiting for the device.
    pub wait: Duration,
    /// Copying results out of readback memory.
    pub copy_out: Duration,
    /// On the device: staging buffer to device memory.
    pub upload: Option<Duration>,
    /// On the device: the kernel.
    pub kernel: Option<Duration>,
    /// On the device: device memory to staging buffer.
    pub download: Option<Duration>,
}

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Chunks submitted.
    pub chunks: usize,
    /// Elements computed.
    pub elements: usize,
    /// Bytes taken from the caller.
    pub bytes_in: u64,
    /// Bytes returned to the caller.
    pub bytes_out: u64,
    /// Time per stage.
    pub times: StageTimes,
    /// When each chunk was in each stage, in no order; empty unless
    /// timestamps were asked for. Without the device's stages where its
    /// queues have no timestamps.
    pub timeline: Vec<Span>,
}

impl Stats {
    /// How many of the five kinds of stage were at work at once, on average:
    /// the time during which any chunk was in a stage of a kind, added up
    /// over the kinds, in relation to the time during which any chunk was in
    /// any stage. 1 means that nothing overlapped, 5 is the most there is.
    /// `None` without a timeline.
    ///
    /// A kind counts once however many chunks are in it, and time in
    /// which nothing is at work (submitting, waiting for a thread) not at all.
    /// As exact as the places of the device's stages in the timeline: see
    /// [`Span`].
    #[must_use]
    pub fn overlap(&self) -> Option<f64> {
        overlap(&self.timeline)
    }
}

impl StageTimes {
    /// Adds the stages of one chunk on the device.
    pub(crate) fn add_device(&mut self, stages: &TimedStages) {
        for (stage, at) in stages {
            let sum = match stage {
                StageKind::Upload => &mut self.upload,
                StageKind::Kernel => &mut self.kernel,
                StageKind::Download => &mut self.download,
                StageKind::CopyIn | StageKind::CopyOut => continue,
            };
            *sum.get_or_insert_default() += at.end.saturating_sub(at.start);
        }
    }
}
