//! The device tests under every check that the Khronos layer has, with
//! timeline semaphores and with fences; and in each pass a planted mistake.

use anyhow::Context;
use vk_core::{ApiVersion, ash::vk, validation_layer_version};
use xshell::{Shell, cmd};

use super::{Args, Finding};
use crate::device_log::{self, DeviceLog};
use crate::workspace;

/// One run of the suite.
struct Pass {
    name: &'static str,
    /// What the layer is to check beyond core checks and hazards inside a
    /// command buffer, which the tests ask for themselves.
    switch: &'static str,
    /// Whether the device passes for one without timeline semaphores.
    fences: bool,
    /// The first layer that can do it.
    since: u32,
    /// The tests that only these checks can pass.
    planted: &'static [&'static str],
}

const QUEUE_SUBMIT: &str = "VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT";
const GPU_ASSISTED: &str = "VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT";
/// Before it the layer does not know that a host which has seen a timeline's
/// value has waited for the work before it, and takes every second use of a
/// buffer for a hazard between submissions. The same submissions in the same
/// order pass with fences, whose waits it knows.
const KNOWS_TIMELINES: u32 = vk::make_api_version(0, 1, 3, 296);

const PASSES: [Pass; 5] = [
    Pass {
        name: "core and synchronization checks, timeline semaphores",
        switch: "",
        fences: false,
        since: 0,
        planted: &["a_missing_barrier_inside_a_command_buffer_is_reported"],
    },
    Pass {
        name: "core and synchronization checks with queue submits, timeline semaphores",
        switch: QUEUE_SUBMIT,
        fences: false,
        since: KNOWS_TIMELINES,
        planted: &["between_submissions"],
    },
    Pass {
        name: "core and synchronization checks with queue submits, fences",
        switch: QUEUE_SUBMIT,
        fences: true,
        since: 0,
        planted: &["between_submissions"],
    },
    Pass {
        name: "GPU-assisted checks, timeline semaphores",
        switch: GPU_ASSISTED,
        fences: false,
        since: 0,
        planted: &["beyond_a_limit", "out_of_bounds"],
    },
    Pass {
        name: "GPU-assisted checks, fences",
        switch: GPU_ASSISTED,
        fences: true,
        since: 0,
        planted: &["beyond_a_limit", "out_of_bounds"],
    },
];

const SWITCHES: &str = "VK_LAYER_ENABLES";
const FENCES: &str = "GPU_EXECUTOR_TEST_FENCES";

/// The crates whose tests use a device, with all that they test.
const CRATES: &str = "-p vk-core -p vk-mem-paths -p gpu-executor -p gpu-executor-kzg \
     --features gpu-executor/arkworks,gpu-executor/blst";
/// Those that take least.
const QUICK: &str = "-p vk-core";
/// Tests of timelines themselves, which have to be there.
const OF_TIMELINES: [&str; 4] = [
    "a_counter_past_every_submission_is_a_loss",
    "after_a_timeout_nobody_waits_again",
    "one_users_timeout_is_not_anothers",
    "where_neither_looking_nor_blocking_tells",
];
/// Tests that need something in flight: with GPU-assisted checks the layer waits inside each
/// submission, so that nothing ever is.
const OF_FLIGHT: [&str; 5] = [
    "a_download_keeps_no_other_thread_from_submitting",
    "after_a_timeout_calls_fail_at_once",
    "after_a_timeout_the_output_is_empty",
    "other_tasks_run_while_a_submission_is_awaited",
    "until_the_work_has_ended_nothing_is_taken_for_computed",
];

/// Runs the suite once for each of [`PASSES`] that the layer can do.
pub(super) fn run(shell: &Shell, args: &Args) -> anyhow::Result<Vec<Finding>> {
    let layer = validation_layer_version()?.context("the validation layer is missing")?;
    let mut findings = Vec::new();
    for pass in &PASSES {
        println!("\n-- {}, layer {layer}", pass.name);
        if layer < ApiVersion(pass.since) {
            let since = ApiVersion(pass.since);
            println!("not run: takes a layer of {since} or later, which knows timelines");
            continue;
        }
        let _switch = shell.push_env(SWITCHES, pass.switch);
        let _fences = shell.push_env(FENCES, if pass.fences { "1" } else { "0" });
        findings.push(suite(shell, args, pass)?);
        for test in pass.planted {
            findings.push(planted(shell, pass, test)?);
        }
    }
    Ok(findings)
}

/// No test fails, and so no message came.
fn suite(shell: &Shell, args: &Args, pass: &Pass) -> anyhow::Result<Finding> {
    let target = workspace::target_dir(shell)?;
    let log = DeviceLog::fresh(&target)?;
    let _log = shell.push_env(device_log::VARIABLE, log.path());
    // Away from the user's cache.
    let _cache = shell.push_env("XDG_CACHE_HOME", target.join("tmp/cache"));
    let _optimiser = shell.push_env("GALLIVM_PERF", "nopt");
    let crates = if args.quick { QUICK } else { CRATES };
    let crates = crates.split_whitespace();
    let of_timelines = OF_TIMELINES.iter().filter(|_| pass.fences);
    let of_flight = OF_FLIGHT.iter().filter(|_| pass.switch == GPU_ASSISTED);
    let skip = of_timelines
        .chain(of_flight)
        .flat_map(|name| ["--skip", *name]);
    let tests = cmd!(
        shell,
        "cargo test --lib --tests --no-fail-fast {crates...} -- {skip...}"
    );
    let (passed, failed, text) = counted(tests)?;
    if failed > 0 {
        print!("{text}");
    }
    let on_device = log.summary()?.join(", ");
    Ok(Finding {
        promise: format!("no message under {}", pass.name),
        found: format!("{passed} tests passed, {failed} failed; {on_device}"),
        kept: passed > 0 && failed == 0,
    })
}

/// The checks bite: they report a mistake, and not its mended form.
fn planted(shell: &Shell, pass: &Pass, name: &str) -> anyhow::Result<Finding> {
    let test = cmd!(
        shell,
        "cargo test --package vk-core --test suite -- --include-ignored --exact planted::{name}"
    );
    let (passed, failed, text) = counted(test)?;
    if failed > 0 {
        print!("{text}");
    }
    Ok(Finding {
        promise: format!("a planted mistake is reported under {}", pass.name),
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
