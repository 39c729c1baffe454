//! Named steps with their elapsed times.

use std::time::{Duration, Instant};

use anyhow::Context;

/// The steps a command has passed so far.
#[derive(Default)]
pub(crate) struct Steps {
    passed: Vec<(String, Duration)>,
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
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn run_where_possible(
        &mut self,
        name: &str,
        body: impl FnOnce() -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<()> {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = body();
        let elapsed = start.elapsed();
        let failed = || format!("step `{name}` failed after {}", seconds(elapsed));
        match outcome.with_context(failed)? {
            Outcome::Passed => {
                println!("== {name}: passed in {}", seconds(elapsed));
                self.passed.push((name.to_owned(), elapsed));
            }
            Outcome::NotRun(reason) => {
                println!("== {name}: NOT RUN: {reason}");
                self.not_run.push((name.to_owned(), reason));
            }
        }
        Ok(())
    }

    /// Prints every passed step with its time, the total, and what was not run.
    pub(crate) fn print_summary(&self) {
        let width = self
            .passed
            .iter()
            .map(|(name, _)| name.chars().count())
            .chain([5])
            .max()
            .unwrap_or_default();
        println!();
        for (name, elapsed) in &self.passed {
            println!("{name:<width$}  {:>8}", seconds(*elapsed));
        }
        let total: Duration = self.passed.iter().map(|(_, elapsed)| *elapsed).sum();
        println!("{:<width$}  {:>8}", "total", seconds(total));
        for (name, reason) in &self.not_run {
            println!("NOT RUN: {name}: {reason}");
        }
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
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
}
