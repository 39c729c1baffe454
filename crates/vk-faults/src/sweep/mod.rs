//! The sweep: `gpu-executor` under every fault, in child processes.

mod blobs;
mod cases;
mod child;
mod jobs;
mod points;
mod scenario;
mod table;
mod vectors;
mod verdict;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{anyhow, bail};
use vk_core::lock;

use crate::{Counts, Fault, manifest};

pub use child::{count, judge_all};
pub use scenario::{PLANTED, SCENARIOS, Scenario};
pub use table::{Summary, print};
pub use verdict::{Promise, Verdict};

/// What became of a scenario under a fault.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The scenario's name.
    pub scenario: &'static str,
    /// What was injected.
    pub fault: Fault,
    /// What became of it.
    pub verdict: Verdict,
}

/// How the children are started.
pub struct Children {
    program: PathBuf,
    // Holds the layer's manifest and the children's cache.
    folder: tempfile::TempDir,
}

impl Children {
    /// Children that run `program`, the binary of this crate.
    ///
    /// # Errors
    /// When the layer is not there, or its manifest cannot be written.
    pub fn new(program: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        manifest::write(folder.path(), &manifest::library_beside(program)?)?;
        Ok(Self {
            program: program.to_owned(),
            folder,
        })
    }

    fn command(&self, action: &str, scenario: &Scenario) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args([action, scenario.name]);
        command.envs(manifest::variables(self.folder.path()));
        // What the environment says about devices holds, what it says about
        // runs does not.
        for variable in ["GPU_DEVICE_LOCAL", "GPU_STREAM_CHUNK_ELEMS"] {
            command.env_remove(variable);
        }
        command.env("XDG_CACHE_HOME", self.folder.path());
        command
    }

    /// How often `scenario` makes each call when nothing fails, and what is kept then.
    ///
    /// # Errors
    /// When a run without a fault fails.
    pub fn counts(&self, scenario: &Scenario) -> anyhow::Result<Counts> {
        let output = self.command("count", scenario).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` without a fault failed: {said}", scenario.name);
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Runs `scenario` under each of `faults`.
    ///
    /// # Errors
    /// When a child cannot be started, or says what it should not.
    pub fn trials(
        &self,
        scenario: &'static Scenario,
        faults: Vec<Fault>,
    ) -> anyhow::Result<Vec<Trial>> {
        let kept = match scenario.shared {
            true => self.counts(scenario)?,
            false => Counts::default(),
        };
        let kept = serde_json::to_string(&kept)?;
        // An instance is made once per process, and so is a shared device.
        let once = |fault: &Fault| scenario.shared || fault.call.contains("Instance");
        let (alone, together): (Vec<_>, Vec<_>) = faults.into_iter().partition(once);
        let mut trials = Vec::new();
        let groups = alone.into_iter().map(|fault| vec![fault]);
        for group in groups.chain([together]) {
            let command = || {
                let mut command = self.command("judge", scenario);
                command.arg(&kept);
                command
            };
            for (fault, verdict) in watch::judge(command, group, watch::SILENCE)? {
                trials.push(Trial {
                    scenario: scenario.name,
                    fault,
                    verdict,
                });
            }
        }
        Ok(trials)
    }
}

/// Runs every scenario under every fault, or quickly the short form of the sweep, several
/// scenarios at a time where there are cores for it.
///
/// # Errors
/// When a scenario fails without a fault, or a child cannot be started.
pub fn run(children: &Children, quick: bool) -> anyhow::Result<Vec<Trial>> {
    let wanted = |scenario: &&Scenario| !quick || scenario.quick;
    let scenarios: Vec<_> = SCENARIOS.iter().filter(wanted).collect();
    run_some(children, &scenarios, quick)
}

/// As [`run`], of some scenarios.
///
/// # Errors
/// As [`run`].
pub fn run_some(
    children: &Children,
    scenarios: &[&'static Scenario],
    quick: bool,
) -> anyhow::Result<Vec<Trial>> {
    let left = Mutex::new(scenarios.iter().copied().enumerate());
    let work = || {
        let mut found = Vec::new();
        // A function of its own: the lock is not held meanwhile.
        let next = || lock(&left).next();
        while let Some((number, scenario)) = next() {
            found.push((number, sweep(children, scenario, quick)?));
        }
        anyhow::Ok(found)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut swept = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores.div_ceil(CORES))
            .map(|_| scope.spawn(work))
            .collect();
        let mut swept = Vec::new();
        for thread in threads {
            let found = thread.join().map_err(|_| anyhow!("a scenario panicked"))?;
            swept.extend(found?);
        }
        anyhow::Ok(swept)
    })?;
    swept.sort_by_key(|(number, _)| *number);
    Ok(swept.into_iter().flat_map(|(_, trials)| trials).collect())
}

/// Cores that a child keeps busy.
const CORES: usize = 2;

/// Runs `scenario` under every fault of the calls that it makes.
fn sweep(
    children: &Children,
    scenario: &'static Scenario,
    quick: bool,
) -> anyhow::Result<Vec<Trial>> {
    let counts = children.counts(scenario)?;
    // A scenario is for calls that come.
    for call in scenario.calls {
        if !counts.calls.contains_key(*call) {
            bail!("`{}` never calls {call}", scenario.name);
        }
    }
    // Of a calibration's many rounds each is like the others; on a shared device each fault
    // takes a process of its own.
    let quick = quick || !scenario.quick;
    children.trials(scenario, cases::faults(scenario, &counts.calls, quick))
}
