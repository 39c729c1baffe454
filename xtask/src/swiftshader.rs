//! SwiftShader, a second software driver: out of the package of a browser that brings
//! it, downloaded and unpacked into the target folder, and not installed.
//!
//! It has other limits than Mesa's llvmpipe, and neither 64-bit integers nor doubles: a
//! device that can do little more than Vulkan asks for.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use crate::install;

/// Debian's package that has it, 30 MB.
const PACKAGE: &str = "chromium-common";
/// Where in it.
const FOLDER: &str = "usr/lib/chromium";
/// The driver.
const LIBRARY: &str = "libvk_swiftshader.so";
/// What the loader finds the driver by, as the file beside this one.
const MANIFEST: &str = "vk_swiftshader_icd.json";

/// What could be had.
pub(crate) enum Found {
    /// The driver's file for the loader.
    Driver(PathBuf),
    /// Why there is none for this system.
    Nowhere(String),
}

/// The driver, in `folder`, where it is looked for first. `update` says whether the
/// lists of packages may be brought up to date.
///
/// # Errors
/// When there is a package and it cannot be downloaded or unpacked.
pub(crate) fn find(shell: &Shell, folder: &Path, update: bool) -> anyhow::Result<Found> {
    let manifest = folder.join(MANIFEST);
    if manifest.is_file() {
        return Ok(Found::Driver(manifest));
    }
    if !install::on_path("apt-get") {
        let reason = "SwiftShader comes from a package of Debian's, and apt-get is not there";
        return Ok(Found::Nowhere(reason.to_owned()));
    }
    // A fresh system has no lists, and an old one names files that are gone.
    if update && let Err(error) = install::update_apt(shell) {
        println!("the lists of packages are not brought up to date: {error:#}");
    }
    let show = cmd!(shell, "apt-cache show {PACKAGE}").quiet();
    if show.ignore_stdout().ignore_stderr().run().is_err() {
        let reason = format!("apt knows no package {PACKAGE}, which has SwiftShader on Debian");
        return Ok(Found::Nowhere(reason));
    }
    download(shell, folder)?;
    Ok(Found::Driver(manifest))
}

fn download(shell: &Shell, folder: &Path) -> anyhow::Result<()> {
    let unpacked = folder.join("unpacked");
    shell.remove_path(folder)?;
    shell.create_dir(&unpacked)?;
    let package = {
        let _inside = shell.push_dir(folder);
        cmd!(shell, "apt-get download {PACKAGE}").run()?;
        let mut files = shell.read_dir(".")?.into_iter();
        let package = files.find(|path| path.extension().is_some_and(|it| it == "deb"));
        package.with_context(|| format!("apt-get left no package {PACKAGE}"))?
    };
    cmd!(shell, "dpkg-deb --extract {package} {unpacked}").run()?;
    // The manifest last: it stands for all.
    for file in [LIBRARY, MANIFEST] {
        let from = unpacked.join(FOLDER).join(file);
        if !from.is_file() {
            bail!(
                "expected {FOLDER}/{file} in {}, found none",
                package.display()
            );
        }
        std::fs::rename(from, folder.join(file))?;
    }
    shell.remove_path(package)?;
    Ok(shell.remove_path(unpacked)?)
}
