//! How long the stages of a submission took on the device.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ash::vk;

use crate::error::VkContext;
use crate::{Device, Error};

/// Timestamp queries around `stages` stages of one submission.
pub struct StageTimer {
    device: Arc<Device>,
    pool: vk::QueryPool,
    stages: u32,
}

impl StageTimer {
    /// A timer for `stages` stages; `None` where the device cannot reset
    /// queries from the host.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for no stage, and for more than 2^31 - 1 of
    /// them; else what the driver returned.
    pub fn new(device: &Arc<Device>, stages: u32) -> Result<Option<Self>, Error> {
        let queries = stages.checked_mul(2).filter(|queries| *queries > 0);
        let queries = queries.ok_or_else(|| Error::Unsupported {
            needed: format!("a timer for {stages} stages"),
            found: format!("timers for 1 to {} stages", u32::MAX / 2),
        })?;
        if !device.caps().features.host_query_reset {
            return Ok(None);
        }
        let info = vk::QueryPoolCreateInfo::default()
            .query_type(vk::QueryType::TIMESTAMP)
            .query_count(queries);
        // SAFETY: the device is alive.
        let pool = unsafe { device.raw().create_query_pool(&info, None) };
        Ok(Some(Self {
            device: Arc::clone(device),
            pool: pool.during("vkCreateQueryPool")?,
            stages,
        }))
    }

    /// Makes the timer ready for a submission.
    ///
    /// # Safety
    /// No submission that records this timer is in flight.
    pub unsafe fn reset(&self) {
        // SAFETY: the caller's contract; `new` checked for hostQueryReset.
        unsafe {
            self.device
                .raw()
                .reset_query_pool(self.pool, 0, 2 * self.stages)
        };
    }

    /// Records the start or the end of `stage`; nothing where the queue has no
    /// timestamps.
    ///
    /// # Safety
    /// `commands` is being recorded for the device's queue, and this timer
    /// outlives its submission.
    pub unsafe fn record(&self, commands: vk::CommandBuffer, stage: u32, end: bool) {
        if self.valid_bits() == 0 || stage >= self.stages {
            return;
        }
        // At the bottom of the pipe both wait for the work before them.
        let point = vk::PipelineStageFlags::BOTTOM_OF_PIPE;
        let query = 2 * stage + u32::from(end);
        let device = self.device.raw();
        // SAFETY: the caller's contract; the query exists, since stage < stages.
        unsafe { device.cmd_write_timestamp(commands, point, self.pool, query) };
    }

    /// When each of `stages`, which ran in this order, was at work, counted from the start of the first; `None` where
    /// they were not timed, or the driver does not give the times (it is
    /// logged then).
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device was lost.
    pub fn spans(&self, stages: &[u32]) -> Result<Option<Vec<Range<Duration>>>, Error> {
        let bits = self.valid_bits();
        let period = self.device.caps().limits.timestamp_period;
        let mut first = None;
        let mut spans = Vec::with_capacity(stages.len());
        for stage in stages {
            let ticks = match bits {
                0 => None,
                _ => self.ticks(*stage)?,
            };
            let Some([start, end]) = ticks else {
                return Ok(None);
            };
            let first = *first.get_or_insert(start);
            let [start, end] = [start, end].map(|at| ticks_to_duration([first, at], bits, period));
            spans.push(start..end);
        }
        Ok(Some(spans))
    }

    /// The two timestamps of `stage`, if there are any yet.
    fn ticks(&self, stage: u32) -> Result<Option<[u64; 2]>, Error> {
        if stage >= self.stages {
            return Ok(None);
        }
        let mut ticks = [0_u64; 2];
        let flags = vk::QueryResultFlags::TYPE_64;
        let device = self.device.raw();
        // SAFETY: two queries from 2 * stage exist; the array holds both.
        let read =
            unsafe { device.get_query_pool_results(self.pool, 2 * stage, &mut ticks, flags) };
        match self.device.note_loss(read.during("vkGetQueryPoolResults")) {
            Ok(()) => Ok(Some(ticks)),
            Err(lost @ Error::DeviceLost { .. }) => Err(lost),
            Err(Error::Vulkan {
                result: vk::Result::NOT_READY,
                ..
            }) => Ok(None),
            // How long it took is no reason to give the result up.
            Err(error) => {
                tracing::warn!("a stage goes without its time: {error}");
                Ok(None)
            }
        }
    }

    fn valid_bits(&self) -> u32 {
        let family = self.device.family() as usize;
        let families = &self.device.caps().queue_families;
        families.get(family).map_or(0, |it| it.timestamp_bits)
    }
}

impl Drop for StageTimer {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        // SAFETY: whoever recorded it keeps it until the submission is
        // complete (contract of `record`).
        unsafe { self.device.raw().destroy_query_pool(self.pool, None) };
    }
}

/// The time between two timestamps of which `bits` are valid, with `period`
/// nanoseconds per tick; a counter that wrapped once in between is right.
/// Zero for a period that is no time (negative, NaN, infinite).
fn ticks_to_duration([start, end]: [u64; 2], bits: u32, period: f32) -> Duration {
    let mask = u64::MAX
        .checked_shr(64_u32.saturating_sub(bits))
        .unwrap_or(0);
    let ticks = end.wrapping_sub(start) & mask;
    #[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days")]
    let nanoseconds = ticks as f64 * f64::from(period);
    Duration::try_from_secs_f64(nanoseconds * 1e-9).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_masked_scaled_and_may_wrap() {
        let ns = |ticks, bits, period| ticks_to_duration(ticks, bits, period).as_nanos();
        assert_eq!(ns([100, 350], 64, 1.0), 250);
        assert_eq!(ns([100, 350], 64, 4.0), 1000);
        // 32 valid bits: the upper half is garbage and the counter wrapped.
        assert_eq!(ns([0xdead_beef_ffff_fff0, 0x10], 32, 1.0), 32);
        assert_eq!(ns([u64::MAX, 1], 64, 1.0), 2);
        assert_eq!(ns([7, 9], 0, 1.0), 0);
        for period in [f32::NAN, -1.0, f32::INFINITY, f32::MAX] {
            assert_eq!(ns([0, u64::MAX], 64, period), 0, "{period}");
        }
    }
}
