//! What copy commands move, beside which operations are judged.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use vk_core::{Device, DevicePolicy, Instance, Validation};
use vk_mem_paths::{Access, Element, Lane, Step, TransferOptions};

use crate::measure::{WARM_UP, median};

/// Copies of one submission.
const COPIES: u32 = 16;

/// Bytes per second that copy commands move inside the device's memory, read and written,
/// as the median of `rounds` submissions.
#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
pub(crate) fn commands(bytes: usize, rounds: usize) -> Result<f64> {
    let device = Instance::new(Validation::Off)?.device(&DevicePolicy::Auto)?;
    let options = TransferOptions {
        timestamps: true,
        ..TransferOptions::default()
    };
    let mut lane = Lane::on(&Device::shared(&device)?, options)?;
    let (from, to) = (lane.pool().take(bytes)?, lane.pool().take(bytes)?);
    // Pages that were never written may all be one and the same, and be read faster.
    let as_it_is = Element {
        bytes: 1,
        check: None,
    };
    lane.transfers()
        .0
        .upload(&from, &vec![0x5a; bytes], as_it_is)?;
    let copies: Vec<Step> = (0..COPIES)
        .map(|_| Step::Copy {
            from: from.region(0..bytes, Access::Read),
            to: to.region(0..bytes, Access::Write),
        })
        .collect();
    let mut run = || -> Result<Duration> {
        let start = Instant::now();
        // SAFETY: copies between whole storage of this lane's pool.
        let submitted = unsafe { lane.submit(&copies, &[])? };
        submitted.wait(lane.wait_policy())?;
        let by_host = start.elapsed();
        lane.reap()?;
        let finished = submitted
            .finished()
            .context("a complete batch left nothing")?;
        Ok(finished
            .map_err(Clone::clone)?
            .device_time
            .unwrap_or(by_host))
    };
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < rounds {
        let time = run()?;
        if begun.elapsed() > WARM_UP {
            times.push(time);
        }
    }
    let moved = 2.0 * bytes as f64 * f64::from(COPIES);
    Ok(moved / median(times).as_secs_f64())
}
