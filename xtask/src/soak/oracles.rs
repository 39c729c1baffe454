//! The CPU reference against ark-ff and blst, the kernels against the
//! reference, and the reference under Miri.

use xshell::{Cmd, Shell, cmd};

use super::{Args, Finding, children};

/// Runs `soak-oracles`, and the tests of `field-kernels` under Miri.
pub(super) fn run(shell: &Shell, args: &Args) -> anyhow::Result<Vec<Finding>> {
    let quick = "--pairs 1000000 --chunks 256,4096 --programs 100";
    let mut findings = children::run(shell, "soak-oracles", args, quick)?;
    findings.push(miri(shell));
    Ok(findings)
}

/// Without what `cargo xtask` runs under, which would win over the toolchain
/// that is named.
fn clean(command: Cmd<'_>) -> Cmd<'_> {
    ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC"]
        .into_iter()
        .fold(command, Cmd::env_remove)
}

/// The toolchain that Miri comes with.
const NIGHTLY: &str = "+nightly";

fn miri(shell: &Shell) -> Finding {
    let kept = |kept: bool, found: String| Finding {
        promise: "the tests of field-kernels pass under Miri".to_owned(),
        found,
        kept,
    };
    let version = clean(cmd!(shell, "cargo {NIGHTLY} miri --version"));
    let Ok(version) = version.quiet().ignore_stderr().read() else {
        let remedy = "rustup toolchain install nightly --component miri,rust-src";
        return kept(false, format!("Miri is missing: {remedy}"));
    };
    let tests = clean(cmd!(
        shell,
        "cargo {NIGHTLY} miri test --package field-kernels"
    ));
    match tests.run() {
        Ok(()) => kept(true, version),
        Err(error) => kept(false, format!("{version}: {error}")),
    }
}
