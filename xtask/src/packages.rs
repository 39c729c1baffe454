//! Which package manager a system has, and what it calls the things needed.
//!
//! Everything here is a pure function, so that the branches for systems other
//! than the one at hand are tested too. `install` runs what this plans.

/// Something the system's packages can provide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A Vulkan loader and Mesa's drivers, the software one among them.
    Driver,
    /// A Vulkan loader and Mesa's driver for AMD's chips.
    Radv,
    /// `VK_LAYER_KHRONOS_validation`.
    ValidationLayer,
    /// libshaderc with all that linking it takes.
    Shaderc,
    /// The program `spirv-val`.
    SpirvTools,
}

impl Need {
    /// The need in words, for messages.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Driver => "a Vulkan driver",
            Self::Radv => "Mesa's driver RADV",
            Self::ValidationLayer => "the Khronos validation layer",
            Self::Shaderc => "libshaderc",
            Self::SpirvTools => "the program spirv-val",
        }
    }
}

/// A package manager this tool can drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackageManager {
    /// Debian, Ubuntu and relatives.
    AptGet,
    /// Fedora, RHEL and relatives.
    Dnf,
    /// Arch and relatives.
    Pacman,
}

impl PackageManager {
    const ALL: [Self; 3] = [Self::AptGet, Self::Dnf, Self::Pacman];

    /// The first known manager that `exists` finds.
    pub(crate) fn choose(exists: impl Fn(&str) -> bool) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|manager| exists(manager.program()))
    }

    /// The manager's command.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::AptGet => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
        }
    }

    /// The packages that provide `need`.
    pub(crate) fn packages(self, need: Need) -> &'static [&'static str] {
        match (self, need) {
            (Self::AptGet, Need::Driver | Need::Radv) => &["mesa-vulkan-drivers", "libvulkan1"],
            (Self::AptGet, Need::ValidationLayer) => &["vulkan-validationlayers"],
            // libshaderc-dev alone does not link: its static library lacks
            // glslang's and SPIRV-Tools' objects.
            (Self::AptGet, Need::Shaderc) => &["libshaderc-dev", "glslang-dev", "spirv-tools"],
            (Self::Dnf, Need::Driver | Need::Radv) => &["mesa-vulkan-drivers", "vulkan-loader"],
            (Self::Dnf, Need::ValidationLayer) => &["vulkan-validation-layers"],
            (Self::Dnf, Need::Shaderc) => {
                &["libshaderc-devel", "glslang-devel", "spirv-tools-devel"]
            }
            (Self::Pacman, Need::Driver) => &["vulkan-swrast", "vulkan-icd-loader"],
            (Self::Pacman, Need::Radv) => &["vulkan-radeon", "vulkan-icd-loader"],
            (Self::Pacman, Need::ValidationLayer) => &["vulkan-validation-layers"],
            (Self::Pacman, Need::Shaderc) => &["shaderc"],
            (_, Need::SpirvTools) => &["spirv-tools"],
        }
    }

    /// The command lines, program first, that install what `needs` names;
    /// through sudo unless the user is root.
    pub(crate) fn commands(self, needs: &[Need], root: bool) -> Vec<Vec<&'static str>> {
        let steps: &[&[&str]] = match self {
            // `env`, because sudo drops the caller's environment.
            Self::AptGet => &[
                &["env", APT, "apt-get", "update"],
                &["env", APT, "apt-get", "install", "-y", NO_MORE],
            ],
            Self::Dnf => &[&["dnf", "install", "-y"]],
            // A fresh system has no package database yet, hence the `y`.
            Self::Pacman => &[&["pacman", "-Sy", "--needed", "--noconfirm"]],
        };
        let sudo: &[&str] = if root { &[] } else { &["sudo"] };
        let mut commands: Vec<_> = steps.iter().map(|step| [sudo, step].concat()).collect();
        if let Some(last) = commands.last_mut() {
            last.extend(needs.iter().flat_map(|need| self.packages(*need)));
        }
        commands
    }
}

const APT: &str = "DEBIAN_FRONTEND=noninteractive";
const NO_MORE: &str = "--no-install-recommends";

#[cfg(test)]
mod tests {
    use super::*;

    fn has(programs: &[&str]) -> Option<PackageManager> {
        PackageManager::choose(|name| programs.contains(&name))
    }

    #[test]
    fn the_manager_follows_from_the_programs_that_exist() {
        assert_eq!(has(&["apt-get", "apt"]), Some(PackageManager::AptGet));
        assert_eq!(has(&["dnf", "rpm"]), Some(PackageManager::Dnf));
        assert_eq!(has(&["pacman"]), Some(PackageManager::Pacman));
        assert_eq!(has(&["brew"]), None);
        assert_eq!(has(&[]), None);
    }

    #[test]
    fn debian_with_a_foreign_manager_installed_still_uses_its_own() {
        let all = ["pacman", "dnf", "apt-get"];
        assert_eq!(has(&all), Some(PackageManager::AptGet));
    }

    #[test]
    fn every_manager_names_packages_for_every_need() {
        use Need::{Driver, Radv, Shaderc, SpirvTools, ValidationLayer};
        for manager in PackageManager::ALL {
            for need in [Driver, Radv, ValidationLayer, Shaderc, SpirvTools] {
                assert!(!manager.packages(need).is_empty(), "{manager:?} {need:?}");
            }
        }
    }

    #[test]
    fn root_installs_without_sudo() {
        let commands = PackageManager::AptGet.commands(&[Need::Driver], true);
        let lines: Vec<String> = commands.iter().map(|c| c.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "env DEBIAN_FRONTEND=noninteractive apt-get update",
                "env DEBIAN_FRONTEND=noninteractive apt-get install -y \
                 --no-install-recommends mesa-vulkan-drivers libvulkan1",
            ]
        );
    }

    #[test]
    fn others_install_through_sudo() {
        let commands = PackageManager::Dnf.commands(&[Need::Driver, Need::ValidationLayer], false);
        let packages = "mesa-vulkan-drivers vulkan-loader vulkan-validation-layers";
        let line = format!("sudo dnf install -y {packages}");
        assert_eq!(commands, [line.split(' ').collect::<Vec<_>>()]);
        let commands = PackageManager::AptGet.commands(&[Need::Shaderc], false);
        assert!(commands.iter().all(|command| command[0] == "sudo"));
    }
}
