//! `cargo xtask test`: every check of the project, on a Vulkan device.

use anyhow::bail;
use xshell::{Cmd, Shell, cmd};

use crate::device_log::{self, DeviceLog};
use crate::driver::{self, Wanted};
use crate::install;
use crate::package;
use crate::shaders;
use crate::steps::{Outcome, Steps};
use crate::swiftshader::{self, Found};
use crate::workspace;

/// Compiles the shaders at build time instead of embedding the checked-in ones.
/// The compiler is named too: as a build dependency alone its own targets and
/// tests would go without.
const SHADER_COMPILE: [&str; 2] = [
    "--features",
    "gpu-executor/shader-compile,shader-compiler/shaderc",
];

/// Vectors of other libraries' types, and the CPU engine by blst.
const INTEROP: [&str; 2] = ["--features", "gpu-executor/arkworks,gpu-executor/blst"];

/// Tests that say most of a driver in half a minute; those of `vector_errors` too.
const SHORT_PART: [&str; 3] = [
    "spec_api::",
    "errors::",
    "vectors::on_the_device_as_it_chooses",
];

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Never install packages; what is missing fails the run.
    #[arg(long)]
    no_install: bool,
}

/// Runs the driver step, then every check, and counts the device tests.
///
/// # Errors
/// When a device or the validation layer cannot be had, when a step fails,
/// or when no test ran on a device.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let mut steps = Steps::default();
    steps.run("driver", || prepare(&shell, !args.no_install))?;
    static_checks(&shell, &mut steps)?;

    let log = DeviceLog::fresh(&workspace::target_dir(&shell)?)?;
    shell.set_var(device_log::VARIABLE, log.path());
    // Tests of the defaults write where this names, not into the user's cache.
    let cache = workspace::target_dir(&shell)?.join("tmp/cache");
    shell.set_var("XDG_CACHE_HOME", cache);
    // Doctests are part of both.
    steps.run("tests", || {
        cargo(&shell, "test --workspace --no-fail-fast", &[])
    })?;
    steps.run_where_possible("tests on SwiftShader", || {
        on_swiftshader(&shell, &log, !args.no_install)
    })?;
    steps.run("tests, shader-compile", || {
        let packages = "test -p field-kernels -p gpu-executor -p shader-compiler --no-fail-fast";
        cargo(&shell, packages, &SHADER_COMPILE)
    })?;
    // What these features change: nothing but vectors.
    steps.run("tests, arkworks and blst", || {
        cargo(
            &shell,
            "test -p gpu-executor --lib --no-fail-fast",
            &INTEROP,
        )?;
        let suite = cargo_command(&shell, "test -p gpu-executor --test suite", &INTEROP);
        suite.args(["--", "interop::", "vectors::"]).run()?;
        cargo(&shell, "test -p gpu-executor --doc vectors", &INTEROP)
    })?;

    // Offline: the steps before have fetched all that it takes.
    steps.run("packages", || package::verify(&shell, &["--offline"]))?;

    steps.print_summary();
    for line in log.summary()? {
        println!("{line}");
    }
    Ok(())
}

fn prepare(shell: &Shell, install: bool) -> anyhow::Result<()> {
    let survey = driver::prepare(
        shell,
        &Wanted {
            validation: true,
            shaderc: true,
            install,
        },
    );
    driver::require_device(&survey)?;
    if !survey.validation_layer {
        bail!("the Khronos validation layer is missing, and the tests rely on its messages");
    }
    // The library's modules are held to it.
    install::spirv_val(shell, install)
}

/// The spec's calls, vectors and errors on a second driver, by the executable of the
/// step before.
fn on_swiftshader(shell: &Shell, log: &DeviceLog, update: bool) -> anyhow::Result<Outcome> {
    let folder = workspace::target_dir(shell)?.join("swiftshader");
    let driver = match swiftshader::find(shell, &folder, update)? {
        Found::Driver(driver) => driver,
        Found::Nowhere(reason) => return Ok(Outcome::NotRun(reason)),
    };
    // All of the workspace, so that nothing is built with other features.
    let tests = cargo_command(shell, "test --workspace --test suite --no-fail-fast", &[]);
    let tests = tests.arg("--").args(SHORT_PART);
    // The second for loaders before 1.3.207.
    let tests = tests.env("VK_DRIVER_FILES", &driver);
    tests.env("VK_ICD_FILENAMES", &driver).run()?;
    log.expect_device("SwiftShader")?;
    Ok(Outcome::Passed)
}

/// What can be said without running the code, cheapest first.
fn static_checks(shell: &Shell, steps: &mut Steps) -> anyhow::Result<()> {
    let lint = |features: &[&str]| {
        let command = cargo_command(shell, "clippy --workspace --all-targets", features);
        Ok(command.args(["--", "-D", "warnings"]).run()?)
    };
    steps.run("format", || cargo(shell, "fmt --all --check", &[]))?;
    steps.run("shader check", || shaders::run(true))?;
    steps.run("lint", || lint(&[]))?;
    steps.run("lint, shader-compile", || lint(&SHADER_COMPILE))?;
    steps.run("lint, arkworks and blst", || lint(&INTEROP))?;
    steps.run("documentation", || {
        let command = cargo_command(shell, "doc --workspace --no-deps", &INTEROP);
        Ok(command.env("RUSTDOCFLAGS", "-D warnings").run()?)
    })
}

fn cargo(shell: &Shell, words: &str, features: &[&str]) -> anyhow::Result<()> {
    Ok(cargo_command(shell, words, features).run()?)
}

fn cargo_command<'a>(shell: &'a Shell, words: &str, features: &[&str]) -> Cmd<'a> {
    let words = words.split_whitespace();
    cmd!(shell, "cargo {words...} {features...}")
}
