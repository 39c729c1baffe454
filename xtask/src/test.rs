//! `cargo xtask test`: every check of the project, on a Vulkan device.

use xshell::{Cmd, Shell, cmd};

use crate::compiled_now;
use crate::device_log::{self, DeviceLog};
use crate::driver;
use crate::package;
use crate::packages::Need;
use crate::rules;
use crate::shaders;
use crate::steps::{Outcome, Steps};
use crate::swiftshader::{self, Found};
use crate::workspace;

/// All crates, with what can be turned on in them: the compiler of shaders, and vectors of
/// other libraries' types, which add to what is there without them. Always the same, since
/// features together are what all is built with; xtask is left out because charts ask for
/// more of them.
const CRATES: &str = "test --workspace --exclude xtask \
     --features shader-compiler/shaderc,gpu-executor/arkworks,gpu-executor/blst";

/// All features that add something public; what compiles modules at build time does not.
const ADDING: &str = "--features shader-compiler/shaderc,gpu-executor/arkworks,gpu-executor/blst,\
     gpu-executor-benches/criterion,xtask/bench";

/// The crates that have features; the others are the same without those of all.
const WITH_FEATURES: &str = "-p vk-core -p field-kernels -p shader-compiler -p gpu-executor \
     -p gpu-executor-benches -p xtask";

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
    shell.set_var("XDG_CACHE_HOME", &cache);
    // What Mesa's drivers have compiled is for all: child processes with caches of their own
    // find it there too.
    shell.set_var("MESA_SHADER_CACHE_DIR", cache);
    // Mesa's software driver compiles each kernel for this processor, those of points for
    // longer than they run: its compiler is not to optimise.
    shell.set_var("GALLIVM_PERF", "nopt");
    // Without the examples: lint has compiled them, and tests start none.
    steps.run("tests", || {
        cargo(
            &shell,
            &format!("{CRATES} --lib --bins --tests --no-fail-fast"),
        )
    })?;
    steps.run("tests of xtask", || {
        cargo(&shell, "test -p xtask --features bench")
    })?;
    steps.run_where_possible("tests on SwiftShader", || {
        on_swiftshader(&shell, &log, !args.no_install)
    })?;
    steps.run("doctests", || cargo(&shell, &format!("{CRATES} --doc")))?;
    steps.run("tests of modules compiled now", || {
        compiled_now::test(&shell)
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
    // The tests rely on the layer's messages, and hold the library's modules to spirv-val.
    let needed = [Need::Driver, Need::ValidationLayer, Need::SpirvTools];
    let wanted = [&needed[..], &[Need::Shaderc]].concat();
    driver::require(&driver::prepare(shell, &wanted, install), &needed)
}

/// The spec's calls, vectors and errors on a second driver, by the executable of the
/// step before.
fn on_swiftshader(shell: &Shell, log: &DeviceLog, update: bool) -> anyhow::Result<Outcome> {
    let folder = workspace::target_dir(shell)?.join("swiftshader");
    let driver = match swiftshader::find(shell, &folder, update)? {
        Found::Driver(driver) => driver,
        Found::Nowhere(reason) => return Ok(Outcome::NotRun(reason)),
    };
    let tests = cargo_command(shell, &format!("{CRATES} --test suite --no-fail-fast"));
    let tests = tests.arg("--").args(SHORT_PART);
    // The second for loaders before 1.3.207.
    let tests = tests.env("VK_DRIVER_FILES", &driver);
    tests.env("VK_ICD_FILENAMES", &driver).run()?;
    log.expect_device("SwiftShader")?;
    Ok(Outcome::Passed)
}

/// What can be said without running the code, cheapest first.
fn static_checks(shell: &Shell, steps: &mut Steps) -> anyhow::Result<()> {
    let lint = |what: &str| {
        let command = cargo_command(shell, &format!("clippy {what}"));
        Ok(command.args(["--", "-D", "warnings"]).run()?)
    };
    steps.run("format", || cargo(shell, "fmt --all --check"))?;
    steps.run("rules of the house", || rules::check(&shell.current_dir()))?;
    steps.run("shader check", || shaders::run(true))?;
    steps.run("lint", || lint("--workspace --all-targets --all-features"))?;
    // Without features some code is there that is not with them, and some is unused.
    steps.run("lint, default features", || {
        lint(&format!("{WITH_FEATURES} --lib --bins"))
    })?;
    steps.run("documentation", || {
        let command = cargo_command(shell, &format!("doc --workspace --no-deps {ADDING}"));
        Ok(command.env("RUSTDOCFLAGS", "-D warnings").run()?)
    })
}

fn cargo(shell: &Shell, words: &str) -> anyhow::Result<()> {
    Ok(cargo_command(shell, words).run()?)
}

fn cargo_command<'a>(shell: &'a Shell, words: &str) -> Cmd<'a> {
    let words = words.split_whitespace();
    cmd!(shell, "cargo {words...}")
}
