//! The device tests under every check that the Khronos layer has, with
//! timeline semaphores and with fences; and in each pass a planted mistake.

use xshell::{Shell, cmd};

use super::{Args, Finding};
use crate::device_log::{self, DeviceLog};
use crate::workspace;

/// What the layer is told to check beyond core checks and hazards inside a
/// command buffer, which the tests ask for themselves.
struct Checks {
    name: &'static str,
    switch: &'static str,
    /// The ignored test that only these checks can pass.
    planted: &'static str,
}

const CHECKS: [Checks; 2] = [
    Checks {
        name: "core and synchronization checks, queue submits included",
        switch: "VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT",
        planted: "between_submissions",
    },
    Checks {
        name: "GPU-assisted checks",
        switch: "VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT",
        planted: "out_of_bounds",
    },
];

/// How completion is told: `1` leaves the device no timeline semaphores.
const FORMS: [(&str, &str); 2] = [("timeline semaphores", "0"), ("fences", "1")];

const SWITCHES: &str = "VK_LAYER_ENABLES";
const FENCES: &str = "GPU_EXECUTOR_TEST_FENCES";

/// The crates whose tests use a device.
const CRATES: [&str; 3] = ["vk-core", "vk-mem-paths", "gpu-executor"];

/// Runs the suite once for each of [`CHECKS`] and [`FORMS`].
///
/// # Errors
/// When a log cannot be written or a command not be started.
pub(super) fn run(shell: &Shell, args: &Args) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for checks in &CHECKS {
        for (form, fences) in FORMS {
            println!("\n-- {}, {form}", checks.name);
            let _switch = shell.push_env(SWITCHES, checks.switch);
            let _fences = shell.push_env(FENCES, fences);
            findings.push(suite(shell, args, checks, form)?);
            findings.push(planted(shell, checks, form)?);
        }
    }
    Ok(findings)
}

/// No test fails, and so no message came.
fn suite(shell: &Shell, args: &Args, checks: &Checks, form: &str) -> anyhow::Result<Finding> {
    let target = workspace::target_dir(shell)?;
    let log = DeviceLog::fresh(&target)?;
    let _log = shell.push_env(device_log::VARIABLE, log.path());
    // Away from the user's cache.
    let _cache = shell.push_env("XDG_CACHE_HOME", target.join("tmp/cache"));
    let crates = match args.quick {
        true => &CRATES[..1],
        false => &CRATES[..],
    };
    let crates = crates.iter().flat_map(|name| ["--package", *name]);
    let tests = cmd!(shell, "cargo test --lib --tests --no-fail-fast {crates...}");
    let (passed, failed, text) = counted(tests)?;
    if failed > 0 {
        print!("{text}");
    }
    let on_device = log.summary()?.join(", ");
    Ok(Finding {
        promise: format!("no message under {}, {form}", checks.name),
        found: format!("{passed} tests passed, {failed} failed; {on_device}"),
        kept: passed > 0 && failed == 0,
    })
}

/// The checks bite: they tell of a mistake, and not of its mended form.
fn planted(shell: &Shell, checks: &Checks, form: &str) -> anyhow::Result<Finding> {
    let name = checks.planted;
    let test = cmd!(
        shell,
        "cargo test --package vk-core --test planted -- --ignored --exact {name}"
    );
    let (passed, failed, text) = counted(test)?;
    if failed > 0 {
        print!("{text}");
    }
    Ok(Finding {
        promise: format!("a planted mistake is told under {}, {form}", checks.name),
        found: format!("{name}: {passed} passed, {failed} failed"),
        kept: (passed, failed) == (1, 0),
    })
}

/// How many tests passed and failed, and what they printed. A command that
/// failed without a failed test counts as one.
fn counted(command: xshell::Cmd<'_>) -> anyhow::Result<(usize, usize, String)> {
    let output = command.ignore_status().output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let passed = total(&text, " passed");
    let failed = total(&text, " failed");
    if failed == 0 && !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Ok((passed, 1, format!("{text}{errors}")));
    }
    Ok((passed, failed, text))
}

/// The sum of the numbers before `what` in the lines of test results.
fn total(text: &str, what: &str) -> usize {
    text.lines()
        .filter_map(|line| line.strip_prefix("test result: "))
        .filter_map(|line| {
            line.split_once(what)?
                .0
                .rsplit(' ')
                .next()?
                .parse::<usize>()
                .ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_binaries_are_added() {
        let text = "test a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored\n";
        assert_eq!(total(text, " passed"), 15);
        assert_eq!(total(text, " failed"), 2);
        assert_eq!(total("", " failed"), 0);
    }
}
