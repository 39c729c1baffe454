//! `cargo xtask soak`: the long forms of the promises in docs/reliability.md.
//!
//! Each section is a file that starts child processes, counts what they found
//! and returns one [`Finding`] per promise. A section takes minutes at most.

mod children;
mod faults;
mod oracles;
mod validation;

use anyhow::{Context, bail};
use xshell::Shell;

use crate::driver;
use crate::packages::Need;
use crate::workspace;

/// Options of `soak`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these sections; all without one.
    sections: Vec<String>,
    /// Less of everything: a look at whether the sections work.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Never install packages; what is missing fails the run.
    #[arg(long)]
    no_install: bool,
}

/// What a section found about one promise.
pub(crate) struct Finding {
    /// What was promised, with its limit.
    pub(crate) promise: String,
    /// What was found, with how often it was tried.
    pub(crate) found: String,
    /// Whether the promise was kept.
    pub(crate) kept: bool,
}

/// A section's name and what runs it.
type Section = (
    &'static str,
    fn(&Shell, &Args) -> anyhow::Result<Vec<Finding>>,
);

const SECTIONS: &[Section] = &[
    ("oracles", oracles::run),
    ("mutants", |shell, args| {
        let program = "soak-mutants --features testing";
        children::run(shell, program, args, "--mutants 150")
    }),
    ("faults", faults::run),
    ("life", |shell, args| {
        let quick = "--batches 1000 --vectors 600 --points 80 --elements 20000 --cycles 40";
        children::run(shell, "soak-life", args, quick)
    }),
    ("validation", validation::run),
];

/// Runs the sections and prints a table.
///
/// # Errors
/// For a section that there is not, when one cannot run, and when a promise
/// was not kept.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let sections = wanted(&args.sections)?;
    let needed = [Need::Driver, Need::ValidationLayer, Need::SpirvTools];
    driver::require(&driver::prepare(&shell, &needed, !args.no_install), &needed)?;
    let mut findings = Vec::new();
    for &(name, body) in sections {
        println!("\n== {name}");
        let found = body(&shell, args).with_context(|| format!("section `{name}`"))?;
        findings.extend(found.into_iter().map(|finding| (name, finding)));
    }
    print(&findings);
    match findings.iter().filter(|(_, finding)| !finding.kept).count() {
        0 => Ok(()),
        broken => bail!("{broken} of {} promises were not kept", findings.len()),
    }
}

fn wanted(names: &[String]) -> anyhow::Result<Vec<&'static Section>> {
    let known = || {
        SECTIONS
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let unknown = names
        .iter()
        .find(|name| !SECTIONS.iter().any(|(known, _)| known == name));
    if let Some(name) = unknown {
        bail!("expected a section of {}, found {name:?}", known());
    }
    let named = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    Ok(SECTIONS.iter().filter(|(name, _)| named(name)).collect())
}

fn print(findings: &[(&str, Finding)]) {
    let width = |text: fn(&(&str, Finding)) -> usize| findings.iter().map(text).max().unwrap_or(0);
    let name = width(|(name, _)| name.chars().count());
    let promise = width(|(_, finding)| finding.promise.chars().count());
    println!();
    for (section, finding) in findings {
        let kept = if finding.kept { "kept" } else { "BROKEN" };
        println!(
            "{section:<name$}  {kept:<6}  {:<promise$}  {}",
            finding.promise, finding.found
        );
    }
}
