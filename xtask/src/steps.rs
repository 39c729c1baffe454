//! Named steps with their times.

use std::time::{Duration, Instant};

use anyhow::Context;

/// The steps a command has passed so far.
#[derive(Default)]
pub(crate) struct Steps {
    passed: Vec<(String, Times)>,
    // With the reason.
    not_run: Vec<(String, String)>,
}

/// How a step that cannot run everywhere ended.
pub(crate) enum Outcome {
    /// It ran and found nothing wrong.
    Passed,
    /// It did not run, for this reason.
    NotRun(String),
}

/// How long something took.
#[derive(Clone, Copy, Default)]
struct Times {
    elapsed: Duration,
    /// Of all processors together, by the processes that it started; zero where the
    /// system does not tell.
    processor: Duration,
}

impl Steps {
    /// Runs one step, announcing it before and timing it after.
    ///
    /// # Errors
    /// What `body` returned, with the step's name and time around it.
    pub(crate) fn run(
        &mut self,
        name: &str,
        body: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.run_where_possible(name, || body().map(|()| Outcome::Passed))
    }

    /// As [`Self::run`], of a step that says itself whether it can run here. One that
    /// cannot is named as such, and not counted as passed.
    pub(crate) fn run_where_possible(
        &mut self,
        name: &str,
        body: impl FnOnce() -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<()> {
        println!("\n== {name}");
        let (start, processor) = (Instant::now(), processor_time());
        let outcome = body();
        let times = Times {
            elapsed: start.elapsed(),
            processor: processor_time().saturating_sub(processor),
        };
        let failed = || format!("step `{name}` failed after {}", seconds(times.elapsed));
        match outcome.with_context(failed)? {
            Outcome::Passed => {
                println!("== {name}: passed in {}", seconds(times.elapsed));
                self.passed.push((name.to_owned(), times));
            }
            Outcome::NotRun(reason) => {
                println!("== {name}: NOT RUN: {reason}");
                self.not_run.push((name.to_owned(), reason));
            }
        }
        Ok(())
    }

    /// Prints every passed step with its times, the total, and what was not run.
    pub(crate) fn print_summary(&self) {
        let mut total = Times::default();
        for (_, times) in &self.passed {
            total.elapsed += times.elapsed;
            total.processor += times.processor;
        }
        let rows = self
            .passed
            .iter()
            .map(|(name, times)| (name.as_str(), *times));
        let rows: Vec<_> = rows.chain([("total", total)]).collect();
        let width = rows.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or_default();
        println!("\n{:width$}  {:>9}  {:>9}", "", "elapsed", "processor");
        for (name, times) in rows {
            let [elapsed, processor] = [times.elapsed, times.processor].map(seconds);
            println!("{name:<width$}  {elapsed:>9}  {processor:>9}");
        }
        for (name, reason) in &self.not_run {
            println!("NOT RUN: {name}: {reason}");
        }
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

/// The processor time of all child processes that have ended, and of theirs.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    of_children(&stat).unwrap_or_default()
}

/// The fields `cutime` and `cstime` of Linux's `/proc/PID/stat`, which counts in
/// hundredths of a second.
fn of_children(stat: &str) -> Option<Duration> {
    // The second field, a program's name in parentheses, may hold anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(13);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_millis(10 * (user + system)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_not_counted_as_passed() {
        let mut steps = Steps::default();
        steps.run("good", || Ok(())).unwrap();
        let error = steps
            .run("bad", || anyhow::bail!("broken"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("step `bad` failed after "), "{error}");
        assert_eq!(steps.passed.len(), 1);
    }

    #[test]
    fn a_step_that_cannot_run_is_not_counted_as_passed() {
        let mut steps = Steps::default();
        let nowhere = || Ok(Outcome::NotRun("not on this system".to_owned()));
        steps.run_where_possible("elsewhere", nowhere).unwrap();
        assert!(steps.passed.is_empty());
        assert_eq!(steps.not_run[0].0, "elsewhere");
    }

    #[test]
    fn the_processor_time_of_children_is_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4 5 6 0 0 10 20 300 45 20 0 1 0 99 1 2";
        assert_eq!(of_children(stat), Some(Duration::from_millis(3450)));
        assert_eq!(of_children(""), None);
    }
}
