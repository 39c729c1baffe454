//! The lines of a source that say how it is compiled.
//!
//! ```text
//! // variant: MODULE = DEFINE [DEFINE=VALUE ...]
//! // keep functions [of PREFIX]
//! ```
//!
//! A source with lines of the first kind is compiled once for each of them, to a module
//! of that name with those macros defined, in place of a module of the file's name. They
//! count in kernels alone, not in what these include.

use anyhow::anyhow;

const KEEP_FUNCTIONS: &str = "// keep functions";

const GRAMMAR: &str = "// variant: MODULE = DEFINE [DEFINE=VALUE ...]";

/// One variant line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// The module's name, without a folder.
    pub(crate) module: String,
    /// One at least, each as `NAME` or `NAME=VALUE`, each name once.
    pub(crate) defines: Vec<String>,
    /// Where it stands, counted from 1.
    pub(crate) line: usize,
}

/// The variants of a source, in their order there; none where it has no such line.
pub(crate) fn variants(path: &str, text: &str) -> anyhow::Result<Vec<Variant>> {
    let mut found = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let Some(rest) = after_variant(text) else {
            continue;
        };
        let line = index + 1;
        let (module, defines) = parse(rest)
            .map_err(|expected| anyhow!("{path}:{line}: expected {expected}, found {text:?}"))?;
        found.push(Variant {
            module,
            defines,
            line,
        });
    }
    Ok(found)
}

/// Whether the source asks that the functions of a module stay functions: of all, or of
/// those whose names begin so.
pub(crate) fn keeps_functions(text: &str, module: &str) -> bool {
    let asked = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(KEEP_FUNCTIONS));
    asked
        .map(|of| of.strip_prefix(" of ").unwrap_or(of))
        .any(|prefix| module.starts_with(prefix))
}

/// What follows the colon, where the line is one of a variant, well-formed or not.
fn after_variant(line: &str) -> Option<&str> {
    let comment = line.trim_start().strip_prefix("//")?.trim_start();
    let rest = comment.strip_prefix("variant")?.trim_start();
    rest.strip_prefix(':')
}

/// Module and defines, or what was expected.
fn parse(rest: &str) -> Result<(String, Vec<String>), &'static str> {
    let (module, list) = rest.split_once('=').ok_or(GRAMMAR)?;
    let module = module.trim();
    let mut names = Vec::new();
    for define in list.split_whitespace() {
        let (name, value) = define.split_once('=').unwrap_or((define, "1"));
        let starts_with_digit = name.starts_with(|first: char| first.is_ascii_digit());
        if !is_word(name) || starts_with_digit || value.is_empty() {
            return Err(GRAMMAR);
        }
        if names.contains(&name) {
            return Err("each macro once");
        }
        names.push(name);
    }
    if !is_word(module) || names.is_empty() {
        return Err(GRAMMAR);
    }
    let defines = list.split_whitespace().map(str::to_owned).collect();
    Ok((module.to_owned(), defines))
}

fn is_word(text: &str) -> bool {
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '_';
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        variants("k.comp", text).unwrap_err().to_string()
    }

    #[test]
    fn lines_become_variants_in_their_order() {
        let found = variants(
            "k.comp",
            "#version 460\n// variant: k_b = A B=2\n  //variant :k_a=C=x==1\n",
        )
        .unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|variant| (&*variant.module, variant.defines.join(" "), variant.line))
            .collect();
        let expected = [
            ("k_b", "A B=2".to_owned(), 2),
            ("k_a", "C=x==1".to_owned(), 3),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn prose_is_no_variant() {
        for line in [
            "// variants: two",
            "// A variant: x",
            "// variant of k",
            "variant: k = A",
        ] {
            assert_eq!(variants("k.comp", line).unwrap(), [], "{line}");
        }
    }

    #[test]
    fn what_is_malformed_is_named_with_what_was_expected() {
        assert_eq!(
            error("\n// variant: k_b\n"),
            "k.comp:2: expected // variant: MODULE = DEFINE [DEFINE=VALUE ...], \
             found \"// variant: k_b\""
        );
        for line in [
            "// variant: = A",
            "// variant: a/b = A",
            "// variant: a b = A",
            "// variant: a A=1",
            "// variant: a =",
            "// variant: a = 1A",
            "// variant: a = A=",
            "// variant: a = A,B",
        ] {
            assert!(
                error(line).contains("expected // variant: MODULE ="),
                "{line}"
            );
        }
        assert_eq!(
            error("// variant: k_b = A B A=1"),
            "k.comp:1: expected each macro once, found \"// variant: k_b = A B A=1\""
        );
    }

    #[test]
    fn functions_are_kept_where_a_line_says_so_and_nothing_else() {
        assert!(keeps_functions("#version 460\n // keep functions \n", "k"));
        assert!(!keeps_functions("// keep functions small\n", "k"));
        assert!(keeps_functions("// keep functions of k_\n", "k_u32"));
        assert!(!keeps_functions("// keep functions of k_\n", "a_k_u32"));
    }
}
