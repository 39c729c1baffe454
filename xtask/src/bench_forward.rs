//! `cargo xtask bench` in a build without the feature `bench`: the same command by a
//! build that has it. Only that command waits for what draws charts.

use std::ffi::OsString;

use anyhow::Context;
use xshell::{Shell, cmd};

/// What stands behind `bench`, as it is.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds this program with the feature and runs the command by that.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let arguments = &args.arguments;
    cmd!(
        shell,
        "cargo run --quiet --package xtask --features bench -- bench {arguments...}"
    )
    .quiet()
    .run()
    .context("by a build of xtask with the feature `bench`")
}
