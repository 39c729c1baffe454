//! How fast a device copies: the limits beside which data paths are measured.

use std::sync::Arc;
use std::time::Duration;

use vk_core::Device;
use vk_mem_paths::{Access, MemoryUse, Step, Storage};

use crate::timed::Timed;

/// Bandwidths of a device, in bytes per second, each measured with copy commands alone on
/// the queue that the library works on: the device's memory and its bus, without kernels
/// and without the host's own copies.
pub(crate) struct Bandwidth {
    /// Bytes that each copy moved.
    pub(crate) bytes: usize,
    /// Device memory to device memory, counting the bytes read plus the bytes
    /// written, as a kernel's traffic is counted.
    pub(crate) device_copy: f64,
    /// Upload memory to device memory.
    pub(crate) host_to_device: f64,
    /// Device memory to readback memory.
    pub(crate) device_to_host: f64,
    /// Both directions at once, nothing ordering the one after the other; bytes of both
    /// together, until the slower one was through.
    pub(crate) both_directions: f64,
}

/// How long the copies of one measurement should take together: long beside
/// the time of a submission.
const BATCH: Duration = Duration::from_millis(20);
/// The most copies of one submission, either way.
const MOST_COPIES: u32 = 64;
/// Measurements of which the median counts.
const SAMPLES: usize = 7;

impl Bandwidth {
    /// Measures copies of `bytes` bytes, a multiple of 4, each after a warm-up, as the
    /// median of several batches. Takes `2 * bytes` of device memory, `bytes` of
    /// upload and as much of readback memory while it runs.
    pub(crate) fn measure(device: &Arc<Device>, bytes: usize) -> anyhow::Result<Self> {
        let mut timed = Timed::new(device)?;
        let take = |purpose| timed.lane().pool().take_from(purpose, bytes);
        let (upload, readback) = (take(MemoryUse::Upload)?, take(MemoryUse::Readback)?);
        let (one, other) = (take(MemoryUse::Device)?, take(MemoryUse::Device)?);
        for source in [&upload, &other] {
            // SAFETY: writes and copies inside storage of this lane.
            unsafe { timed.run(&filling(source))? };
        }
        let mut rate = |copies: &[[&Storage; 2]]| rate(&mut timed, copies);
        Ok(Self {
            bytes,
            device_copy: 2.0 * rate(&[[&other, &one]])?,
            host_to_device: rate(&[[&upload, &one]])?,
            device_to_host: rate(&[[&other, &readback]])?,
            both_directions: rate(&[[&upload, &one], [&other, &readback]])?,
        })
    }
}

/// Bytes that `copies`, each from one storage to another, move in a second, all of them at
/// once and again and again.
fn rate(timed: &mut Timed, copies: &[[&Storage; 2]]) -> anyhow::Result<f64> {
    let mut run = |rounds: u32| {
        let steps = (0..rounds).flat_map(|_| copies.iter().map(copy));
        // SAFETY: copies between whole storage of this lane.
        unsafe { timed.run(&steps.collect::<Vec<_>>()) }
    };
    // The first copy touches the pages, the second tells the time.
    run(1)?;
    let one = run(1)?.as_nanos().max(1);
    let rounds = u32::try_from(BATCH.as_nanos() / one).unwrap_or(MOST_COPIES);
    let rounds = rounds.clamp(1, MOST_COPIES);
    let time = median(|| run(rounds))?;
    let bytes: usize = copies.iter().map(|[from, _]| from.bytes()).sum();
    Ok(bytes as f64 * f64::from(rounds) / time.as_secs_f64())
}

/// Of several times.
pub(crate) fn median(time: impl FnMut() -> anyhow::Result<Duration>) -> anyhow::Result<Duration> {
    let times = std::iter::repeat_with(time).take(SAMPLES);
    let mut times = times.collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    Ok(times[SAMPLES / 2])
}

fn copy([from, to]: &[&Storage; 2]) -> Step {
    Step::Copy {
        from: from.region(0..from.bytes(), Access::Read),
        to: to.region(0..from.bytes(), Access::Write),
    }
}

/// Writes all of a source: pages that were never written may all be one and the same, and
/// be read faster than any memory.
fn filling(storage: &Storage) -> Vec<Step> {
    let bytes = storage.bytes();
    let mut filled = bytes.min(Step::MOST_WRITTEN);
    let mut steps = vec![Step::Write {
        to: storage.region(0..filled, Access::Write),
        bytes: vec![0x5a; filled],
    }];
    while filled < bytes {
        let more = filled.min(bytes - filled);
        steps.push(Step::Copy {
            from: storage.region(0..more, Access::Read),
            to: storage.region(filled..filled + more, Access::Write),
        });
        filled += more;
    }
    steps
}
