//! Runs what `packages` plans.

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use crate::packages::{Need, PackageManager};

/// Installs what `needs` names from the system's packages. Each command line
/// is shown before it runs.
///
/// # Errors
/// When no known package manager exists, when it takes a `sudo` that is not
/// there, or when a command fails.
pub(crate) fn install(shell: &Shell, needs: &[Need]) -> anyhow::Result<()> {
    let Some(manager) = PackageManager::choose(on_path) else {
        bail!("{}", by_hand(std::env::consts::OS));
    };
    run(shell, &manager.commands(needs, is_root(shell, manager)?))
}

/// Brings apt's lists of packages up to date.
pub(crate) fn update_apt(shell: &Shell) -> anyhow::Result<()> {
    let apt = PackageManager::AptGet;
    // The first of the commands of an installation.
    run(shell, &apt.commands(&[], is_root(shell, apt)?)[..1])
}

/// Whether the user is root. If not, there is a `sudo`.
fn is_root(shell: &Shell, manager: PackageManager) -> anyhow::Result<bool> {
    let root = cmd!(shell, "id -u").quiet().read()? == "0";
    if !root && !on_path("sudo") {
        bail!("{} takes root, and sudo is not there", manager.program());
    }
    Ok(root)
}

fn run(shell: &Shell, commands: &[Vec<&str>]) -> anyhow::Result<()> {
    for command in commands {
        let (program, args) = command.split_first().context("an empty command")?;
        // `run` prints the line first.
        cmd!(shell, "{program} {args...}").run()?;
    }
    Ok(())
}

/// Whether `program` is a file in a folder of `PATH`.
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

/// What a user does where this tool cannot install.
fn by_hand(os: &str) -> &'static str {
    match os {
        "macos" => {
            "to have a Vulkan device on macOS, run: \
             brew install molten-vk vulkan-loader vulkan-validationlayers"
        }
        "windows" => "to have a Vulkan device on Windows, install the graphics card's driver",
        _ => {
            "no known package manager (apt-get, dnf, pacman) was found: install a Vulkan loader \
             and driver (Mesa's lavapipe runs on any CPU) with your system's own"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_or_not() {
        assert!(!on_path("no-program-has-this-name"));
        assert!(on_path(if cfg!(windows) { "cmd.exe" } else { "sh" }));
    }

    #[test]
    fn macos_is_told_what_to_install() {
        assert!(by_hand("macos").contains("brew install molten-vk vulkan-loader"));
        assert!(by_hand("freebsd").contains("Vulkan loader"));
    }
}
