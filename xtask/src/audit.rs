//! `cargo xtask audit`: where the dependencies come from, under which licence,
//! and why each of the default build is there.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use crate::steps::Steps;
use crate::workspace;

/// Options of `audit`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build and install cargo-deny first where it is missing (minutes).
    #[arg(long)]
    install: bool,
}

const INSTALL: [&str; 3] = ["install", "cargo-deny", "--locked"];
/// The rules, kept out of the top level.
const RULES: &str = ".cargo/deny.toml";
/// Says why each dependency of the facade's default build is there.
const REASONS: &str = "docs/dependencies.md";
/// How long the advisory database may take to arrive: a network that drops
/// packets never answers.
const PATIENCE: Duration = Duration::from_secs(120);

/// Checks licences, sources, bans and duplicates; advisories where their
/// database can be reached; and that docs/dependencies.md is complete.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let mut steps = Steps::default();
    steps.run("cargo-deny", || find_deny(&shell, args.install))?;
    steps.run("reasons", || check_reasons(&shell))?;
    steps.run("licences, sources, bans, duplicates", || {
        let checks = ["licenses", "sources", "bans"];
        Ok(cmd!(shell, "cargo deny --config {RULES} check {checks...}").run()?)
    })?;
    let advisories = match fetch_advisories(&shell) {
        Ok(()) => {
            steps.run("advisories", || {
                let check = cmd!(
                    shell,
                    "cargo deny --config {RULES} check --disable-fetch advisories"
                );
                Ok(check.run()?)
            })?;
            "checked".to_owned()
        }
        Err(reason) => format!("NOT checked, the database cannot be reached: {reason:#}"),
    };
    steps.print_summary();
    println!("advisories: {advisories}");
    Ok(())
}

fn find_deny(shell: &Shell, install: bool) -> anyhow::Result<()> {
    let version = cmd!(shell, "cargo deny --version").quiet().ignore_stderr();
    match (version.read(), install) {
        (Ok(version), _) => println!("{version}"),
        (Err(_), true) => {
            cmd!(shell, "cargo {INSTALL...}").run()?;
        }
        (Err(_), false) => {
            let by_hand = INSTALL.join(" ");
            bail!("cargo-deny is missing: `cargo {by_hand}`, or `cargo xtask audit --install`")
        }
    }
    Ok(())
}

/// Brings the advisory database up to date.
fn fetch_advisories(shell: &Shell) -> anyhow::Result<()> {
    println!("\n== advisory database");
    let mut child = Command::new("cargo")
        .args(["deny", "--config", RULES, "fetch", "db"])
        .current_dir(shell.current_dir())
        .stdin(Stdio::null())
        .spawn()
        .context("cargo deny fetch")?;
    match workspace::ended_within(&mut child, PATIENCE)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("`cargo deny fetch db` ended with {status}"),
        None => bail!("no answer within {PATIENCE:?}"),
    }
}

/// Holds the table of [`REASONS`] to what the facade's default build takes, on
/// any target.
fn check_reasons(shell: &Shell) -> anyhow::Result<()> {
    let tree = cmd!(
        shell,
        "cargo tree --locked --package gpu-executor --edges normal,build --target all --prefix none"
    );
    let tree = tree.quiet().read()?;
    let reasons = shell.read_file(REASONS)?;
    let (taken, explained) = (crates_in(&tree), explained_in(&reasons));
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let missing = list(&taken - &explained);
    let gone = list(&explained - &taken);
    if !missing.is_empty() || !gone.is_empty() {
        bail!(
            "{REASONS}: expected a row for each dependency; without one: [{missing}], no longer there: [{gone}]"
        );
    }
    println!(
        "{} dependencies on any target, each with a reason",
        taken.len()
    );
    Ok(())
}

/// The names in what `cargo tree` printed, without the workspace's own crates,
/// which come with a path.
fn crates_in(tree: &str) -> BTreeSet<&str> {
    tree.lines()
        .filter(|line| !line.contains('/'))
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// The names in the first column of the tables, each in backquotes.
fn explained_in(page: &str) -> BTreeSet<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split_once(" | "))
        .flat_map(|(names, _)| names.split(['`', ',', ' ']))
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_crates_and_repetitions_are_left_out() {
        let tree = "gpu-executor v0.1.0 (/home/me/gpu-executor)\n\
                    anyhow v1.0.1\nserde_derive v1.0.2 (proc-macro)\nanyhow v1.0.1 (*)\n";
        assert_eq!(crates_in(tree), BTreeSet::from(["anyhow", "serde_derive"]));
    }

    #[test]
    fn every_name_of_a_first_column_is_explained() {
        let page = "# Title\n| crates | why |\n| --- | --- |\n\
                    | `one`, `two` | because of `three` |\n| `four` | why not |\n";
        assert_eq!(explained_in(page), BTreeSet::from(["four", "one", "two"]));
    }
}
