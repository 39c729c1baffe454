//! `cargo xtask demo`: field elements and vectors of them on a Vulkan device.

use xshell::cmd;

use crate::driver;
use crate::packages::Need;
use crate::workspace;

/// Options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Never install packages; without a device the demo runs on the CPU.
    #[arg(long)]
    no_install: bool,
    /// Arguments for the demo itself, such as `--jobs 8 --elements 65536`.
    #[arg(last = true)]
    demo: Vec<String>,
}

/// Runs the driver step, then the crate `gpu-executor-demo` on what it found: built as
/// this program is, so that they share what takes long to build.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let survey = driver::prepare(&shell, &[Need::Driver], !args.no_install);
    let engine = if survey.devices.is_empty() {
        println!("No Vulkan device could be had: this demo runs on the CPU engine.");
        "cpu"
    } else {
        "vulkan"
    };
    let more = &args.demo;
    cmd!(
        shell,
        "cargo run -p gpu-executor-demo -- --engine {engine} {more...}"
    )
    .run()?;
    Ok(())
}
