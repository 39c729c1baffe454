//! Damaged modules: how many the check of the interface stops, how many spirv-val, and
//! which of them would have killed the driver.
//!
//! Every mutant of every kernel goes to the driver unchecked, in child
//! processes that may die of it; what each layer says of it is asked apart.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use super::{Args, Finding};
use crate::workspace;

const MUTANTS: u64 = 3000;
const QUICK_MUTANTS: u64 = 150;
/// Child processes at a time.
const LANES: u64 = 2;
/// How long a driver may take for one mutant before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a mutant with a driver that takes it unchecked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The driver refused it or ran it.
    Survived,
    /// The process ended.
    Killed,
    /// The process did not come back.
    Hung,
}

/// What each layer lets pass.
#[derive(Clone, Copy)]
struct Passes {
    interface: bool,
    validator: bool,
}

/// Runs all mutants of all kernels.
pub(super) fn run(shell: &Shell, args: &Args) -> anyhow::Result<Vec<Finding>> {
    let program = build(shell)?;
    let kernels = Command::new(&program).arg("kernels").output()?;
    let kernels = String::from_utf8(kernels.stdout)?;
    let count = if args.quick { QUICK_MUTANTS } else { MUTANTS };
    let mut findings = Vec::new();
    for kernel in kernels.lines() {
        let layers = in_lanes(|lane| layers(&program, kernel, lane, count))?;
        let layers: HashMap<u64, Passes> = layers.into_iter().collect();
        let fates = in_lanes(|lane| drive(&program, kernel, lane, count))?;
        let survey = Survey::new(&layers, &fates)?;
        survey.print(kernel);
        findings.push(survey.finding(kernel));
    }
    Ok(findings)
}

fn build(shell: &Shell) -> anyhow::Result<PathBuf> {
    cmd!(
        shell,
        "cargo build --release --quiet -p gpu-executor --example mutants"
    )
    .run()?;
    Ok(workspace::target_dir(shell)?.join("release/examples/mutants"))
}

/// Calls `body` for each lane on a thread of its own, and joins the results.
fn in_lanes<T: Send>(
    body: impl Fn(u64) -> anyhow::Result<Vec<(u64, T)>> + Sync,
) -> anyhow::Result<Vec<(u64, T)>> {
    let mut all = Vec::new();
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let body = &body;
                scope.spawn(move || body(lane))
            })
            .collect();
        for lane in lanes {
            let found = lane
                .join()
                .map_err(|_| anyhow::anyhow!("a lane panicked"))?;
            all.extend(found?);
        }
        Ok(all)
    })
}

fn child(program: &Path, what: &str, kernel: &str, from: u64, to: u64) -> anyhow::Result<Child> {
    let (from, to, step) = (from.to_string(), to.to_string(), LANES.to_string());
    Command::new(program)
        .args([what, kernel, "--from", &from, "--to", &to, "--step", &step])
        // Each mutant is to be compiled, whatever the last run compiled.
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} {what}", program.display()))
}

fn layers(
    program: &Path,
    kernel: &str,
    lane: u64,
    count: u64,
) -> anyhow::Result<Vec<(u64, Passes)>> {
    let output = child(program, "layers", kernel, lane, count)?.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "spirv-val failed, or a module could not be read: {}",
            output.status
        );
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [index, interface, validator] => Ok((
                index.parse()?,
                Passes {
                    interface: interface == "1",
                    validator: validator == "1",
                },
            )),
            _ => bail!("expected `INDEX INTERFACE VAL`, found {line:?}"),
        })
        .collect()
}

/// Hands the mutants of a lane to the driver, in as many processes as it
/// takes.
fn drive(program: &Path, kernel: &str, lane: u64, count: u64) -> anyhow::Result<Vec<(u64, Fate)>> {
    let mut fates = Vec::new();
    let mut from = lane;
    while from < count {
        let (found, unfinished) = drive_until_death(program, kernel, from, count)?;
        fates.extend(found.into_iter().map(|index| (index, Fate::Survived)));
        match unfinished {
            None => break,
            Some((index, fate)) => {
                fates.push((index, fate));
                from = index + LANES;
            }
        }
    }
    Ok(fates)
}

