//! The child process: runs a scenario under one fault after the other.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use ash::vk;
use gpu_executor::Error;
use gpu_executor::spirv::PersistentVulkanBackend;

use super::scenario::Scenario;
use super::verdict::{
    Promise, Verdict, is_loss, is_of_least_chunk, leaves_work_in_flight, must_be_halved, names,
    stalls, typed,
};
use crate::control::{Control, Order};
use crate::{Counts, Fault, Mode, manifest};

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
    control.order(&Order::Arm(None))?;
    let (backend, result) = scenario.run(folder.path(), PATIENCE);
    anyhow::ensure!(result?, "expected right results without a fault");
    drop(backend);
    let counts = control.order(&Order::Count)?;
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
    faults: &str,
    mut out: impl Write,
) -> anyhow::Result<()> {
    let control = control(scenario)?;
    for line in faults.lines() {
        let fault: Fault = line.parse().map_err(anyhow::Error::msg)?;
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
    control.order(&Order::Pretend(scenario.pretence))?;
    if !scenario.shared {
        // Each run makes its device, uses it and destroys it, and all of it is swept.
        vk_core::testing::share_no_devices();
    }
    Ok(control)
}

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
    control.order(&Order::Arm(Some(fault.to_string())))?;
    let (mut backend, result) = scenario.run(folder.path(), patience);
    let (verdict, in_flight) = match result {
        Ok(true) => (Verdict::Right, false),
        Ok(false) => {
            let found = "wrong limbs, and no error";
            (Verdict::broken(Promise::NoFalseSuccess, found), false)
        }
        Err(error) => {
            let fired = control.order(&Order::Count)?.fired;
            match (of_error(scenario, fault, fired, &error), typed(&error)) {
                (Verdict::TypedError, Some(error)) => {
                    after(scenario, control, fault, &mut backend, error)?
                }
                (verdict, error) => (verdict, error.is_some_and(leaves_work_in_flight)),
            }
        }
    };
    // While the fault is still there, unless it was for one call: dropping is
    // a call too.
    drop(backend);
    let counts = control.order(&Order::Count)?;
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
    if must_be_halved(fault) && scenario.can_halve && !is_of_least_chunk(typed) {
        return Verdict::broken(Promise::MemoryIsHalved, format!("gave up: {typed:?}"));
    }
    Verdict::TypedError
}

/// Runs once more after `error`. A fault that passes has passed by then. Beside the verdict:
/// whether either run may have left work in flight.
fn after(
    scenario: &Scenario,
    control: &Control,
    fault: &Fault,
    backend: &mut Option<PersistentVulkanBackend>,
    error: &Error,
) -> anyhow::Result<(Verdict, bool)> {
    let persists = fault.mode == Mode::Sticky;
    if !persists {
        control.order(&Order::Disarm)?;
    }
    let result = match backend {
        Some(backend) => match is_loss(error) {
            true => scenario.reopen(backend),
            false => Ok(true),
        }
        .and_then(|right| Ok(right && scenario.work(backend, 3)?)),
        // A backend that could not be made is made now.
        None => {
            let (made, result) = scenario.run(tempfile::tempdir()?.path(), PATIENCE);
            *backend = made;
            result
        }
    };
    let in_flight = leaves_work_in_flight(error);
    Ok(match result {
        Ok(true) => (Verdict::TypedError, in_flight),
        Ok(false) => {
            let found = "wrong limbs in the next call, and no error";
            (Verdict::broken(Promise::NoFalseSuccess, found), in_flight)
        }
        Err(next) => {
            let known = typed(&next);
            let still_at_it = known.is_some_and(leaves_work_in_flight);
            let still_there = persists && known.is_some_and(|error| names(error, scenario, fault));
            // What timed out may still be in flight.
            let verdict = match still_there || (in_flight && still_at_it) {
                true => Verdict::TypedError,
                false => {
                    let found = format!("the next call failed: {next:?}");
                    Verdict::broken(Promise::NextCallWorks, found)
                }
            };
            (verdict, in_flight || still_at_it)
        }
    })
}
