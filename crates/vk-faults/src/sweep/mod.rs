//! The sweep: `gpu-executor` under every fault, in child processes.

mod cases;
mod child;
mod scenario;
mod table;
mod verdict;
mod watch;
mod wire;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::{Fault, manifest};

pub use cases::{Thoroughness, faults};
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

    /// How often `scenario` makes each call when nothing fails.
    ///
    /// # Errors
    /// When a run without a fault fails.
    pub fn counts(&self, scenario: &Scenario) -> anyhow::Result<Vec<(String, u64)>> {
        let output = self.command("count", scenario).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` without a fault failed: {said}", scenario.name);
        }
        let text = String::from_utf8(output.stdout)?;
        let read = |line: &str| -> anyhow::Result<(String, u64)> {
            let (call, count) = line.split_once('\t').context("expected a count")?;
            Ok((call.to_owned(), count.parse()?))
        };
        text.lines().map(read).collect()
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
        // An instance is made once per process.
        let once = |fault: &Fault| fault.call.contains("Instance");
        let (alone, together): (Vec<_>, Vec<_>) = faults.into_iter().partition(once);
        let mut trials = Vec::new();
        let groups = alone.into_iter().map(|fault| vec![fault]);
        for group in groups.chain([together]) {
            let command = || self.command("judge", scenario);
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

/// Runs every scenario under every fault.
///
/// # Errors
/// When a scenario fails without a fault, or a child cannot be started.
pub fn run(children: &Children, how: Thoroughness) -> anyhow::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for scenario in SCENARIOS {
        if how == Thoroughness::Quick && !scenario.quick {
            continue;
        }
        let counts = children.counts(scenario)?;
        // A scenario is for calls that come.
        for call in scenario.calls {
            if !counts.iter().any(|(counted, _)| counted == call) {
                bail!("`{}` never calls {call}", scenario.name);
            }
        }
        // Of a calibration's many rounds each is like the others.
        let depth = match scenario.quick {
            true => how,
            false => Thoroughness::Quick,
        };
        trials.extend(children.trials(scenario, faults(scenario, &counts, depth))?);
    }
    Ok(trials)
}
