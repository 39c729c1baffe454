//! `cargo xtask demo`: real field elements added on a Vulkan device.

use xshell::cmd;

use crate::driver::{self, Wanted};
use crate::workspace;

/// Options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Never install packages; without a device the demo runs on the CPU.
    #[arg(long)]
    no_install: bool,
    /// Arguments for the example, such as `--jobs 8 --elements 65536`.
    #[arg(last = true)]
    example: Vec<String>,
}

/// Runs the driver step, then the example `smoke_batch` on what it found.
///
/// # Errors
/// When the example cannot be built or fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let survey = driver::prepare(
        &shell,
        &Wanted {
            validation: false,
            shaderc: false,
            install: !args.no_install,
        },
    );
    let engine = if survey.devices.is_empty() {
        println!("No Vulkan device could be had: this demo runs on the CPU engine.");
        "cpu"
    } else {
        "vulkan"
    };
    let more = &args.example;
    cmd!(
        shell,
        "cargo run --release -p gpu-executor --example smoke_batch -- --engine {engine} {more...}"
    )
    .run()?;
    Ok(())
}
