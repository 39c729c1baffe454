//! Batches by the thousand, and backends made and dropped by the hundred.

use xshell::Shell;

use super::{Args, Finding, children};

/// Runs `soak-life`.
///
/// # Errors
/// As [`children::run`].
pub(super) fn run(shell: &Shell, args: &Args) -> anyhow::Result<Vec<Finding>> {
    let size: &[&str] = match args.quick {
        true => &[
            "--batches",
            "1000",
            "--vectors",
            "600",
            "--points",
            "80",
            "--elements",
            "20000",
            "--cycles",
            "40",
        ],
        false => &[],
    };
    children::run(shell, "soak-life", size)
}
