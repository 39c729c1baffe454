//! What a source includes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::source::{beside, read_text};
use crate::{Error, Result};

const INCLUDE_DIR: &str = "include";

/// Where an include leads: beside the including file, else in the include folder.
/// Both paths are below the root. The compiler and the hash share this function.
pub(crate) fn resolve_include(root: &Path, from: &str, wanted: &str) -> Result<String> {
    [beside(from, wanted), format!("{INCLUDE_DIR}/{wanted}")]
        .into_iter()
        .find(|candidate| root.join(candidate).is_file())
        .ok_or_else(|| Error::IncludeNotFound {
            from: from.to_owned(),
            wanted: wanted.to_owned(),
        })
}

/// Follows `#include` lines. A file that is already known is not entered again, so
/// mutual includes end.
pub(crate) fn collect_includes(
    root: &Path,
    from: &str,
    text: &str,
    found: &mut BTreeMap<String, String>,
) -> Result<()> {
    for (index, line) in text.lines().enumerate() {
        let Some(argument) = include_argument(line) else {
            continue;
        };
        let wanted = quoted(argument).ok_or_else(|| Error::BadLine {
            from: from.to_owned(),
            line: index + 1,
            expected: "#include \"file\"",
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

#[cfg(test)]
mod tests {
    use super::*;

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
