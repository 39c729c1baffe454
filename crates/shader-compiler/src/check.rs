//! What is stale in a shader root, found without a compiler.

use std::collections::BTreeSet;
use std::path::Path;

use crate::manifest::KernelRecord;
use crate::source::{COMPILED_DIR, cannot, list};
use crate::{Generated, Manifest, Options, OptionsRecord, Scope, Source, discover};
use crate::{MANIFEST_FILE, sha256_hex};

/// The command that makes everything current, whatever is stale.
pub const REPAIR_COMMAND: &str = "cargo xtask shaders";

/// Everything in the shader root that is stale, in the order a reader would repair
/// it, each as `WHAT: REASON`; empty when all is current. [`REPAIR_COMMAND`] repairs each.
///
/// `generated` are the root's generated files; `options` the ones the modules
/// should have been compiled with (strictness does not change a module).
///
/// # Errors
///
/// Where the root cannot be read or its manifest is malformed; stale is no error.
pub fn check(
    root: &Path,
    generated: &[Generated],
    options: &Options,
) -> anyhow::Result<Vec<String>> {
    let mut stale = Vec::new();
    for file in generated.iter().filter(|file| !file.is_current(root)) {
        stale.push(format!("{}: generated include out of date", file.path));
    }
    let compiled_dir = root.join(COMPILED_DIR);
    let manifest_path = format!("{COMPILED_DIR}/{MANIFEST_FILE}");
    let Some(manifest) = Manifest::read(&compiled_dir)? else {
        stale.push(format!("{manifest_path}: missing"));
        return Ok(stale);
    };
    let describe = |record: &OptionsRecord| {
        format!(
            "optimization {}, target {}, SPIR-V {}",
            record.optimization, record.target_env, record.spirv
        )
    };
    let found = describe(&manifest.options);
    let expected = describe(&OptionsRecord::from(options));
    if found != expected {
        stale.push(format!(
            "{manifest_path}: compiled with {found}, asked for {expected}"
        ));
    }
    let sources = discover(root, Scope::All)?;
    for source in &sources {
        let reason = match manifest.kernel(&source.name) {
            None => Some("source never compiled (no manifest row)".to_owned()),
            Some(record) => stale_module(&compiled_dir, source, record)?,
        };
        stale.extend(reason.map(|reason| format!("{}: {reason}", source.name)));
    }
    for KernelRecord { name, .. } in &manifest.kernels {
        if !sources.iter().any(|source| source.name == *name) {
            stale.push(format!(
                "{name}: in the manifest, but its source or variant is gone"
            ));
        }
    }
    for path in unlisted(&compiled_dir, &manifest)? {
        stale.push(format!(
            "{COMPILED_DIR}/{path}: compiled module of no kernel in the manifest"
        ));
    }
    Ok(stale)
}

/// Modules in the folder that no row of the manifest names, sorted.
pub(crate) fn unlisted(compiled_dir: &Path, manifest: &Manifest) -> anyhow::Result<Vec<String>> {
    let listed: BTreeSet<&str> = manifest.kernels.iter().map(|row| &*row.spirv).collect();
    let mut found = list(compiled_dir, "", "spv")?;
    if compiled_dir.join("tests").is_dir() {
        found.extend(list(compiled_dir, "tests/", "spv")?);
    }
    found.retain(|path| !listed.contains(path.as_str()));
    Ok(found)
}

/// Why a module is not what its source and its row say, if it is not.
fn stale_module(
    compiled_dir: &Path,
    source: &Source,
    record: &KernelRecord,
) -> anyhow::Result<Option<String>> {
    let differs = |what: &str, recorded: &String, found: String| {
        let differ = found != *recorded;
        differ.then(|| format!("{what} (sha256 recorded {recorded}, found {found})"))
    };
    let changed = "source or an include changed since it was compiled";
    if let Some(reason) = differs(changed, &record.source_sha256, source.sha256()) {
        return Ok(Some(reason));
    }
    let path = compiled_dir.join(&record.spirv);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Some("compiled module missing".to_owned()));
        }
        Err(cause) => return Err(cannot("read", &path)(cause)),
    };
    let other = "compiled module is not the recorded one";
    Ok(differs(other, &record.spirv_sha256, sha256_hex(&bytes)))
}
