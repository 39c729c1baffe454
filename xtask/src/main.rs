//! The commands of this workspace: `cargo xtask demo`, `test`, `shaders`,
//! `calibrate`, `compilers`, `bench`, `package`, `soak`, `audit`. This file parses and dispatches; each
//! command has its own.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to the terminal; the lint is for libraries"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod audit;
#[cfg(feature = "bench")]
mod bench;
#[cfg(not(feature = "bench"))]
#[path = "bench_forward.rs"]
mod bench;
mod calibrate;
mod compiled_now;
mod compilers;
mod demo;
mod device_log;
mod driver;
mod install;
mod package;
mod packages;
mod probe;
mod rules;
mod shaders;
mod soak;
mod steps;
mod swiftshader;
mod test;
mod workspace;

/// The commands of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add field elements on a Vulkan device, installing a software driver
    /// where there is none, and compare every result with the CPU.
    Demo(demo::Args),
    /// Run every check of the project on a Vulkan device.
    Test(test::Args),
    /// Compile the shaders under SHADER_OPT and SHADER_STRICT, and rewrite the
    /// manifest.
    Shaders {
        /// Only say what is stale and how to repair it; takes no compiler.
        #[arg(long)]
        check: bool,
    },
    /// Measure which data path is fastest on this machine, for every later
    /// run of the library.
    Calibrate(calibrate::Args),
    /// Make every kernel with the compiler of AMD's chips, which takes no such chip, and
    /// print registers, spills, instructions and its estimate of the time.
    Compilers(compilers::Args),
    /// Measure with the Criterion suite and write a dated record.
    #[cfg_attr(not(feature = "bench"), command(disable_help_flag = true))]
    Bench(bench::Args),
    /// Build each publishable crate from its package alone.
    Package,
    /// Keep the library under load and faults for minutes, and say which
    /// promises of docs/reliability.md held.
    Soak(soak::Args),
    /// Check licences, sources and duplicates of the dependencies, and known
    /// advisories where their database can be reached.
    Audit(audit::Args),
    /// Print what this machine offers, for the parent process.
    #[command(hide = true)]
    Probe,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // On one line and without a backtrace: what fails here is a
            // command or the machine, hardly ever this program.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Shaders { check } => shaders::run(check),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Compilers(args) => compilers::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Package => package::run(),
        Command::Soak(args) => soak::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Probe => probe::answer(),
    }
}
