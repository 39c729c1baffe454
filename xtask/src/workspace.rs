//! Where the workspace and its build output are.

use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

/// A shell whose current folder is the workspace root.
pub(crate) fn shell() -> anyhow::Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(root()?);
    Ok(shell)
}

/// The workspace root. Looked up when run, not when built: `bench` also runs
/// on machines that have neither the sources nor the paths of the build.
fn root() -> anyhow::Result<PathBuf> {
    // Set by `cargo run`, and so by `cargo xtask` from any subfolder.
    if let Some(manifest) = std::env::var_os("CARGO_MANIFEST_DIR")
        && let Some(parent) = Path::new(&manifest).parent()
    {
        return Ok(parent.to_path_buf());
    }
    let here = std::env::current_dir().context("the current folder is not readable")?;
    let found = here
        .ancestors()
        .find(|dir| dir.join("xtask/Cargo.toml").is_file());
    match found {
        Some(dir) => Ok(dir.to_path_buf()),
        None => bail!("not inside the workspace: {}", here.display()),
    }
}

/// How `child` ended within `patience`; `None` for one that did not, and was killed.
pub(crate) fn ended_within(
    child: &mut Child,
    patience: Duration,
) -> anyhow::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Some(status) = child.try_wait().context("a child process was lost")? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().context("a child process cannot be stopped")?;
    child.wait().context("a child process was lost")?;
    Ok(None)
}

/// Cargo's output folder, wherever configuration or `CARGO_TARGET_DIR` put it.
pub(crate) fn target_dir(shell: &Shell) -> anyhow::Result<PathBuf> {
    let text = cmd!(shell, "cargo metadata --no-deps --format-version 1")
        .quiet()
        .read()?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).context("`cargo metadata` did not print JSON")?;
    let dir = metadata["target_directory"]
        .as_str()
        .context("`cargo metadata` named no target folder")?;
    Ok(PathBuf::from(dir))
}
