//! Runs the suite's executable under a progress bar.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// Runs `command`, which runs the suite; what Criterion prints becomes a bar
/// on a terminal, and a line for each group elsewhere.
///
/// # Errors
/// When the command cannot be started, or fails.
pub(crate) fn run(mut command: Command) -> anyhow::Result<()> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().context("the suite cannot be started")?;
    let mut progress = Progress::new();
    if let Some(stderr) = child.stderr.take() {
        follow(stderr, |line| progress.show(line))?;
    }
    let status = child.wait()?;
    progress.bar.finish_and_clear();
    if !status.success() {
        bail!("the suite failed: {status}");
    }
    Ok(())
}

fn follow(stderr: impl Read, mut show: impl FnMut(&str)) -> anyhow::Result<()> {
    for line in BufReader::new(stderr).split(b'\n') {
        // A name in another encoding is no reason to stop.
        show(String::from_utf8_lossy(&line?).trim_end());
    }
    Ok(())
}

/// A line that the suite, Criterion or cargo printed.
#[derive(Debug, PartialEq)]
enum Line<'a> {
    /// How many benchmarks there will be.
    Total(u64),
    /// One begins.
    Begin(&'a str),
    /// One cannot be measured here; the line says why.
    PassedOver(&'a str),
    /// What Criterion says besides.
    Noise,
    /// Anything else: for the user.
    Other(&'a str),
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Self {
        const NOISE: [&str; 3] = [
            "Gnuplot not found",
            "Warning: Unable to complete",
            "Benchmarking",
        ];
        let total = line
            .strip_prefix("suite: ")
            .and_then(|rest| rest.strip_suffix(" benchmarks"));
        if let Some(total) = total.and_then(|total| total.parse().ok()) {
            return Self::Total(total);
        }
        match line.strip_prefix("Benchmarking ") {
            // With a colon it is a step of one that has begun.
            Some(name) if !name.contains(": ") => Self::Begin(name),
            _ if line.contains(" is not measured: ") => Self::PassedOver(line),
            _ if line.is_empty() || NOISE.iter().any(|noise| line.starts_with(noise)) => {
                Self::Noise
            }
            _ => Self::Other(line),
        }
    }
}

struct Progress {
    bar: ProgressBar,
    /// The group that is being measured.
    group: String,
    begun: u64,
}

impl Progress {
    fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            group: String::new(),
            begun: 0,
        }
    }

    fn show(&mut self, line: &str) {
        match Line::parse(line) {
            Line::Total(total) => self.bar.set_length(total),
            Line::Begin(name) => {
                self.bar.set_position(self.begun);
                self.bar.set_message(name.to_owned());
                self.begun += 1;
                self.enter_group(name);
            }
            Line::PassedOver(text) => {
                self.begun += 1;
                self.bar.suspend(|| eprintln!("{text}"));
            }
            Line::Noise => {}
            Line::Other(text) => self.bar.suspend(|| eprintln!("{text}")),
        }
    }

    /// Where there is no bar, each group's beginning shows that it goes on.
    fn enter_group(&mut self, name: &str) {
        let group = name.split('/').next().unwrap_or(name);
        if group != self.group {
            group.clone_into(&mut self.group);
            if !std::io::stderr().is_terminal() {
                let total = self.bar.length().unwrap_or_default();
                eprintln!("benchmark {} of {total}: {group}", self.begun);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_criterion_prints_is_told_from_what_the_user_must_see() {
        let name = "cpu/blst, all threads, reused/64";
        for (line, expected) in [
            ("suite: 92 benchmarks", Line::Total(92)),
            (
                "Benchmarking cpu/blst, all threads, reused/64",
                Line::Begin(name),
            ),
            ("Benchmarking cpu/engine/64: Analyzing", Line::Noise),
            ("", Line::Noise),
            (
                "Warning: Unable to complete 10 samples in 300.0ms.",
                Line::Noise,
            ),
            (
                "kernel/k/64 is not measured: too large",
                Line::PassedOver("kernel/k/64 is not measured: too large"),
            ),
            ("Error: wrong", Line::Other("Error: wrong")),
        ] {
            assert_eq!(Line::parse(line), expected);
        }
    }

    #[test]
    fn lines_are_followed_to_the_end_whatever_their_bytes() {
        let mut seen = Vec::new();
        follow(&b"one\r\n\xff\nlast"[..], |line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen, ["one", "\u{fffd}", "last"]);
    }
}
