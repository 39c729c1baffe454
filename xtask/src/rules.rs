//! The rules of the house that can be seen in the text of its sources: what a part must not
//! name, and which modules know which. Comments and tests are free.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail};

/// Files, and folders with all that is in them, without the ending `.rs`; words that they must
/// not have; and why.
type Ban = (
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

const BANS: &[Ban] = &[
    (
        &[FACADE],
        &["ash"],
        "the facade leaves Vulkan to the crates below it",
    ),
    (
        &["crates/gpu-executor/src/vectors/plan"],
        &["vk_core", "vk_mem_paths", "vulkan"],
        "a plan is pure, and the same for every engine",
    ),
    (
        &[
            "crates/vk-mem-paths/src/runs/plan",
            "crates/vk-mem-paths/src/runs/limits",
            "crates/vk-mem-paths/src/runs/tuning",
            "crates/vk-mem-paths/src/runs/host_buffers/plan",
        ],
        &["ash", "vk", "Arc"],
        "a plan is a pure function over caps and sizes",
    ),
    (
        &[PATHS],
        &[
            "field_kernels",
            "Fp",
            "Fr",
            "Fp2",
            "bls12_381",
            "Montgomery",
        ],
        "an element is a number of bytes here",
    ),
    (
        &["crates/vk-core/src"],
        &["vk_mem", "allocate_memory", "field_kernels"],
        "vk-core allocates no device memory and knows no field",
    ),
    (
        &["crates/field-kernels/src"],
        &["ash", "vk_core"],
        "field-kernels knows no Vulkan",
    ),
];

const FACADE: &str = "crates/gpu-executor/src";
const PATHS: &str = "crates/vk-mem-paths/src";

/// The modules of a crate that are layers, the lowest first: none names one after it.
const LAYERS: &[(&str, &[&str])] = &[
    (
        FACADE,
        &["device", "vectors", "cpu", "spirv", "fastest", "executor"],
    ),
    (PATHS, &["threads", "memory", "lane", "runs"]),
];

/// The page that names the test of each promise.
const PROMISES: &str = "docs/reliability.md";

/// Holds the sources of the workspace to the rules, and the page of promises to the tests
/// that there are.
///
/// # Errors
/// Names each place that breaks one, and when the sources cannot be read.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut broken = Vec::new();
    for (places, words, why) in BANS {
        for place in *places {
            for (path, text) in sources(root, place)? {
                for (line, word) in banned(&code(&text), words) {
                    broken.push(format!("{path}:{line}: `{word}`: {why}"));
                }
            }
        }
    }
    for (source, modules) in LAYERS {
        let root_module = std::fs::read_to_string(root.join(source).join("lib.rs"))?;
        let root_module = code(&root_module);
        for (number, module) in modules.iter().enumerate() {
            for (path, text) in sources(root, &format!("{source}/{module}"))? {
                let above = &modules[number + 1..];
                for (line, other) in named(&code(&text), &root_module, above) {
                    broken.push(format!(
                        "{path}:{line}: `{other}`, a layer above `{module}`"
                    ));
                }
            }
        }
    }
    let page = std::fs::read_to_string(root.join(PROMISES))?;
    let all = files(root, "crates", true)?;
    let all: String = all.into_iter().map(|(_, text)| text).collect();
    let gone = without_test(&page, &all).into_iter();
    broken.extend(gone.map(|name| format!("{PROMISES}: no test `{name}`")));
    match broken.len() {
        0 => Ok(()),
        count => bail!("{count} places break a rule:\n{}", broken.join("\n")),
    }
}

/// As [`files`], without those of tests.
fn sources(root: &Path, place: &str) -> anyhow::Result<Vec<(String, String)>> {
    files(root, place, false)
}

/// The Rust files of `place`, with their paths: `place.rs`, and all in the folder `place`.
///
/// # Errors
/// Where there are none.
fn files(root: &Path, place: &str, of_tests: bool) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut paths = vec![format!("{place}.rs"), place.to_owned()];
    while let Some(path) = paths.pop() {
        let full = root.join(&path);
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_of_tests = name.trim_end_matches(".rs").ends_with("tests") || name == "testing";
        if is_of_tests && !of_tests {
            continue;
        }
        if full.is_dir() {
            for entry in std::fs::read_dir(&full)? {
                let name = entry?.file_name();
                paths.push(format!("{path}/{}", name.to_string_lossy()));
            }
        } else if full.is_file() && path.ends_with(".rs") {
            let text = std::fs::read_to_string(&full);
            let text = text.with_context(|| format!("{path} cannot be read"))?;
            found.push((path, text));
        }
    }
    if found.is_empty() {
        bail!("{place} is no file and no folder: mend the rules");
    }
    found.sort();
    Ok(found)
}

/// `text` without comments and without what is compiled for tests alone; lines stay where
/// they are.
fn code(text: &str) -> String {
    let mut code = String::new();
    // The indentation of the item that is left out, as soon as it has begun.
    let (mut of_tests, mut left_out) = (false, None);
    for line in text.lines() {
        let bare = line.split("//").next().unwrap_or_default().trim_end();
        let indentation = bare.len() - bare.trim_start().len();
        if bare.trim_start().starts_with("#[cfg(test)]") {
            of_tests = true;
        } else if of_tests && !bare.is_empty() && !bare.trim_start().starts_with("#[") {
            of_tests = false;
            left_out = (!bare.ends_with([';', '}'])).then_some(indentation);
        } else if let Some(outer) = left_out {
            if indentation == outer && bare.trim_start().starts_with('}') {
                left_out = None;
            }
        } else {
            code.push_str(bare);
        }
        code.push('\n');
    }
    code
}

