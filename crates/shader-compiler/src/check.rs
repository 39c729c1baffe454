//! What is stale in a shader root, found without a compiler.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::manifest::KernelRecord;
use crate::source::{COMPILED_DIR, list};
use crate::{Error, Generated, Manifest, Options, OptionsRecord, Result, Scope, Source, discover};
use crate::{MANIFEST_FILE, sha256_hex};

/// The command that makes everything current, whatever is stale.
pub const REPAIR_COMMAND: &str = "cargo xtask shaders";

/// One file that is not what its sources, or the manifest, say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stale {
    /// The kernel's name, or the file's path below the shader root.
    pub what: String,
    /// Why.
    pub reason: Reason,
}

/// Why something is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no manifest.
    ManifestMissing,
    /// The modules were compiled with other options than those asked for.
    OptionsDiffer {
        /// What the manifest records.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// A generated include is missing or does not hold what it must.
    GeneratedOutOfDate,
    /// The source, or a file it includes, is not the one that was compiled.
    SourceChanged {
        /// The hash in the manifest.
        recorded: String,
        /// The hash of the source now.
        found: String,
    },
    /// The kernel has no row in the manifest.
    NotInManifest,
    /// The manifest has a row whose source, or whose variant of it, does not exist.
    SourceMissing,
    /// The compiled module does not exist.
    SpirvMissing,
    /// The compiled module is not the one that was recorded.
    SpirvDiffers {
        /// The hash in the manifest.
        recorded: String,
        /// The hash of the module now.
        found: String,
    },
    /// A compiled module that no kernel of the manifest owns.
    Unlisted,
}

impl fmt::Display for Stale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.what)?;
        match &self.reason {
            Reason::ManifestMissing => write!(formatter, "missing"),
            Reason::OptionsDiffer { found, expected } => {
                write!(formatter, "compiled with {found}, asked for {expected}")
            }
            Reason::GeneratedOutOfDate => write!(formatter, "generated include out of date"),
            Reason::SourceChanged { recorded, found } => write!(
                formatter,
                "source or an include changed since it was compiled \
                 (sha256 recorded {recorded}, found {found})"
            ),
            Reason::NotInManifest => write!(formatter, "source never compiled (no manifest row)"),
            Reason::SourceMissing => write!(
                formatter,
                "in the manifest, but its source or variant is gone"
            ),
            Reason::SpirvMissing => write!(formatter, "compiled module missing"),
            Reason::SpirvDiffers { recorded, found } => write!(
                formatter,
                "compiled module is not the recorded one \
                 (sha256 recorded {recorded}, found {found})"
            ),
            Reason::Unlisted => write!(formatter, "compiled module of no kernel in the manifest"),
        }
    }
}

/// Everything in the shader root that is stale, in the order a reader would repair
/// it; empty when all is current. [`REPAIR_COMMAND`] repairs each.
///
/// `generated` are the root's generated files; `options` the ones the modules
/// should have been compiled with (strictness does not change a module).
///
/// # Errors
///
/// Where the root cannot be read or its manifest is malformed; stale is no error.
pub fn check(root: &Path, generated: &[Generated], options: &Options) -> Result<Vec<Stale>> {
    let mut stale = Vec::new();
    let mut note = |what: &str, reason| {
        stale.push(Stale {
            what: what.to_owned(),
            reason,
        });
    };
    for file in generated.iter().filter(|file| !file.is_current(root)) {
        note(&file.path, Reason::GeneratedOutOfDate);
    }
    let compiled_dir = root.join(COMPILED_DIR);
    let manifest_path = format!("{COMPILED_DIR}/{MANIFEST_FILE}");
    let Some(manifest) = Manifest::read(&compiled_dir)? else {
        note(&manifest_path, Reason::ManifestMissing);
        return Ok(stale);
    };
    if let Some(reason) = options_differ(&manifest, options) {
        note(&manifest_path, reason);
    }
    let sources = discover(root, Scope::All)?;
    for source in &sources {
        match manifest.kernel(&source.name) {
            None => note(&source.name, Reason::NotInManifest),
            Some(record) => {
                if let Some(reason) = kernel_stale(&compiled_dir, source, record)? {
                    note(&source.name, reason);
                }
            }
        }
    }
    for record in &manifest.kernels {
        if !sources.iter().any(|source| source.name == record.name) {
            note(&record.name, Reason::SourceMissing);
        }
    }
    for path in unlisted(&compiled_dir, &manifest)? {
        note(&format!("{COMPILED_DIR}/{path}"), Reason::Unlisted);
    }
    Ok(stale)
}

/// Modules in the folder that no row of the manifest names, sorted.
pub(crate) fn unlisted(compiled_dir: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let listed: BTreeSet<&str> = manifest.kernels.iter().map(|row| &*row.spirv).collect();
    let mut found = list(compiled_dir, "", "spv")?;
    if compiled_dir.join("tests").is_dir() {
        found.extend(list(compiled_dir, "tests/", "spv")?);
    }
    found.retain(|path| !listed.contains(path.as_str()));
    Ok(found)
}

fn options_differ(manifest: &Manifest, options: &Options) -> Option<Reason> {
    let describe = |record: &OptionsRecord| {
        format!(
            "optimization {}, target {}, SPIR-V {}",
            record.optimization, record.target_env, record.spirv
        )
    };
    let found = describe(&manifest.options);
    let expected = describe(&OptionsRecord::from(options));
    (found != expected).then_some(Reason::OptionsDiffer { found, expected })
}

fn kernel_stale(
    compiled_dir: &Path,
    source: &Source,
    record: &KernelRecord,
) -> Result<Option<Reason>> {
    let found = source.sha256();
    if found != record.source_sha256 {
        return Ok(Some(Reason::SourceChanged {
            recorded: record.source_sha256.clone(),
            found,
        }));
    }
    let path = compiled_dir.join(&record.spirv);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Some(Reason::SpirvMissing));
        }
        Err(cause) => return Err(Error::io("read", &path)(cause)),
    };
    let found = sha256_hex(&bytes);
    Ok(
        (found != record.spirv_sha256).then(|| Reason::SpirvDiffers {
            recorded: record.spirv_sha256.clone(),
            found,
        }),
    )
}
