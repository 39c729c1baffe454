//! `cargo xtask calibrate`: measures which data paths and kernels are fastest here.

use xshell::cmd;

use crate::workspace;

/// Options of `calibrate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measure paths for a tenth of a second only.
    #[arg(long)]
    brief: bool,
}

/// Runs the example `calibrate`, whose result every later run uses.
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
