//! Kernel sources, what they include, and the hash over both.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use sha2::{Digest, Sha256};

use crate::include::collect_includes;
use crate::variant::{Variant, keeps_functions, variants};

/// The folder of compiled modules inside a shader root.
pub const COMPILED_DIR: &str = "compiled";

const TEST_DIR: &str = "tests";

/// Which kernels of a shader root are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those directly in the root.
    Product,
    /// Also those in `tests/`.
    All,
}

/// What one module is compiled from: a kernel's source with everything it includes,
/// and what it defines as which variant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The module's name: the path below the root without its extension
    /// (`bls12_381_field_add`, `tests/field_sub`), or, of a variant, the name that its
    /// line gives it in place of the file's.
    pub name: String,
    /// The path below the root: `tests/field_sub.comp`.
    pub path: String,
    /// The source text, line endings normalised to `\n`.
    pub text: String,
    /// Included files, also through other includes: path below the root to text.
    pub includes: BTreeMap<String, String>,
    /// The macros that this variant defines, each as `NAME` or `NAME=VALUE`; none where the
    /// source has no variants.
    pub defines: Vec<String>,
    /// Whether its functions stay functions, with their names: they are linked at run
    /// time.
    pub keep_functions: bool,
}

impl Source {
    /// SHA-256 over the source and its includes, as lower-case hex.
    ///
    /// Hashed are, file after file, the path below the root, `\n`, the text's
    /// length in bytes as decimal, `\n`, and the text with `\r\n` as `\n`: first
    /// the kernel, then each included file once, sorted by path. So neither the
    /// order of includes nor a checkout's line endings matter, and every other
    /// change does. For a variant there follows `// variant: `, its name, ` = `, its
    /// defines with single spaces between them, and `\n`.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        let files = std::iter::once((&self.path, &self.text)).chain(&self.includes);
        for (path, text) in files {
            hasher.update(format!("{path}\n{}\n{text}", text.len()));
        }
        if !self.defines.is_empty() {
            // No path below the root begins like this.
            let defines = self.defines.join(" ");
            hasher.update(format!("// variant: {} = {defines}\n", self.name));
        }
        hex(&hasher.finalize())
    }

    /// The compiled module's path below the folder of compiled modules.
    #[must_use]
    pub fn spirv_file(&self) -> String {
        format!("{}.spv", self.name)
    }
}

/// Finds and reads the kernels of the shader root, one for each module, sorted by name,
/// product kernels before test kernels.
///
/// # Errors
///
/// Where there are none; for lines of includes and variants that say nothing, or name what is
/// not there or what another has; for files.
pub fn discover(root: &Path, scope: Scope) -> anyhow::Result<Vec<Source>> {
    let product = list(root, "", "comp")?;
    if product.is_empty() {
        bail!(
            "no *.comp file in {}: expected the folder of the shader sources",
            root.display()
        );
    }
    let mut sources = read_all(root, product)?;
    if scope == Scope::All && root.join(TEST_DIR).is_dir() {
        sources.extend(read_all(root, list(root, "tests/", "comp")?)?);
    }
    Ok(sources)
}

/// SHA-256 of bytes, as lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// For `map_err`: an error that says what the system said about `path`.
pub(crate) fn cannot(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> anyhow::Error {
    move |cause| anyhow!("cannot {action} {}: {cause}", path.display())
}

/// The files in `root/prefix` with this extension, as sorted paths below the root.
/// `prefix` is empty or ends in a slash.
pub(crate) fn list(root: &Path, prefix: &str, extension: &str) -> anyhow::Result<Vec<String>> {
    let folder = root.join(prefix);
    let entries = fs::read_dir(&folder).map_err(cannot("list", &folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(cannot("list", &folder))?.path();
        let wanted = path.extension().is_some_and(|found| found == extension);
        if let (true, Some(name)) = (wanted, path.file_name().and_then(|name| name.to_str())) {
            paths.push(format!("{prefix}{name}"));
        }
    }
    paths.sort();
    Ok(paths)
}

/// A text file with its line endings normalised.
pub(crate) fn read_text(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).map_err(cannot("read", path))?;
    Ok(text.replace("\r\n", "\n"))
}

/// The modules of these sources, which lie in one folder, sorted by name.
fn read_all(root: &Path, paths: Vec<String>) -> anyhow::Result<Vec<Source>> {
    let mut found: BTreeMap<String, (String, Source)> = BTreeMap::new();
    for path in paths {
        for (place, source) in read(root, path)? {
            match found.entry(source.name.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert((place, source));
                }
                Entry::Occupied(entry) => {
                    let (module, first) = (source.name, &entry.get().0);
                    bail!(
                        "{place}: expected a module name of its own, found {module:?}, which {first} has"
                    );
                }
            }
        }
    }
    Ok(found.into_values().map(|(_, source)| source).collect())
}

/// The modules of one source, each with the place that names it: `k.comp`, or
/// `k.comp:3` for a variant.
fn read(root: &Path, path: String) -> anyhow::Result<Vec<(String, Source)>> {
    let text = read_text(&root.join(&path))?;
    let mut includes = BTreeMap::new();
    collect_includes(root, &path, &text, &mut includes)?;
    let variants = variants(&path, &text)?;
    let plain = Source {
        name: PathBuf::from(&path)
            .with_extension("")
            .to_string_lossy()
            .into_owned(),
        keep_functions: keeps_functions(&text, &path),
        path,
        text,
        includes,
        defines: Vec::new(),
    };
    if variants.is_empty() {
        return Ok(vec![(plain.path.clone(), plain)]);
    }
    let with = |variant: Variant| {
        let source = Source {
            name: beside(&plain.path, &variant.module),
            keep_functions: keeps_functions(&plain.text, &variant.module),
            defines: variant.defines,
            ..plain.clone()
        };
        (format!("{}:{}", plain.path, variant.line), source)
    };
    Ok(variants.into_iter().map(with).collect())
}

/// The path of `name` in the folder of `path`.
pub(crate) fn beside(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str, includes: &[(&str, &str)]) -> Source {
        Source {
            name: "k".to_owned(),
            path: "k.comp".to_owned(),
            text: text.to_owned(),
            includes: includes
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
            defines: Vec::new(),
            keep_functions: false,
        }
    }

    #[test]
    fn the_hash_of_nothing_is_the_published_one() {
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        let source = source("void", &[("include/a.glsl", "x\n")]);
        assert_eq!(
            source.sha256(),
            sha256_hex(b"k.comp\n4\nvoidinclude/a.glsl\n2\nx\n")
        );
    }

    #[test]
    fn text_moved_between_files_changes_the_hash() {
        let one = source("ab", &[("include/a.glsl", "c")]);
        let two = source("a", &[("include/a.glsl", "bc")]);
        assert_ne!(one.sha256(), two.sha256());
    }

    #[test]
    fn the_hash_of_a_variant_is_the_documented_one() {
        let mut source = source("void", &[]);
        source.defines = variants("k.comp", "// variant: k = A  B=2\n").unwrap()[0]
            .defines
            .clone();
        assert_eq!(
            source.sha256(),
            sha256_hex(b"k.comp\n4\nvoid// variant: k = A B=2\n")
        );
    }
}
