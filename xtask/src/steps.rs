//! Named steps with their elapsed times.

use std::time::{Duration, Instant};

use anyhow::Context;

/// The steps a command has passed so far.
#[derive(Default)]
pub(crate) struct Steps {
    passed: Vec<(String, Duration)>,
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
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = body();
        let elapsed = start.elapsed();
        outcome.with_context(|| format!("step `{name}` failed after {}", seconds(elapsed)))?;
        println!("== {name}: passed in {}", seconds(elapsed));
        self.passed.push((name.to_owned(), elapsed));
        Ok(())
    }

    /// Prints every passed step with its time, and the total.
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
}