/// Where `code` has one of `words`: the line, and the word.
fn banned<'a>(code: &'a str, words: &[&str]) -> Vec<(usize, &'a str)> {
    let found = identifiers(code).filter(|range| words.contains(&&code[range.clone()]));
    found
        .map(|range| (line_of(code, range.start), &code[range]))
        .collect()
}

/// Where `code` names one of `modules` of its crate, or what `root`, the code of the
/// crate's root, publishes from there: the line, and the module.
fn named<'m>(code: &str, root: &str, modules: &[&'m str]) -> Vec<(usize, &'m str)> {
    let mut found = Vec::new();
    for name in of_crate(code) {
        let word = &code[name.clone()];
        let module = modules
            .iter()
            .find(|module| **module == word || of_module(root, module).contains(&word));
        found.extend(module.map(|module| (line_of(code, name.start), *module)));
    }
    found
}

/// What stands behind each `crate::`, one level deep.
fn of_crate(code: &str) -> Vec<Range<usize>> {
    const CRATE: &str = "crate::";
    let starts = code.match_indices(CRATE).map(|(at, _)| at + CRATE.len());
    starts.flat_map(|start| names_at(code, start)).collect()
}

/// What `root` publishes from `module`.
fn of_module<'a>(root: &'a str, module: &str) -> Vec<&'a str> {
    let path = format!("use {module}::");
    let starts = root.match_indices(&path).map(|(at, _)| at + path.len());
    let names = starts.flat_map(|start| names_at(root, start));
    names.map(|range| &root[range]).collect()
}

/// The identifier at `start`, or the first one of each path in the braces there.
fn names_at(code: &str, start: usize) -> Vec<Range<usize>> {
    let first = |from: usize| {
        identifiers(&code[from..])
            .next()
            .map(|it| from + it.start..from + it.end)
    };
    if !code[start..].starts_with('{') {
        return first(start).into_iter().collect();
    }
    let (mut names, mut depth) = (Vec::new(), 0_usize);
    for (at, sign) in code[start..].char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && (sign == '{' || sign == ',') {
            names.extend(first(start + at + 1));
        }
    }
    names
}

/// The names of tests in `page`, in backquotes and long enough for one, of which `sources`
/// has none.
fn without_test<'a>(page: &'a str, sources: &str) -> Vec<&'a str> {
    let quoted = page.split('`').skip(1).step_by(2);
    let names = quoted.filter_map(|path| path.rsplit("::").next());
    let is_test = |name: &&str| {
        let mut letters = name.chars();
        letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && name.matches('_').count() > 2
    };
    let names = names.filter(is_test);
    // One that is generic stands in a list of tests with its types.
    let is_there = |name: &str| {
        ["(", "<"]
            .iter()
            .any(|it| sources.contains(&format!("fn {name}{it}")))
    };
    names.filter(|name| !is_there(name)).collect()
}

fn identifiers(code: &str) -> impl Iterator<Item = Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = code.split(move |c: char| !is_part(c));
    let mut at = 0;
    std::iter::from_fn(move || {
        let word = words.next()?;
        let range = at..at + word.len();
        // What separates words is a character, of whatever length.
        at = range.end + code[range.end..].chars().next().map_or(0, char::len_utf8);
        Some(range)
    })
    .filter(|range| !range.is_empty())
}

fn line_of(code: &str, at: usize) -> usize {
    1 + code[..at].matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_the_rules() {
        check(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()).unwrap();
    }

    #[test]
    fn a_banned_word_is_seen_outside_comments_and_tests() {
        let text = "// ash is free here\nuse ash::vk; // ash\nlet hash = flash;\n\
                    #[cfg(test)]\nmod tests {\n    use ash::vk;\n}\n\
                    #[cfg(test)]\nuse ash::khr;\nfn f(x: ash::Device) {}\n";
        assert_eq!(banned(&code(text), &["ash"]), [(2, "ash"), (10, "ash")]);
    }

    #[test]
    fn a_layer_above_is_seen_by_its_name_and_by_what_it_publishes() {
        let root = "mod spirv;\npub use executor::{Executor, Other};\npub use error::Error;\n";
        let named = |text: &str| named(&code(text), root, &["spirv", "executor"]);
        assert_eq!(named("use crate::spirv::Backend;\n"), [(1, "spirv")]);
        assert_eq!(
            named("use std::fmt;\nuse crate::{\n    Error, Other,\n    device::{spirv, x},\n};\n"),
            [(3, "executor")]
        );
        assert_eq!(named("fn f() -> crate::Executor {}\n"), [(1, "executor")]);
        assert_eq!(
            named("/// [`crate::Executor`]\nuse crate::error::Error;\n"),
            []
        );
    }

    #[test]
    fn a_promise_whose_test_is_gone_is_seen() {
        let page = "| kept | `a::it_is_kept_for_ever`, `it_is_kept_no_more`, `soak life` |\n\
                    | kept | `it_is_kept_of_all_types` |";
        let sources = "fn it_is_kept_for_ever() {}\nfn it_is_kept_of_all_types<F>() {}";
        assert_eq!(without_test(page, sources), ["it_is_kept_no_more"]);
    }

    #[test]
    fn a_place_that_is_gone_is_an_error() {
        assert!(check(Path::new("nowhere")).is_err());
    }
}
