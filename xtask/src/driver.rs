//! The driver step: finds a Vulkan device and what else is needed, and installs what
//! is missing, for want of a device the software driver.

use anyhow::bail;
use shader_compiler::system;
use xshell::Shell;

use crate::install;
use crate::packages::Need;
use crate::probe::{self, Survey};
use crate::shaders;

/// Prints the devices, installs what is missing of `wanted` where `may_install`, and
/// returns what the machine offers then. What is missing still is for the caller to judge.
pub(crate) fn prepare(shell: &Shell, wanted: &[Need], may_install: bool) -> Survey {
    let survey = probe::survey();
    print_devices(&survey);
    let needs = missing(&survey, wanted);
    if needs.is_empty() {
        return survey;
    }
    println!("missing: {}", described(&needs));
    let survey = if may_install {
        if let Err(error) = install::install(shell, &needs) {
            println!("not installed: {error:#}");
        }
        let survey = probe::survey();
        print_devices(&survey);
        survey
    } else {
        println!("not installed, as --no-install asks");
        survey
    };
    // What is ahead where libshaderc could not be installed.
    if wanted.contains(&Need::Shaderc)
        && let Err(error) = shaders::announce(shell, &system::probe())
    {
        println!("{error:#}");
    }
    survey
}

/// What a command that cannot do without `needs` says when one is missing.
///
/// # Errors
/// When `survey` lists no device that is needed, or something else is missing.
pub(crate) fn require(survey: &Survey, needs: &[Need]) -> anyhow::Result<()> {
    let missing = missing(survey, needs);
    if missing.contains(&Need::Driver) {
        let reason = reason(survey);
        bail!("no Vulkan device ({reason}): install a graphics driver, or Mesa's software one");
    }
    match missing.is_empty() {
        true => Ok(()),
        false => bail!("missing: {}", described(&missing)),
    }
}

/// Why there is no device, in a few words.
fn reason(survey: &Survey) -> &str {
    let problem = survey.problem.as_deref();
    problem.unwrap_or("the Vulkan loader lists none")
}

fn described(needs: &[Need]) -> String {
    let names: Vec<&str> = needs.iter().map(|need| need.describe()).collect();
    names.join(", ")
}

fn missing(survey: &Survey, wanted: &[Need]) -> Vec<Need> {
    missing_beside(survey, wanted, |need| match need {
        Need::Shaderc => shaderc_links(),
        Need::SpirvTools => install::on_path("spirv-val"),
        // `compilers` looks for its file.
        _ => true,
    })
}

/// As [`missing`]; `is_there` tells of what no survey tells.
fn missing_beside(survey: &Survey, wanted: &[Need], is_there: impl Fn(Need) -> bool) -> Vec<Need> {
    let is_missing = |need: &Need| match need {
        Need::Driver => survey.devices.is_empty(),
        Need::ValidationLayer => !survey.validation_layer,
        other => !is_there(*other),
    };
    wanted.iter().copied().filter(is_missing).collect()
}

/// Whether the system's libshaderc links, so that none needs to be built.
fn shaderc_links() -> bool {
    let found = system::probe();
    found.library.is_some() && found.missing.is_empty()
}

fn print_devices(survey: &Survey) {
    if survey.devices.is_empty() {
        println!("no Vulkan device: {}", reason(survey));
    }
    for device in &survey.devices {
        println!("Vulkan device: {device}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_device(validation_layer: bool) -> Survey {
        Survey {
            devices: vec!["a device".to_owned()],
            problem: None,
            validation_layer,
        }
    }

    #[test]
    fn what_is_wanted_and_not_there_is_missing_and_no_more() {
        use Need::{Driver, Shaderc, ValidationLayer};
        let all = [Driver, ValidationLayer, Shaderc];
        let of =
            |survey: &Survey, wanted: &[Need], shaderc| missing_beside(survey, wanted, |_| shaderc);
        let bare = Survey::default();
        assert_eq!(of(&bare, &[Driver], false), [Driver]);
        assert_eq!(of(&bare, &all, false), all);
        assert_eq!(of(&with_device(true), &all, true), []);
        assert_eq!(of(&with_device(false), &all, true), [ValidationLayer]);
        assert_eq!(of(&with_device(false), &[Driver], false), []);
    }

    #[test]
    fn what_is_needed_and_missing_is_an_error_with_its_reason() {
        let survey = Survey {
            problem: Some("no loader".to_owned()),
            ..Survey::default()
        };
        let error = require(&survey, &[Need::Driver]).unwrap_err().to_string();
        assert!(error.contains("no loader"), "{error}");
        require(&with_device(false), &[Need::Driver]).unwrap();
        let error = require(&with_device(false), &[Need::ValidationLayer]).unwrap_err();
        assert_eq!(error.to_string(), "missing: the Khronos validation layer");
    }
}
