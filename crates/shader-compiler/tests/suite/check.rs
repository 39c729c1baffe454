//! The staleness check over a small shader root, without a compiler.

use std::fs;

use shader_compiler::{Generated, Manifest, Options, Scope, check, discover, sha256_hex};

use crate::fixture::{Root, options};

fn generated() -> Vec<Generated> {
    vec![Generated {
        path: "include/generated.glsl".to_owned(),
        contents: "#define A 1\n".to_owned(),
    }]
}

/// A root whose modules were never compiled but are recorded as if they had been.
fn current(name: &str) -> Root {
    let root = Root::new(name);
    fill(&root);
    root
}

/// Kernels with includes and modules, and the record of every module of the root.
fn fill(root: &Root) {
    root.write("k.comp", "#include \"a.glsl\"\nvoid main() {}\n");
    root.write("tests/t.comp", "void main() {}\n");
    root.write("include/a.glsl", "#include \"b.glsl\"\n");
    root.write("include/b.glsl", "// b\n");
    for file in generated() {
        file.write(&root.path).unwrap();
    }
    root.write("compiled/k.spv", "module k");
    root.write("compiled/tests/t.spv", "module t");
    let kernels: Vec<serde_json::Value> = discover(&root.path, Scope::All)
        .unwrap()
        .iter()
        .map(|source| {
            let spirv = source.spirv_file();
            let bytes = fs::read(root.path.join("compiled").join(&spirv)).unwrap();
            serde_json::json!({
                "name": source.name,
                "source": source.path,
                "includes": source.includes.keys().collect::<Vec<_>>(),
                "source_sha256": source.sha256(),
                "spirv": spirv,
                "spirv_sha256": sha256_hex(&bytes),
            })
        })
        .collect();
    let mut manifest = Manifest::new("test", "0", &Options::default());
    manifest.kernels = serde_json::from_value(kernels.into()).unwrap();
    manifest.write(&root.path.join("compiled")).unwrap();
}

fn stale(root: &Root) -> anyhow::Result<Vec<String>> {
    check(&root.path, &generated(), &Options::default())
}

/// Holds the root to one stale thing, which `expected` begins to describe.
fn only(root: &Root, expected: &str) {
    let found = stale(root).unwrap();
    let as_expected = found.len() == 1 && found[0].starts_with(expected);
    assert!(as_expected, "expected {expected}, found {found:?}");
}

#[test]
fn a_current_root_has_nothing_stale() {
    let root = current("current");
    assert_eq!(stale(&root).unwrap(), [""; 0]);
}

#[test]
fn includes_are_found_through_includes() {
    let root = current("includes");
    let sources = discover(&root.path, Scope::All).unwrap();
    let names: Vec<&str> = sources.iter().map(|source| &*source.name).collect();
    assert_eq!(names, ["k", "tests/t"]);
    let includes: Vec<&String> = sources[0].includes.keys().collect();
    assert_eq!(includes, ["include/a.glsl", "include/b.glsl"]);
    assert_eq!(discover(&root.path, Scope::Product).unwrap().len(), 1);
}

#[test]
fn a_changed_include_of_an_include_is_named_by_its_kernel() {
    let root = current("changed");
    root.write("include/b.glsl", "// c\n");
    only(&root, "k: source or an include changed since");
}

#[test]
fn line_endings_of_a_checkout_change_nothing() {
    let root = current("endings");
    for path in ["k.comp", "include/b.glsl", &generated()[0].path] {
        let text = fs::read_to_string(root.path.join(path)).unwrap();
        root.write(path, &text.replace('\n', "\r\n"));
    }
    assert_eq!(stale(&root).unwrap(), [""; 0]);
}

#[test]
fn each_way_of_being_stale_is_told_apart() {
    let compiled = |root: &Root, file: &str| root.path.join("compiled").join(file);
    let root = current("missing-module");
    fs::remove_file(compiled(&root, "k.spv")).unwrap();
    only(&root, "k: compiled module missing");

    let root = current("other-module");
    root.write("compiled/k.spv", "module j");
    only(&root, "k: compiled module is not the recorded one (sha256 ");

    let root = current("new-kernel");
    root.write("new.comp", "void main() {}\n");
    only(&root, "new: source never compiled");

    let root = current("gone-kernel");
    fs::remove_file(root.path.join("tests/t.comp")).unwrap();
    only(&root, "tests/t: in the manifest, but its source");

    let root = current("unlisted");
    root.write("compiled/tests/old.spv", "module");
    only(
        &root,
        "compiled/tests/old.spv: compiled module of no kernel",
    );

    let root = current("generated");
    root.write(&generated()[0].path, "// edited\n");
    only(
        &root,
        "include/generated.glsl: generated include out of date",
    );

    let root = current("no-manifest");
    fs::remove_file(compiled(&root, "manifest.json")).unwrap();
    only(&root, "compiled/manifest.json: missing");
}

