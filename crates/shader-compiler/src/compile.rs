//! Compiling with libshaderc (feature `shaderc`).

use std::fs;
use std::path::Path;

use anyhow::{anyhow, bail};
use shaderc::{
    CompileOptions, Compiler, EnvVersion, IncludeType, OptimizationLevel, ResolvedInclude,
    ShaderKind, SpirvVersion, TargetEnv,
};

use crate::check::unlisted;
use crate::include::resolve_include;
use crate::manifest::KernelRecord;
use crate::source::cannot;
use crate::{Manifest, OptLevel, Options, Scope, Source, discover, sha256_hex};

/// Deeper than any sensible include chain, shallower than the compiler's stack.
const MAX_INCLUDE_DEPTH: usize = 64;

/// Everything that one run compiled, in memory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The modules, in the order of [`discover`].
    pub compiled: Vec<Compiled>,
    /// What the compiler warned of; empty under `SHADER_STRICT=1`, where a warning
    /// is an error.
    pub warnings: Vec<Warning>,
    /// The record of it.
    pub manifest: Manifest,
}

/// One compiled kernel.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Compiled {
    /// What it was compiled from.
    pub source: Source,
    /// The module: little-endian 32-bit words.
    pub spirv: Vec<u8>,
}

/// The compiler's warnings about one kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The kernel's source, relative to the shader root, and its variant.
    pub kernel: String,
    /// The compiler's messages.
    pub log: String,
}

/// Compiles every kernel of the shader root. Writes nothing, so a kernel that fails
/// leaves what was compiled before untouched.
///
/// # Errors
///
/// As [`discover`], for a kernel that does not compile, or under strict with warnings, and
/// where the compiler cannot be started.
pub fn compile_all(root: &Path, scope: Scope, options: &Options) -> anyhow::Result<Report> {
    let compiler = Compiler::new().map_err(no_compiler)?;
    let mut report = Report {
        compiled: Vec::new(),
        warnings: Vec::new(),
        manifest: Manifest::new("shaderc", env!("LIBSHADERC_VERSION"), options),
    };
    for source in discover(root, scope)? {
        let (spirv, log) = compile(&compiler, root, &source, options)?;
        if let Some(log) = log {
            let kernel = label(&source);
            if options.strict {
                bail!(
                    "{kernel} compiles with warnings, which SHADER_STRICT=1 makes errors:\n{log}"
                );
            }
            report.warnings.push(Warning { kernel, log });
        }
        report.manifest.kernels.push(record(&source, &spirv));
        report.compiled.push(Compiled { source, spirv });
    }
    Ok(report)
}

/// Writes the modules and the manifest into a folder of compiled modules, and
/// removes modules there that the manifest does not list.
///
/// # Errors
///
/// For the first file that cannot be written or removed.
pub fn write_all(report: &Report, compiled_dir: &Path) -> anyhow::Result<()> {
    for kernel in &report.compiled {
        let path = compiled_dir.join(kernel.source.spirv_file());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(cannot("create", folder))?;
        }
        fs::write(&path, &kernel.spirv).map_err(cannot("write", &path))?;
    }
    for file in unlisted(compiled_dir, &report.manifest)? {
        let path = compiled_dir.join(file);
        fs::remove_file(&path).map_err(cannot("remove", &path))?;
    }
    report.manifest.write(compiled_dir)
}

/// One kernel: its module, and the warnings if there were any.
fn compile(
    compiler: &Compiler,
    root: &Path,
    source: &Source,
    options: &Options,
) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    let mut settings = CompileOptions::new().map_err(no_compiler)?;
    settings.set_target_env(TargetEnv::Vulkan, EnvVersion::Vulkan1_1 as u32);
    settings.set_target_spirv(SpirvVersion::V1_3);
    settings.set_optimization_level(optimization(source, options));
    for define in &source.defines {
        match define.split_once('=') {
            Some((name, value)) => settings.add_macro_definition(name, Some(value)),
            None => settings.add_macro_definition(define, None),
        }
    }
    settings.set_include_callback(|wanted, kind, from, depth| {
        include(root, source, wanted, kind, from, depth)
    });
    let artifact = compiler
        .compile_into_spirv(
            &source.text,
            ShaderKind::Compute,
            &source.path,
            "main",
            Some(&settings),
        )
        .map_err(|log| anyhow!("{} does not compile:\n{log}", label(source)))?;
    let log = (artifact.get_num_warnings() > 0).then(|| artifact.get_warning_messages());
    Ok((artifact.as_binary_u8().to_vec(), log))
}

/// Functions stay functions, and keep their names, at level zero alone: it runs no
/// optimiser, which inlines the ones and strips the others. Debug information is not
/// needed for that, and would put the whole source into the module.
fn optimization(source: &Source, options: &Options) -> OptimizationLevel {
    if source.keep_functions {
        return OptimizationLevel::Zero;
    }
    match options.opt_level {
        OptLevel::Zero => OptimizationLevel::Zero,
        OptLevel::Size => OptimizationLevel::Size,
        OptLevel::Performance => OptimizationLevel::Performance,
    }
}

/// What messages call a kernel: its source, and the variant where it is one.
fn label(source: &Source) -> String {
    match source.defines[..] {
        [] => source.path.clone(),
        _ => format!("{} (variant {})", source.path, source.name),
    }
}

/// Serves an include out of what was hashed, so that both see the same text.
fn include(
    root: &Path,
    source: &Source,
    wanted: &str,
    kind: IncludeType,
    from: &str,
    depth: usize,
) -> Result<ResolvedInclude, String> {
    if !matches!(kind, IncludeType::Relative) {
        return Err(format!("expected #include \"{wanted}\" with quotes"));
    }
    if depth > MAX_INCLUDE_DEPTH {
        return Err(format!("includes nested deeper than {MAX_INCLUDE_DEPTH}"));
    }
    let path = resolve_include(root, from, wanted).map_err(|error| error.to_string())?;
    let content = source
        .includes
        .get(&path)
        .ok_or_else(|| format!("{path} is included by no plain #include line"))?;
    Ok(ResolvedInclude {
        resolved_name: path,
        content: content.clone(),
    })
}

fn record(source: &Source, spirv: &[u8]) -> KernelRecord {
    KernelRecord {
        name: source.name.clone(),
        source: source.path.clone(),
        includes: source.includes.keys().cloned().collect(),
        defines: source.defines.clone(),
        keep_functions: source.keep_functions,
        source_sha256: source.sha256(),
        spirv: source.spirv_file(),
        spirv_sha256: sha256_hex(spirv),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "signature of map_err")]
fn no_compiler(reason: shaderc::Error) -> anyhow::Error {
    anyhow!("libshaderc could not be initialised: {reason}")
}
