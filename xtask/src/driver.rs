//! The driver step: finds a Vulkan device, and where there is none installs
//! the software driver.

use anyhow::bail;
use shader_compiler::system::{self, Libshaderc};
use xshell::Shell;

use crate::install;
use crate::packages::Need;
use crate::probe::{self, Survey};

/// What a command wants from the machine besides a device.
pub(crate) struct Wanted {
    /// The Khronos validation layer.
    pub(crate) validation: bool,
    /// libshaderc, so that building it from source is spared.
    pub(crate) shaderc: bool,
    /// Whether packages may be installed.
    pub(crate) install: bool,
}

/// Prints the devices, installs what is missing where allowed, and returns
/// what the machine offers then. A missing device is for the caller to judge.
pub(crate) fn prepare(shell: &Shell, wanted: &Wanted) -> Survey {
    let survey = probe::survey();
    print_devices(&survey);
    let needs = missing(&survey, wanted, shaderc_links());
    if needs.is_empty() {
        return survey;
    }
    let names: Vec<&str> = needs.iter().map(|need| need.describe()).collect();
    println!("missing: {}", names.join(", "));
    let survey = if wanted.install {
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
    if wanted.shaderc {
        announce_shaderc(&system::probe());
    }
    survey
}

/// What a command that cannot do without a device says when there is none.
///
/// # Errors
/// When `survey` lists no device.
pub(crate) fn require_device(survey: &Survey) -> anyhow::Result<()> {
    if survey.devices.is_empty() {
        bail!(
            "no Vulkan device ({}): install a graphics driver, or Mesa's software one",
            reason(survey)
        );
    }
    Ok(())
}

/// Why there is no device, in a few words.
pub(crate) fn reason(survey: &Survey) -> &str {
    survey
        .problem
        .as_deref()
        .unwrap_or("the Vulkan loader lists none")
}

fn missing(survey: &Survey, wanted: &Wanted, shaderc: bool) -> Vec<Need> {
    let mut needs = Vec::new();
    if survey.devices.is_empty() {
        needs.push(Need::Driver);
    }
    if wanted.validation && !survey.validation_layer {
        needs.push(Need::ValidationLayer);
    }
    if wanted.shaderc && !shaderc {
        needs.push(Need::Shaderc);
    }
    needs
}

/// Whether the system's libshaderc links, so that none needs to be built.
fn shaderc_links() -> bool {
    let found = system::probe();
    found.library.is_some() && found.missing.is_empty()
}

/// Says what is ahead where libshaderc could not be installed.
fn announce_shaderc(found: &Libshaderc) {
    if let Some(remedy) = found.remedy() {
        println!("{remedy}");
    } else if found.library.is_none() {
        println!(
            "libshaderc will be built from source, which needs {} and takes about 9 minutes",
            system::SOURCE_BUILD_TOOLS.join(", ")
        );
    }
}

fn print_devices(survey: &Survey) {
    if survey.devices.is_empty() {
        println!("no Vulkan device: {}", reason(survey));
    }
    for device in &survey.devices {
        println!(
            "Vulkan device: {}, {}, driver {}",
            device.name, device.kind, device.driver
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Device;

    const ALL: Wanted = Wanted {
        validation: true,
        shaderc: true,
        install: true,
    };
    const DEVICE_ONLY: Wanted = Wanted {
        validation: false,
        shaderc: false,
        install: true,
    };

    fn with_device(validation_layer: bool) -> Survey {
        Survey {
            devices: vec![Device {
                name: "a device".to_owned(),
                driver: "a driver".to_owned(),
                kind: "discrete".to_owned(),
            }],
            problem: None,
            validation_layer,
        }
    }

    #[test]
    fn a_bare_machine_lacks_what_is_wanted_and_no_more() {
        let bare = Survey::default();
        assert_eq!(missing(&bare, &DEVICE_ONLY, false), [Need::Driver]);
        assert_eq!(
            missing(&bare, &ALL, false),
            [Need::Driver, Need::ValidationLayer, Need::Shaderc]
        );
    }

    #[test]
    fn what_is_there_is_not_installed_again() {
        assert_eq!(missing(&with_device(true), &ALL, true), []);
        assert_eq!(
            missing(&with_device(false), &ALL, true),
            [Need::ValidationLayer]
        );
        assert_eq!(missing(&with_device(false), &DEVICE_ONLY, false), []);
    }

    #[test]
    fn no_device_is_an_error_with_its_reason() {
        let survey = Survey {
            problem: Some("no loader".to_owned()),
            ..Survey::default()
        };
        let error = require_device(&survey).unwrap_err().to_string();
        assert!(error.contains("no loader"), "{error}");
        require_device(&with_device(false)).unwrap();
    }
}
