//! `cargo xtask package`: each publishable crate is complete in its package.

use std::fmt::Write as _;

use anyhow::Context;
use xshell::{Shell, cmd};

use crate::workspace;

/// The members that are not published.
const INTERNAL: [&str; 5] = [
    "gpu-executor-benches",
    "gpu-executor-demo",
    "gpu-executor-soak",
    "vk-faults",
    "xtask",
];

/// Runs [`verify`] alone.
pub(crate) fn run() -> anyhow::Result<()> {
    verify(&workspace::shell()?, &[])
}

/// Packages every publishable crate and checks each from its package and the others'
/// alone, which shows files that only the workspace has.
///
/// Not by `cargo package` itself: it builds all dependencies once more. Here the
/// unpacked packages are a workspace of their own, with this one's profile, lock file and
/// target folder, and so with the dependencies that are there already.
///
/// # Errors
/// When a package cannot be made or is not complete.
pub(crate) fn verify(shell: &Shell, options: &[&str]) -> anyhow::Result<()> {
    let target = workspace::target_dir(shell)?;
    let folder = target.join("packages");
    shell.remove_path(&folder)?;
    let internal = INTERNAL.iter().flat_map(|name| ["--exclude", *name]);
    // Dirty is allowed: the check is for before a commit as well as after.
    cmd!(
        shell,
        "cargo package --workspace {internal...} --no-verify --allow-dirty --target-dir {folder} {options...}"
    )
    .run()?;

    let unpacked = folder.join("unpacked");
    shell.create_dir(&unpacked)?;
    for package in shell.read_dir(folder.join("package"))? {
        if package.extension().is_some_and(|ending| ending == "crate") {
            cmd!(shell, "tar -xzf {package} -C {unpacked}").run()?;
        }
    }
    let mut names = Vec::new();
    for package in shell.read_dir(&unpacked)? {
        let name = package.file_name().context("a package without a name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    let manifest = unpacked.join("Cargo.toml");
    let text = manifest_of(&names, &shell.read_file("Cargo.toml")?)?;
    shell.write_file(&manifest, text)?;
    shell.copy_file("Cargo.lock", &unpacked)?;
    cmd!(
        shell,
        "cargo check --workspace --manifest-path {manifest} --target-dir {target} {options...}"
    )
    .run()?;
    Ok(())
}

/// The manifest of a workspace of packages unpacked to folders of these names, each
/// `NAME-VERSION`, with the profiles of the workspace whose manifest is `ours`.
fn manifest_of(folders: &[String], ours: &str) -> anyhow::Result<String> {
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = {folders:?}\n");
    text.push_str("[patch.crates-io]\n");
    for folder in folders {
        let (name, _) = folder
            .rsplit_once('-')
            .with_context(|| format!("expected NAME-VERSION, found {folder}"))?;
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "{name} = {{ path = {folder:?} }}");
    }
    let tables = ours.split("\n[").skip(1);
    for profile in tables.filter(|table| table.starts_with("profile.")) {
        let _ = writeln!(text, "[{profile}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_members_and_replace_what_is_published() {
        let ours = "[workspace]\nmembers = []\n\n[profile.dev]\ndebug = 1\n\n[lints]\nx = 1\n";
        let text = manifest_of(&["vk-core-0.1.0".to_owned()], ours).unwrap();
        assert_eq!(
            text,
            "[workspace]\nresolver = \"3\"\nmembers = [\"vk-core-0.1.0\"]\n[patch.crates-io]\n\
             vk-core = { path = \"vk-core-0.1.0\" }\n[profile.dev]\ndebug = 1\n\n"
        );
        assert!(manifest_of(&["nameless".to_owned()], ours).is_err());
    }
}
