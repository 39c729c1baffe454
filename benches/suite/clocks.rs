//! A device that was idle has lowered its clocks, and is kept at work until
//! they are up.

use std::time::{Duration, Instant};

use vk_core::{DeviceCaps, DeviceKind};

use crate::resident::Resident;

/// The runs of one submission that only keeps the device at work.
const ROUNDS: u32 = 16;

/// How long a device must be at work until its clocks are up. An H200 that
/// was idle runs kernels at a quarter of their speed for its first 200 ms.
const RAMP: Duration = Duration::from_millis(400);
/// How much slower than the best run so far one may be with the clocks up: one
/// part in this many.
const AS_GOOD: u32 = 50;

/// What is known of a device's clocks by the times of a kernel.
pub(crate) struct Clocks {
    ramp: Duration,
    /// The time of its best run.
    best: Duration,
}

impl Clocks {
    /// Keeps a device with `caps` at work until its clocks are up.
    pub(crate) fn raise(caps: &DeviceCaps, resident: &mut Resident) -> anyhow::Result<Self> {
        let ramp = match caps.kind {
            // It has no clocks but the host's.
            DeviceKind::Software => Duration::ZERO,
            _ => RAMP,
        };
        let (start, mut best) = (Instant::now(), Duration::MAX);
        while start.elapsed() < ramp {
            best = best.min(resident.run(ROUNDS)?);
        }
        Ok(Self { ramp, best })
    }

    /// Keeps the device at work until it is as fast as at its best: while the
    /// host checked the sample before, it may have lowered its clocks.
    pub(crate) fn catch_up(&mut self, resident: &mut Resident) -> anyhow::Result<()> {
        let start = Instant::now();
        while start.elapsed() < self.ramp {
            let time = resident.run(ROUNDS)?;
            self.best = time.min(self.best);
            if time <= self.best + self.best / AS_GOOD {
                break;
            }
        }
        Ok(())
    }
}
