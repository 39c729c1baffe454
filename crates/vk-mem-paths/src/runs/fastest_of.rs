//! How long something takes at its fastest.

use std::time::{Duration, Instant};

/// Repetitions, at least and at most, and how long they should take together.
const ROUNDS: (u128, u128) = (3, 15);
const ROUNDS_TIME: Duration = Duration::from_millis(1);

/// The time of the fastest of several calls of `run`: a call that the system
/// interrupts, or the first one, which makes what the others find made, says
/// nothing of the next.
///
/// # Errors
/// The first error of `run`.
pub fn fastest_of<E>(mut run: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
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
    fn it_repeats_the_short_more_often_and_stops_at_an_error() {
        let mut calls = 0_u128;
        let fastest = fastest_of(|| {
            calls += 1;
            Ok::<_, ()>(())
        });
        assert!(fastest.is_ok());
        assert!(calls > ROUNDS.0 && calls <= ROUNDS.1 + 1, "{calls} calls");
        let mut calls = 0;
        let failed = fastest_of(|| {
            calls += 1;
            if calls == 2 { Err(calls) } else { Ok(()) }
        });
        assert_eq!(failed, Err(2));
    }
}
