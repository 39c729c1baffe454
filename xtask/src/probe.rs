//! Asks a child process what Vulkan offers here.
//!
//! A child, because a loader installed a moment ago is seen by a new process
//! only, and because a driver that crashes or hangs must not take this one
//! with it.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::workspace;

/// Marks the answer among whatever drivers and layers print.
const ANSWER: &str = "xtask-probe: ";
/// Longer than any driver takes to list its devices.
const PATIENCE: Duration = Duration::from_secs(60);

/// What Vulkan offers on this machine.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Survey {
    /// The devices, in the order the library lists them: name, kind and driver.
    pub(crate) devices: Vec<String>,
    /// Why there are no devices to list, where asking failed.
    pub(crate) problem: Option<String>,
    /// Whether `VK_LAYER_KHRONOS_validation` is installed.
    pub(crate) validation_layer: bool,
}

/// Surveys the machine in a child process. Never fails: what went wrong
/// stands in [`Survey::problem`].
pub(crate) fn survey() -> Survey {
    ask_child().unwrap_or_else(|error| Survey {
        problem: Some(format!("{error:#}")),
        ..Survey::default()
    })
}

/// The child's side: prints this machine's survey.
pub(crate) fn answer() -> anyhow::Result<()> {
    let mut survey = Survey::default();
    match list_devices() {
        Ok(devices) => survey.devices = devices,
        Err(error) => survey.problem = Some(error.to_string()),
    }
    // No loader is an error here too, and already reported above.
    survey.validation_layer = matches!(vk_core::validation_layer_version(), Ok(Some(_)));
    println!("{ANSWER}{}", serde_json::to_string(&survey)?);
    Ok(())
}

fn list_devices() -> Result<Vec<String>, vk_core::Error> {
    let instance = vk_core::Instance::new(vk_core::Validation::Off)?;
    let devices = instance.devices()?;
    let described = devices.iter().map(|device| {
        let caps = device.caps();
        format!("{}, {}, driver {}", caps.name, caps.kind, caps.driver)
    });
    Ok(described.collect())
}

fn ask_child() -> anyhow::Result<Survey> {
    let exe = std::env::current_exe().context("this program's own path is unknown")?;
    let mut child = Command::new(exe)
        .arg("probe")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the probe did not start")?;
    if workspace::ended_within(&mut child, PATIENCE)?.is_none() {
        bail!("the Vulkan driver did not answer in {PATIENCE:?}");
    }
    let output = child.wait_with_output().context("the probe was lost")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    match parse(&stdout) {
        Some(answer) => answer,
        None => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let last = stderr.lines().last().unwrap_or("it said nothing");
            bail!("the Vulkan driver crashed ({}): {last}", output.status)
        }
    }
}

/// The survey in a child's output; `None` where it died before answering.
fn parse(stdout: &str) -> Option<anyhow::Result<Survey>> {
    let json = stdout.lines().find_map(|line| line.strip_prefix(ANSWER))?;
    Some(serde_json::from_str(json).context("the probe's answer is not readable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_found_among_a_drivers_own_words() {
        let survey = Survey {
            devices: vec!["a device, software, driver 1.2".to_owned()],
            problem: None,
            validation_layer: true,
        };
        let json = serde_json::to_string(&survey).unwrap();
        let stdout = format!("WARNING: not conformant\n{ANSWER}{json}\nbye\n");
        assert_eq!(parse(&stdout).unwrap().unwrap(), survey);
    }

    #[test]
    fn no_answer_and_a_broken_answer_differ() {
        assert!(parse("WARNING: not conformant\n").is_none());
        assert!(parse(&format!("{ANSWER}{{")).unwrap().is_err());
    }
}
