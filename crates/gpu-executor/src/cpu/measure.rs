//! How long the CPU engine takes, measured.

use std::time::{Duration, Instant};

use super::CpuEngine;
use crate::Result;
use crate::calibration::CpuTime;
use crate::field_add::{Batch, FieldAdd};
use crate::kernels::LIMBS;

/// The sizes at which it is measured, in elements.
const SIZES: [usize; 4] = [1 << 17, 1 << 14, 1 << 10, 1 << 6];

/// How long `engine` takes now. It forgets its last run: that was none of the caller's.
///
/// # Errors
/// Those of its runs.
pub(crate) fn times(engine: &mut CpuEngine) -> Result<Vec<CpuTime>> {
    let mut times = Vec::new();
    for elements in SIZES {
        // Sums too are in memory that was written before.
        let [a, b, mut sums] = [1, 2, 3].map(|limb| vec![limb; elements * LIMBS]);
        let (jobs, mut sums) = ([(&*a, &*b)], [&mut *sums]);
        let batch = Batch::new(&jobs, elements);
        let time = fastest_of(|| engine.run(&batch, Some(&mut sums)).map(drop))?;
        times.push(CpuTime {
            elements,
            nanoseconds: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
        });
    }
    engine.report = None;
    Ok(times)
}

/// Repetitions, at least and at most, and how long they should take together.
const ROUNDS: (u128, u128) = (3, 15);
const ROUNDS_TIME: Duration = Duration::from_millis(1);

/// The time of the fastest of several calls of `run`: a call that the system interrupts, or
/// the first one, which makes what the others find made, says nothing of the next.
fn fastest_of(mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut time = || {
        let start = Instant::now();
        run().map(|()| start.elapsed())
    };
    let mut fastest = time()?;
    let rounds = ROUNDS_TIME.as_nanos() / fastest.as_nanos().max(1);
    for _ in 0..rounds.clamp(ROUNDS.0, ROUNDS.1) {
        fastest = fastest.min(time()?);
    }
    Ok(fastest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_is_repeated_more_often_and_an_error_is_the_end() {
        let mut calls = 0_u128;
        let fastest = fastest_of(|| {
            calls += 1;
            Ok(())
        });
        assert!(fastest.is_ok());
        assert!(calls > ROUNDS.0 && calls <= ROUNDS.1 + 1, "{calls} calls");
        let failed = fastest_of(|| Err(crate::Error::OtherProcess));
        assert_eq!(failed, Err(crate::Error::OtherProcess));
    }

    #[test]
    fn every_size_is_measured() {
        let mut engine = CpuEngine::with_threads(1).unwrap();
        let times = times(&mut engine).unwrap();
        let sizes: Vec<_> = times.iter().map(|time| time.elements).collect();
        assert_eq!(sizes, SIZES);
        assert!(times.iter().all(|time| time.nanoseconds > 0));
        assert!(engine.last_report().is_none());
    }
}