type Death = Option<(u64, Fate)>;

fn drive_until_death(
    program: &Path,
    kernel: &str,
    from: u64,
    count: u64,
) -> anyhow::Result<(Vec<u64>, Death)> {
    let mut child = child(program, "drive", kernel, from, count)?;
    let output = child.stdout.take().context("a pipe from the child")?;
    let (sender, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let (mut survived, mut begun) = (Vec::new(), None);
    let hung = loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => match line.split(' ').collect::<Vec<_>>()[..] {
                ["begin", index] => begun = Some(index.parse::<u64>()?),
                ["end", index, _] => {
                    survived.push(index.parse()?);
                    begun = None;
                }
                _ => bail!("expected `begin` or `end`, found {line:?}"),
            },
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => break true,
        }
    };
    if hung {
        child.kill()?;
    }
    let status = child.wait()?;
    drop(reader.join());
    match (begun, hung) {
        (Some(index), true) => Ok((survived, Some((index, Fate::Hung)))),
        (Some(index), false) => Ok((survived, Some((index, Fate::Killed)))),
        (None, _) if status.success() => Ok((survived, None)),
        (None, _) => bail!("a child failed between mutants: {status}"),
    }
}

/// The counts of one kernel.
#[derive(Default)]
struct Survey {
    mutants: usize,
    killers: usize,
    hung: usize,
    /// By what stops them: nothing, the interface alone, spirv-val alone, both.
    layers: [Stopped; 4],
    /// Which killers get past both.
    past: Vec<u64>,
}

/// Mutants that layers stop, and how many of them kill or hang a driver.
#[derive(Clone, Copy, Default)]
struct Stopped {
    all: usize,
    killers: usize,
}

const LAYERS: [&str; 4] = ["nothing", "interface alone", "spirv-val alone", "both"];

impl Survey {
    fn new(layers: &HashMap<u64, Passes>, fates: &[(u64, Fate)]) -> anyhow::Result<Self> {
        let mut survey = Self::default();
        for (index, fate) in fates {
            let passes = layers
                .get(index)
                .with_context(|| format!("no layer was asked about mutant {index}"))?;
            let (interface, validator) = (!passes.interface, !passes.validator);
            let killer = *fate != Fate::Survived;
            survey.mutants += 1;
            survey.hung += usize::from(*fate == Fate::Hung);
            let stops = [false, interface, validator, interface || validator];
            for (stopped, stops) in survey.layers.iter_mut().zip(stops) {
                stopped.all += usize::from(stops);
                stopped.killers += usize::from(stops && killer);
            }
            if killer && !interface && !validator {
                survey.past.push(*index);
            }
            survey.killers += usize::from(killer);
        }
        Ok(survey)
    }

    fn print(&self, kernel: &str) {
        println!(
            "{kernel}: {} mutants; of the driver's deaths {} were hangs",
            self.mutants, self.hung
        );
        for (name, stopped) in LAYERS.iter().zip(self.layers) {
            println!(
                "  {name:<16} stops {:>5}, {:>5} reach the driver, {:>4} of them kill or hang it",
                stopped.all,
                self.mutants - stopped.all,
                self.killers - stopped.killers,
            );
        }
        if !self.past.is_empty() {
            println!("  killers past both: {:?}", self.past);
        }
    }

    fn finding(&self, kernel: &str) -> Finding {
        let left = self.past.len();
        Finding {
            promise: format!("{kernel}: past both layers 1 killer in 1,000 at most"),
            found: format!("{left} in {}", self.mutants),
            kept: left * 1000 <= self.mutants,
        }
    }
}
