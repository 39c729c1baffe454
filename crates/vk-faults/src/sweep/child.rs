//! The child process: runs a scenario under one fault after the other.

use std::io::{BufRead, Write};
use std::time::Duration;

use anyhow::Context;
use ash::vk;
use gpu_executor::spirv::PersistentVulkanBackend;

use super::scenario::Scenario;
use super::verdict::{
    Promise, Verdict, is_loss, is_of_least_chunk, leaves_work_in_flight, must_be_halved, names,
    stalls, typed,
};
use crate::{Control, Counts, Fault, Mode, manifest};

/// How long to wait for the device, which is never slow for that long: llvmpipe compiles a
/// kernel when it first runs, those of points for ten seconds together.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long to wait for a device that never answers.
const NO_PATIENCE: Duration = Duration::from_millis(200);

/// Runs `scenario` without a fault and writes what was called how often, and on a shared
/// device which objects are kept, as [`Counts`] in JSON.
///
/// # Errors
/// When the layer is not there, or the results are wrong.
pub fn count(scenario: &Scenario, out: impl Write) -> anyhow::Result<()> {
    let control = control(scenario)?;
    let folder = tempfile::tempdir()?;
    control.arm(None)?;
    let (backend, result) = scenario.run(folder.path(), PATIENCE);
    anyhow::ensure!(result?, "expected right results without a fault");
    drop(backend);
    let counts = control.counts()?;
    anyhow::ensure!(
        scenario.shared || counts.live.is_empty(),
        "expected nothing left without a fault, found {:?}",
        counts.live
    );
    Ok(serde_json::to_writer(out, &counts)?)
}

/// Runs `scenario` under each fault that `faults` has a line of, and writes
/// `begin<TAB>fault` before and `end<TAB>verdict`, in JSON, after each. On a shared device there is
/// one, and a run without a fault keeps `kept`.
///
/// # Errors
/// When the layer is not there, or a line is no fault.
pub fn judge_all(
    scenario: &Scenario,
    kept: &Counts,
    faults: impl BufRead,
    mut out: impl Write,
) -> anyhow::Result<()> {
    let control = control(scenario)?;
    for line in faults.lines() {
        let fault: Fault = line?.parse().map_err(anyhow::Error::msg)?;
        writeln!(out, "begin\t{fault}")?;
        out.flush()?;
        let verdict = judge(scenario, &control, &fault, kept)?;
        writeln!(out, "end\t{}", serde_json::to_string(&verdict)?)?;
        out.flush()?;
    }
    Ok(())
}

fn control(scenario: &Scenario) -> anyhow::Result<Control> {
    let control = Control::open(&manifest::library()?).context("the layer")?;
    control.pretend(scenario.pretence);
    if !scenario.shared {
        // Each run makes its device, uses it and destroys it, and all of it is swept.
        vk_core::testing::share_no_devices();
    }
    Ok(control)
}

/// Runs `scenario` under `fault` and judges what becomes of it.
fn judge(
    scenario: &Scenario,
    control: &Control,
    fault: &Fault,
    kept: &Counts,
) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir()?;
    let patience = match stalls(scenario, fault) {
        true => NO_PATIENCE,
        false => PATIENCE,
    };
    control.arm(Some(fault))?;
    let (mut backend, result) = scenario.run(folder.path(), patience);
    let mut in_flight = false;
    let verdict = match result {
        Ok(true) => Verdict::Right,
        Ok(false) => Verdict::broken(Promise::NoFalseSuccess, "wrong limbs, and no error"),
        Err(error) => {
            let fired = control.counts()?.fired;
            in_flight = typed(&error).is_some_and(leaves_work_in_flight);
            match of_error(scenario, fault, fired, &error) {
                Verdict::TypedError => {
                    let before = Before {
                        lost: typed(&error).is_some_and(is_loss),
                        in_flight,
                    };
                    let next = after(scenario, control, fault, backend.take(), before);
                    in_flight |= next.in_flight;
                    backend = next.backend;
                    next.verdict
                }
                broken => broken,
            }
        }
    };
    // While the fault is still there, unless it was for one call: dropping is
    // a call too.
    drop(backend);
    let counts = control.counts()?;
    // A lost device is kept with all that it had, and another one takes its place.
    let lost = fault.result == vk::Result::ERROR_DEVICE_LOST && counts.fired > 0;
    let left = counts.beyond(kept, if lost { 2 } else { 1 });
    Ok(match verdict {
        Verdict::Broken { .. } => verdict,
        _ if !left.is_empty() && !in_flight => {
            Verdict::broken(Promise::NoLeak, format!("left alive: {left:?}"))
        }
        Verdict::Right if counts.fired == 0 => Verdict::NotReached,
        verdict => verdict,
    })
}

/// Judges the error of a run.
fn of_error(scenario: &Scenario, fault: &Fault, fired: u64, error: &anyhow::Error) -> Verdict {
    let Some(typed) = typed(error) else {
        return Verdict::broken(Promise::TypedError, format!("an untyped error: {error:#}"));
    };
    if fired == 0 {
        // Little patience on a busy machine can run out by itself.
        if stalls(scenario, fault) && leaves_work_in_flight(typed) {
            return Verdict::NotReached;
        }
        return Verdict::broken(
            Promise::TypedError,
            format!("an error without a fault: {typed:?}"),
        );
    }
    if !names(typed, scenario, fault) {
        return Verdict::broken(Promise::TypedError, format!("another error: {typed:?}"));
    }
    if must_be_halved(fault) && scenario.can_halve() && !is_of_least_chunk(typed) {
        return Verdict::broken(Promise::MemoryIsHalved, format!("gave up: {typed:?}"));
    }
    Verdict::TypedError
}

/// What the failed run left.
#[derive(Clone, Copy)]
struct Before {
    lost: bool,
    in_flight: bool,
}

/// What the run after a failed one came to.
struct Next {
    verdict: Verdict,
    backend: Option<PersistentVulkanBackend>,
    in_flight: bool,
}

/// Runs once more after an error. A fault that passes has passed by then.
fn after(
    scenario: &Scenario,
    control: &Control,
    fault: &Fault,
    backend: Option<PersistentVulkanBackend>,
    before: Before,
) -> Next {
    let persists = fault.mode == Mode::Sticky;
    if !persists {
        control.disarm();
    }
    let (backend, result) = match backend {
        Some(mut backend) => {
            let ready = match before.lost {
                true => scenario.reopen(&mut backend),
                false => Ok(true),
            };
            let result = match ready {
                Ok(true) => scenario.work(&mut backend, 3),
                other => other,
            };
            (Some(backend), result)
        }
        // A backend that could not be made is made now.
        None => match tempfile::tempdir() {
            Ok(folder) => scenario.run(folder.path(), PATIENCE),
            Err(error) => (None, Err(error.into())),
        },
    };
    let mut in_flight = false;
    let verdict = match result {
        Ok(true) => Verdict::TypedError,
        Ok(false) => Verdict::broken(
            Promise::NoFalseSuccess,
            "wrong limbs in the next call, and no error",
        ),
        Err(error) => {
            let known = typed(&error);
            in_flight = known.is_some_and(leaves_work_in_flight);
            let still_there = persists && known.is_some_and(|error| names(error, scenario, fault));
            // What timed out may still be in flight.
            match still_there || (before.in_flight && in_flight) {
                true => Verdict::TypedError,
                false => Verdict::broken(
                    Promise::NextCallWorks,
                    format!("the next call failed: {error:?}"),
                ),
            }
        }
    };
    Next {
        verdict,
        backend,
        in_flight,
    }
}
