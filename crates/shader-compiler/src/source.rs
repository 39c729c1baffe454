//! Kernel sources, what they include, and the hash over both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The folder of compiled modules inside a shader root.
pub const COMPILED_DIR: &str = "compiled";

const INCLUDE_DIR: &str = "include";
const TEST_DIR: &str = "tests";

/// Which kernels of a shader root are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those directly in the root.
    Product,
    /// Also those in `tests/`.
    All,
}

/// A kernel's source with everything it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The path below the root without its extension: `bls12_381_field_add`,
    /// `tests/field_sub`.
    pub name: String,
    /// The path below the root: `tests/field_sub.comp`.
    pub path: String,
    /// The source text, line endings normalised to `\n`.
    pub text: String,
    /// Included files, also through other includes: path below the root to text.
    pub includes: BTreeMap<String, String>,
}

impl Source {
    /// SHA-256 over the source and its includes, as lower-case hex.
    ///
    /// Hashed are, file after file, the path below the root, `\n`, the text's
    /// length in bytes as decimal, `\n`, and the text with `\r\n` as `\n`: first
    /// the kernel, then each included file once, sorted by path. So neither the
    /// order of includes nor a checkout's line endings matter, and every other
    /// change does.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        let files = std::iter::once((&self.path, &self.text)).chain(&self.includes);
        for (path, text) in files {
            hasher.update(format!("{path}\n{}\n{text}", text.len()));
        }
        hex(&hasher.finalize())
    }

    /// The compiled module's path below the folder of compiled modules.
    #[must_use]
    pub fn spirv_file(&self) -> String {
        format!("{}.spv", self.name)
    }
}

/// Finds and reads the kernels of the shader root, sorted by name, product kernels
/// before test kernels.
///
/// # Errors
///
/// [`Error::NoKernels`] where there are none, [`Error::IncludeNotFound`] and
/// [`Error::BadInclude`] for includes, [`Error::Io`] for files.
pub fn discover(root: &Path, scope: Scope) -> Result<Vec<Source>> {
    let mut paths = list(root, "", "comp")?;
    if paths.is_empty() {
        return Err(Error::NoKernels {
            root: root.to_owned(),
        });
    }
    if scope == Scope::All && root.join(TEST_DIR).is_dir() {
        paths.extend(list(root, "tests/", "comp")?);
    }
    paths.into_iter().map(|path| read(root, path)).collect()
}

/// SHA-256 of bytes, as lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The files in `root/prefix` with this extension, as sorted paths below the root.
/// `prefix` is empty or ends in a slash.
pub(crate) fn list(root: &Path, prefix: &str, extension: &str) -> Result<Vec<String>> {
    let folder = root.join(prefix);
    let entries = fs::read_dir(&folder).map_err(Error::io("list", &folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("list", &folder))?.path();
        let wanted = path.extension().is_some_and(|found| found == extension);
        if let (true, Some(name)) = (wanted, path.file_name().and_then(|name| name.to_str())) {
            paths.push(format!("{prefix}{name}"));
        }
    }
    paths.sort();
    Ok(paths)
}

/// Where an include leads: beside the including file, else in the include folder.
/// Both paths are below the root. The compiler and the hash share this function.
pub(crate) fn resolve_include(root: &Path, from: &str, wanted: &str) -> Result<String> {
    let beside = match from.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{wanted}"),
        None => wanted.to_owned(),
    };
    [beside, format!("{INCLUDE_DIR}/{wanted}")]
        .into_iter()
        .find(|candidate| root.join(candidate).is_file())
        .ok_or_else(|| Error::IncludeNotFound {
            from: from.to_owned(),
            wanted: wanted.to_owned(),
        })
}

/// A text file with its line endings normalised.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    Ok(text.replace("\r\n", "\n"))
}

fn read(root: &Path, path: String) -> Result<Source> {
    let text = read_text(&root.join(&path))?;
    let mut includes = BTreeMap::new();
    collect_includes(root, &path, &text, &mut includes)?;
    Ok(Source {
        name: PathBuf::from(&path)
            .with_extension("")
            .to_string_lossy()
            .into_owned(),
        path,
        text,
        includes,
    })
}

/// Follows `#include` lines. A file that is already known is not entered again, so
/// mutual includes end.
fn collect_includes(
    root: &Path,
    from: &str,
    text: &str,
    found: &mut BTreeMap<String, String>,
) -> Result<()> {
    for (index, line) in text.lines().enumerate() {
        let Some(argument) = include_argument(line) else {
            continue;
        };
        let wanted = quoted(argument).ok_or_else(|| Error::BadInclude {
            from: from.to_owned(),
            line: index + 1,
            text: line.to_owned(),
        })?;
        let path = resolve_include(root, from, wanted)?;
        if !found.contains_key(&path) {
            let text = read_text(&root.join(&path))?;
            found.insert(path.clone(), text.clone());
            collect_includes(root, &path, &text, found)?;
        }
    }
    Ok(())
}

fn include_argument(line: &str) -> Option<&str> {
    let directive = line.trim_start().strip_prefix('#')?.trim_start();
    directive.strip_prefix("include")
}

fn quoted(argument: &str) -> Option<&str> {
    let (name, _) = argument.trim_start().strip_prefix('"')?.split_once('"')?;
    (!name.is_empty()).then_some(name)
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
    fn include_lines_are_recognised() {
        for line in ["#include \"a.glsl\"", "  #  include \"a.glsl\" // why"] {
            assert_eq!(include_argument(line).and_then(quoted), Some("a.glsl"));
        }
        assert_eq!(include_argument("// #include \"a.glsl\""), None);
        assert_eq!(quoted(" <a.glsl>"), None);
        assert_eq!(quoted(" \"\""), None);
    }
}