#[test]
fn other_options_are_stale_and_strictness_is_not() {
    let root = current("options");
    let with =
        |opt: &str, strict: &str| check(&root.path, &generated(), &options(opt, strict)).unwrap();
    assert_eq!(with("performance", "1"), [""; 0]);
    let found = with("zero", "0");
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0],
        "compiled/manifest.json: compiled with optimization performance, target vulkan1.1, \
         SPIR-V 1.3, asked for optimization zero, target vulkan1.1, SPIR-V 1.3"
    );
}

#[test]
fn what_cannot_be_checked_is_an_error_that_names_it() {
    let root = current("bad-include");
    root.write("k.comp", "\n#include <a.glsl>\n");
    let message = stale(&root).unwrap_err().to_string();
    assert_eq!(
        message,
        "k.comp:2: expected #include \"file\", found \"#include <a.glsl>\""
    );

    root.write("k.comp", "#include \"none.glsl\"\n");
    let message = stale(&root).unwrap_err().to_string();
    assert_eq!(
        message,
        "k.comp includes \"none.glsl\", which is neither beside it nor in include/"
    );

    root.write("compiled/manifest.json", "{}");
    let message = stale(&root).unwrap_err().to_string();
    assert!(message.contains("missing field"), "{message}");
}

#[test]
fn a_folder_without_kernels_is_an_error() {
    let root = Root::new("empty");
    let error = discover(&root.path, Scope::All).unwrap_err();
    assert!(error.to_string().starts_with("no *.comp file in"));
}

const VARIANTS: &str = "// variant: v_b = B\n// variant: v_a = A=1 B\nvoid main() {}\n";

/// A root in which one source of two variants stands beside the others.
fn current_with_variants(name: &str) -> Root {
    let root = Root::new(name);
    root.write("v.comp", VARIANTS);
    root.write("compiled/v_a.spv", "module v_a");
    root.write("compiled/v_b.spv", "module v_b");
    fill(&root);
    root
}

#[test]
fn each_variant_is_a_module_of_its_own() {
    let root = current_with_variants("variants");
    let sources = discover(&root.path, Scope::All).unwrap();
    let names: Vec<&str> = sources.iter().map(|source| &*source.name).collect();
    assert_eq!(names, ["k", "v_a", "v_b", "tests/t"]);
    assert_eq!(sources[1].path, "v.comp");
    assert_eq!(sources[1].defines, ["A=1", "B"]);
    assert_eq!(sources[1].spirv_file(), "v_a.spv");
    assert_ne!(sources[1].sha256(), sources[2].sha256());
    assert_eq!(stale(&root).unwrap(), [""; 0]);

    // Of one folder with its source.
    root.write("tests/t.comp", "// variant: u = A\n");
    let sources = discover(&root.path, Scope::All).unwrap();
    assert_eq!(sources[3].name, "tests/u");
}

#[test]
fn each_variant_is_stale_by_itself() {
    let root = current_with_variants("variant-module");
    fs::remove_file(root.path.join("compiled/v_a.spv")).unwrap();
    only(&root, "v_a: compiled module missing");

    let root = current_with_variants("variant-renamed");
    root.write("v.comp", &VARIANTS.replace("v_b", "v_c"));
    let found = stale(&root).unwrap();
    let expected = [
        "v_a: source or",
        "v_c: source never",
        "v_b: in the manifest",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn modules_of_one_name_are_an_error_that_names_both() {
    let root = current_with_variants("doubled");
    let message = |text: &str| {
        root.write("v.comp", text);
        stale(&root).unwrap_err().to_string()
    };
    assert_eq!(
        message("// variant: v_a = A\n\n// variant: v_a = B\n"),
        "v.comp:3: expected a module name of its own, found \"v_a\", which v.comp:1 has"
    );
    assert_eq!(
        message("// variant: k = A\n"),
        "v.comp:1: expected a module name of its own, found \"k\", which k.comp has"
    );
    assert_eq!(
        message("\n// variant: v_a\n"),
        "v.comp:2: expected // variant: MODULE = DEFINE [DEFINE=VALUE ...], \
         found \"// variant: v_a\""
    );
    // With variants no module has the file's name, so one of them may.
    root.write("v.comp", "// variant: v = A\n");
    assert_eq!(discover(&root.path, Scope::Product).unwrap()[1].name, "v");
}
