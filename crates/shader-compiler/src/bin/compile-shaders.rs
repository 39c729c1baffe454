//! Compiles the shader root given as the only argument, under `SHADER_OPT` and
//! `SHADER_STRICT`, and rewrites its compiled modules and manifest.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use shader_compiler::{COMPILED_DIR, Options, Scope, compile_all, write_all};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do if the terminal is gone.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(root), None) = (arguments.next(), arguments.next()) else {
        bail!("usage: compile-shaders SHADER_ROOT");
    };
    let root = PathBuf::from(root);
    let options = Options::from_env()?;
    let started = Instant::now();
    let report = compile_all(&root, Scope::All, &options)?;
    write_all(&report, &root.join(COMPILED_DIR))?;

    let mut out = std::io::stdout().lock();
    for warning in &report.warnings {
        writeln!(out, "warning: {}:\n{}", warning.kernel, warning.log.trim())?;
    }
    writeln!(
        out,
        "compiled {} kernels with {} {} (optimization {}) in {} ms",
        report.compiled.len(),
        report.manifest.compiler.name,
        report.manifest.compiler.version,
        options.opt_level.name(),
        started.elapsed().as_millis(),
    )?;
    Ok(())
}
