//! What a run did and how long its stages took.

use std::time::Duration;

/// Time spent per stage, summed over all chunks of a run.
///
/// The host's stages are wall time of the threads that worked on the run,
/// added up: of several at once when chunks are pipelined. The device's
/// stages are measured by the device and overlap the host's, and each other
/// when chunks are pipelined; they are `None` unless timestamps were asked for
/// and the queue has them.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

impl Stats {
    /// Adds what another lane of the same run did.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.chunks += other.chunks;
        self.elements += other.elements;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        let (times, more) = (&mut self.times, &other.times);
        times.copy_in += more.copy_in;
        times.submit += more.submit;
        times.wait += more.wait;
        times.copy_out += more.copy_out;
        add(&mut times.upload, more.upload);
        add(&mut times.kernel, more.kernel);
        add(&mut times.download, more.download);
    }
}

/// Adds `more` to an optional sum.
pub(crate) fn add(sum: &mut Option<Duration>, more: Option<Duration>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or_default() + more);
    }
}
