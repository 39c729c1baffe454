//! `cargo xtask package`: each publishable crate builds from its package.

use std::time::{SystemTime, UNIX_EPOCH};

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
    // Cargo serves the packages to each other from a registry inside the target
    // folder, and keeps what it unpacked of it by the folder's path and the
    // package's version: in the same folder, a later run would build against
    // the sources of an earlier one.
    let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let target = format!("target/packages-{started}");
    let _removed_after = RemovedAfter(shell, &target);
    // Dirty is allowed: the check is for before a commit as well as after.
    let internal = [
        "xtask",
        "gpu-executor-benches",
        "gpu-executor-soak",
        "vk-faults",
    ];
    let internal = internal.iter().flat_map(|name| ["--exclude", *name]);
    cmd!(
        shell,
        "cargo package --workspace {internal...} --allow-dirty --target-dir {target} {options...}"
    )
    .run()?;
    Ok(())
}

/// A folder that is removed when this drops.
struct RemovedAfter<'a>(&'a Shell, &'a str);

impl Drop for RemovedAfter<'_> {
    fn drop(&mut self) {
        // What cannot be removed only takes space.
        let _ = self.0.remove_path(self.1);
    }
}
