//! The programs of `crates/soak`: built, started, and what they found.

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use super::{Args, Finding};
use crate::workspace;

/// Builds `program`, whose features may be named behind it, runs it, where less is asked for with the arguments `quick`, shows
/// what it prints and returns its findings.
///
/// # Errors
/// When it cannot be built or started, found nothing, or failed without a
/// finding that says so.
pub(super) fn run(
    shell: &Shell,
    program: &str,
    args: &Args,
    quick: &str,
) -> anyhow::Result<Vec<Finding>> {
    let words = program.split_whitespace();
    cmd!(
        shell,
        "cargo build --release --package gpu-executor-soak --bin {words...}"
    )
    .run()?;
    let program = program.split(' ').next().unwrap_or_default();
    let path = workspace::target_dir(shell)?.join("release").join(program);
    let size = quick.split_whitespace().filter(|_| args.quick);
    let output = cmd!(shell, "{path} {size...}").ignore_status().output()?;
    let text = String::from_utf8(output.stdout).context("the program's output")?;
    print!("{}", without_findings(&text));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let findings = findings_in(&text);
    let said = findings.iter().any(|finding| !finding.kept);
    match output.status.success() || said {
        true if !findings.is_empty() => Ok(findings),
        _ => bail!(
            "{program} ended with {}, {} findings",
            output.status,
            findings.len()
        ),
    }
}

const MARK: &str = "finding\t";

fn without_findings(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with(MARK));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The lines `finding<TAB>kept|BROKEN<TAB>promise<TAB>what was found`.
fn findings_in(text: &str) -> Vec<Finding> {
    text.lines()
        .filter_map(|line| line.strip_prefix(MARK))
        .filter_map(|line| {
            let (verdict, rest) = line.split_once('\t')?;
            let (promise, found) = rest.split_once('\t')?;
            Some(Finding {
                promise: promise.to_owned(),
                found: found.to_owned(),
                kept: verdict == "kept",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told_from_what_is_for_people() {
        let text = "  100 batches\nfinding\tkept\tflat\t+0\nfinding\tBROKEN\tright\twrong\n";
        let findings = findings_in(text);
        let kept: Vec<_> = findings.iter().map(|finding| finding.kept).collect();
        assert_eq!(kept, [true, false]);
        assert_eq!((&*findings[0].promise, &*findings[0].found), ("flat", "+0"));
        assert_eq!(without_findings(text), "  100 batches\n");
    }
}
