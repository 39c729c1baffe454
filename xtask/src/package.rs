//! `cargo xtask package`: each publishable crate builds from its package.

use xshell::{Shell, cmd};

use crate::workspace;

/// Runs [`verify`] alone.
///
/// # Errors
/// As [`verify`].
pub(crate) fn run() -> anyhow::Result<()> {
    verify(&workspace::shell()?, &[])
}

/// Packages every publishable crate and builds it from the package alone,
/// which shows files that only the workspace has.
///
/// # Errors
/// When a package cannot be made or does not build.
pub(crate) fn verify(shell: &Shell, options: &[&str]) -> anyhow::Result<()> {
    // Dirty is allowed: the check is for before a commit as well as after.
    let internal = ["--exclude", "xtask", "--exclude", "gpu-executor-benches"];
    cmd!(
        shell,
        "cargo package --workspace {internal...} --allow-dirty {options...}"
    )
    .run()?;
    Ok(())
}
