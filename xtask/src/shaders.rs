//! `cargo xtask shaders [--check]`: the checked-in SPIR-V and its manifest.

mod constants;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use shader_compiler::system::{self, Libshaderc, SOURCE_BUILD_TOOLS};
use shader_compiler::{Generated, Options, REPAIR_COMMAND, check};
use xshell::{Shell, cmd};

use crate::workspace;
use constants::field_constants;

// The file, not the crate: `field-kernels` embeds the compiled modules, and this
// command must run while one of them is missing.
#[allow(unreachable_pub, reason = "public in the crate that owns the file")]
#[path = "../../crates/field-kernels/src/modulus.rs"]
mod modulus;

/// Compiles all shaders under `SHADER_OPT` and `SHADER_STRICT` and rewrites the
/// manifest; with `check_only`, says what is stale instead and needs no compiler.
///
/// # Errors
///
/// Where a variable is malformed, a shader does not compile, libshaderc can be neither
/// linked nor built, or, with `check_only`, anything is stale.
pub(crate) fn run(check_only: bool) -> anyhow::Result<()> {
    let options = Options::from_env()?;
    let shell = workspace::shell()?;
    let root = shell.current_dir().join("shaders");
    let generated = [
        field_constants("fp", &modulus::MODULUS),
        field_constants("fr", &modulus::FR_MODULUS),
    ];
    if !check_only {
        for file in &generated {
            if file.write(&root)? {
                println!("wrote shaders/{}", file.path);
            }
        }
        compile(&shell, &root)?;
    }
    report_stale(&root, &generated, &options)
}

fn report_stale(root: &Path, generated: &[Generated], options: &Options) -> anyhow::Result<()> {
    let stale = check(root, generated, options)?;
    for item in &stale {
        println!("stale: {item}");
    }
    if !stale.is_empty() {
        bail!("{} stale; repair with: {REPAIR_COMMAND}", stale.len());
    }
    println!("shaders: all compiled modules are current");
    Ok(())
}

/// Runs the compiler as a command of its own, so that this one never links
/// libshaderc.
fn compile(shell: &Shell, root: &Path) -> anyhow::Result<()> {
    announce(shell, &system::probe())?;
    let started = Instant::now();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    cmd!(
        shell,
        "{cargo} run --quiet --package shader-compiler --features shaderc --bin compile-shaders -- {root}"
    )
    .quiet()
    .run()
    .context("the shaders were not compiled; what was compiled before is unchanged")?;
    println!(
        "took {:.1} s, the compiler's own build included",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Says which libshaderc is used, before the minutes that building one takes.
pub(crate) fn announce(shell: &Shell, found: &Libshaderc) -> anyhow::Result<()> {
    if let Some(remedy) = found.remedy() {
        bail!(remedy);
    }
    if let Some(library) = &found.library {
        println!(
            "libshaderc: the system's, {} {}",
            library.display(),
            found.version()
        );
        return Ok(());
    }
    let is_missing = |tool: &&str| {
        let version = cmd!(shell, "{tool} --version").quiet();
        version.ignore_stdout().ignore_stderr().run().is_err()
    };
    let missing: Vec<&str> = SOURCE_BUILD_TOOLS.into_iter().filter(is_missing).collect();
    if !missing.is_empty() {
        bail!(
            "the system has no libshaderc, and building it from source needs: {}. Install them, \
             or on Debian and Ubuntu the packages {}",
            missing.join(", "),
            system::DEBIAN_PACKAGES
        );
    }
    println!(
        "libshaderc: none on this system; the first build compiles it from source, about 9 minutes"
    );
    Ok(())
}
