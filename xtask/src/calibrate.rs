//! `cargo xtask calibrate`: measures which data path is fastest here.

use xshell::cmd;

use crate::workspace;

/// Options of `calibrate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measure as little as the library does on its own, once per machine.
    #[arg(long)]
    brief: bool,
}

/// Runs the example `calibrate`, whose result every later run uses.
///
/// # Errors
/// When the example cannot be built or fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let brief = args.brief.then_some("--brief");
    cmd!(
        shell,
        "cargo run --release -p gpu-executor --example calibrate -- {brief...}"
    )
    .run()?;
    Ok(())
}
