//! What a sweep found, in words.

use std::collections::BTreeMap;
use std::fmt;

use super::{Trial, Verdict};

/// How a sweep ended, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Faults tried.
    pub tried: usize,
    /// Every result was right in spite of the fault.
    pub right: usize,
    /// A typed error, and all was well afterwards.
    pub errors: usize,
    /// The call did not come this time.
    pub not_reached: usize,
    /// A promise was broken.
    pub broken: usize,
}

impl Summary {
    fn add(&mut self, verdict: &Verdict) {
        self.tried += 1;
        match verdict {
            Verdict::Right => self.right += 1,
            Verdict::TypedError => self.errors += 1,
            Verdict::NotReached => self.not_reached += 1,
            Verdict::Broken { .. } => self.broken += 1,
        }
    }

    /// Of `trials`.
    #[must_use]
    pub fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Self {
        let mut summary = Self::default();
        let trials = trials.into_iter();
        trials.for_each(|trial| summary.add(&trial.verdict));
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} faults: {} with right results, {} typed errors, {} not reached, {} broken promises",
            self.tried, self.right, self.errors, self.not_reached, self.broken
        )
    }
}

/// A line per entry point, then a line per broken promise, with the fault as
/// the binary `faults judge` takes it.
#[must_use]
pub fn print(trials: &[Trial]) -> String {
    let mut calls = BTreeMap::<&str, Summary>::new();
    for trial in trials {
        let summary = calls.entry(trial.fault.call.as_str()).or_default();
        summary.add(&trial.verdict);
    }
    let width = calls.keys().map(|call| call.len()).max().unwrap_or(0);
    let heads = ["tried", "right", "error", "missed", "BROKEN"];
    let line = |call: &str, cells: [String; 5]| {
        let cells = cells.map(|cell| format!("  {cell:>6}")).concat();
        format!("{call:<width$}{cells}\n")
    };
    let mut lines = line("call", heads.map(str::to_owned));
    for (call, of) in &calls {
        let counts = [of.tried, of.right, of.errors, of.not_reached, of.broken];
        lines += &line(call, counts.map(|count| count.to_string()));
    }
    for trial in trials {
        if let Verdict::Broken { promise, found } = &trial.verdict {
            let (scenario, fault) = (trial.scenario, &trial.fault);
            lines += &format!("BROKEN {promise:?}: {scenario} {fault}: {found}\n");
        }
    }
    lines + &Summary::of(trials).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Promise;

    #[test]
    fn broken_promises_are_named_with_their_faults() {
        let trial = |fault: &str, verdict| Trial {
            scenario: "fences",
            fault: fault.parse().unwrap(),
            verdict,
        };
        let trials = [
            trial("vkQueueSubmit:0:-4:once", Verdict::TypedError),
            trial(
                "vkResetFences:1:-2:once",
                Verdict::broken(Promise::NoLeak, "a fence"),
            ),
        ];
        let text = print(&trials);
        assert!(
            text.contains("BROKEN NoLeak: fences vkResetFences:1:-2:once: a fence"),
            "{text}"
        );
        let counted = "2 faults: 0 with right results, 1 typed errors, 0 not reached, 1 broken";
        assert!(text.contains(counted), "{text}");
    }
}
