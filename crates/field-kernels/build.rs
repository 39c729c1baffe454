//! Chooses the modules that the crate embeds: the checked-in ones, or, with the
//! feature `shader-compile`, ones compiled now.

use std::error::Error;
use std::path::{Path, PathBuf};

/// Where the shader root may be: inside the package, as a link in the workspace and
/// as a folder in a published package, else, where the checkout made no link, in the
/// workspace.
const CANDIDATES: [&str; 2] = ["shaders", "../../shaders"];

fn main() {
    // Through cargo, which shows an error as it reads; one that is returned is shown
    // as Debug prints it.
    if let Err(error) = run() {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let package = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = CANDIDATES
        .iter()
        .map(|candidate| package.join(candidate))
        .find(|root| root.join("compiled").is_dir())
        .ok_or_else(|| {
            format!(
                "no shader root with a folder `compiled`; looked for {} in the package",
                CANDIDATES.join(" and ")
            )
        })?;
    println!("cargo::rerun-if-changed={}", root.display());
    let checked_in = root.join("compiled");
    println!(
        "cargo::rustc-env=FIELD_KERNELS_CHECKED_IN_DIR={}",
        checked_in.display()
    );
    let embedded = embedded_dir(&root, checked_in)?;
    println!(
        "cargo::rustc-env=FIELD_KERNELS_EMBEDDED_DIR={}",
        embedded.display()
    );
    Ok(())
}

#[cfg(not(feature = "shader-compile"))]
#[expect(clippy::unnecessary_wraps, reason = "the other feature's signature")]
fn embedded_dir(_root: &Path, checked_in: PathBuf) -> Result<PathBuf, Box<dyn Error>> {
    Ok(checked_in)
}

#[cfg(feature = "shader-compile")]
fn embedded_dir(root: &Path, checked_in: PathBuf) -> Result<PathBuf, Box<dyn Error>> {
    use shader_compiler::{Options, Scope, compile_all, write_all};

    // Clippy, which says so, looks at no module, and all of them take a minute and a half.
    if std::env::var_os("CLIPPY_ARGS").is_some() {
        return Ok(checked_in);
    }
    for name in Options::VARIABLES {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("compiled");
    let report = compile_all(root, Scope::Product, &Options::from_env()?)?;
    for warning in &report.warnings {
        for line in warning.log.lines() {
            println!("cargo::warning={line}");
        }
    }
    write_all(&report, &out)?;
    Ok(out)
}
