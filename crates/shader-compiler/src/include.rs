//! What a source includes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use crate::source::{beside, read_text};

const INCLUDE_DIR: &str = "include";

/// Where an include leads: beside the including file, else in the include folder.
/// Both paths are below the root. The compiler and the hash share this function.
pub(crate) fn resolve_include(root: &Path, from: &str, wanted: &str) -> anyhow::Result<String> {
    [beside(from, wanted), format!("{INCLUDE_DIR}/{wanted}")]
        .into_iter()
        .find(|candidate| root.join(candidate).is_file())
        .with_context(|| {
            format!("{from} includes {wanted:?}, which is neither beside it nor in include/")
        })
}

/// Follows `#include` lines. A file that is already known is not entered again, so
/// mutual includes end.
pub(crate) fn collect_includes(
    root: &Path,
    from: &str,
    text: &str,
    found: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    for (index, line) in text.lines().enumerate() {
        let Some(argument) = include_argument(line) else {
            continue;
        };
        let wanted = quoted(argument).with_context(|| {
            let number = index + 1;
            format!("{from}:{number}: expected #include \"file\", found {line:?}")
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
