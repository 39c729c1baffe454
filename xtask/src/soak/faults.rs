//! Every call of the driver made to fail, with every result that it may return.

use anyhow::Context;
use xshell::{Shell, cmd};

use super::{Args, Finding};
use crate::workspace;

/// Has the sweep of `vk-faults` try every call of each entry point, the first,
/// the middle and the last alone when quick.
pub(super) fn run(shell: &Shell, args: &Args) -> anyhow::Result<Vec<Finding>> {
    cmd!(shell, "cargo build --release -p vk-faults").run()?;
    let sweep = workspace::target_dir(shell)?.join("release/faults");
    let quick = args.quick.then_some("--quick");
    // Broken promises are findings, not a reason to stop.
    let output = cmd!(shell, "{sweep} sweep {quick...}")
        .ignore_status()
        .output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = summary(&report).with_context(said)?;
    Ok(vec![Finding {
        promise: "right results or a typed error, no leak, no hang, whichever call fails"
            .to_owned(),
        found: summary.to_owned(),
        kept: output.status.success(),
    }])
}

/// The report's last line, which counts.
fn summary(report: &str) -> Option<&str> {
    let last = report.lines().rfind(|line| !line.is_empty())?;
    last.contains(" faults: ").then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_last_line_that_counts() {
        let line = "2 faults: 1 with right results, 1 typed errors";
        assert_eq!(summary(&format!("call  tried\n{line}\n\n")), Some(line));
        assert_eq!(summary("it died\n"), None);
        assert_eq!(summary(""), None);
    }
}
