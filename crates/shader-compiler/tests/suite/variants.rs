//! Sources with lines that say how they are compiled: variants, and functions that are
//! kept.

use shader_compiler::{COMPILED_DIR, Options, Report, check, write_all};

use crate::fixture::{self, Root};
use crate::module::instructions;

const OP_SOURCE: u32 = 3;
const OP_NAME: u32 = 5;
const OP_STRING: u32 = 7;
const OP_LINE: u32 = 8;
const OP_FUNCTION: u32 = 54;

const SHADER: &str = "#version 460\n\
    layout(local_size_x = 1) in;\n\
    layout(set = 0, binding = 0, std430) buffer C { uint c[]; };\n\
    void main() { c[0] = ANSWER; }\n";

/// Called twice, and kept only where nothing inlines it.
const FUNCTIONS: &str = "#version 460\n\
    layout(local_size_x = 1) in;\n\
    layout(set = 0, binding = 0, std430) buffer C { uint c[]; };\n\
    uint f_twice(uint x) { return 2u * x; }\n\
    uint f_unused(uint x) { return x; }\n\
    void main() { c[0] = f_twice(f_twice(c[1])); }\n";

fn root(name: &str, shader: &str) -> Root {
    let root = Root::new(name);
    root.write("k.comp", shader);
    root
}

fn compile(root: &Root, opt: &str) -> anyhow::Result<Report> {
    fixture::compile(root, opt, "1")
}

#[test]
fn a_variant_is_compiled_with_its_macros() {
    let lines = "// variant: k_one = ANSWER=1u\n// variant: k_two = ANSWER=2u OTHER\n";
    let root = Root::new("variants");
    root.write(
        "k.comp",
        &format!("{}{lines}", SHADER.replace("answer", "none")),
    );
    root.write("include/none.glsl", "// Not the answer.\n");
    root.write("compiled/k.spv", "what it was before it had variants");
    let report = compile(&root, "performance").unwrap();
    let compiled_dir = root.path.join(COMPILED_DIR);
    write_all(&report, &compiled_dir).unwrap();
    let stale = check(&root.path, &[], &Options::default()).unwrap();
    assert_eq!(stale, [""; 0]);
    assert!(!compiled_dir.join("k.spv").exists());
    assert_ne!(report.compiled[0].spirv, report.compiled[1].spirv);

    let text = std::fs::read_to_string(compiled_dir.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = manifest["kernels"].as_array().unwrap();
    assert_eq!(rows[0]["name"], "k_one");
    assert_eq!(rows[0]["source"], "k.comp");
    assert_eq!(rows[0]["spirv"], "k_one.spv");
    assert_eq!(rows[0]["defines"], serde_json::json!(["ANSWER=1u"]));
    assert_eq!(
        rows[1]["defines"],
        serde_json::json!(["ANSWER=2u", "OTHER"])
    );
    assert_eq!(rows[0].get("keep_functions"), None);
}

#[test]
fn a_row_of_no_variant_says_nothing_of_variants() {
    let root = root("no-variant", FUNCTIONS);
    let report = compile(&root, "performance").unwrap();
    let row = serde_json::to_value(&report.manifest.kernels[0]).unwrap();
    assert_eq!(row.get("defines"), None);
    assert_eq!(row.get("keep_functions"), None);
}

#[test]
fn an_error_in_a_variant_names_it() {
    let root = root(
        "broken-variant",
        &format!("{SHADER}// variant: k_int = uint=?\n"),
    );
    let error = compile(&root, "zero").unwrap_err().to_string();
    let expected = "k.comp (variant k_int) does not compile";
    assert!(error.starts_with(expected), "{error}");
}

fn function_names(spirv: &[u8]) -> Vec<String> {
    let all = instructions(spirv);
    let functions: Vec<u32> = all
        .iter()
        .filter(|(opcode, _)| *opcode == OP_FUNCTION)
        .map(|(_, operands)| operands[1])
        .collect();
    let is_name = |(opcode, operands): &&(u32, Vec<u32>)| {
        *opcode == OP_NAME && functions.contains(&operands[0])
    };
    all.iter()
        .filter(is_name)
        .map(|(_, operands)| {
            let bytes: Vec<u8> = operands[1..]
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect();
            String::from_utf8(bytes)
                .unwrap()
                .trim_end_matches('\0')
                .to_owned()
        })
        .collect()
}

/// Whatever the level asked for. A function that nothing calls is dropped by the
/// compiler's front end.
#[test]
fn functions_that_are_to_be_kept_keep_their_names() {
    let kept = root("kept", &format!("{FUNCTIONS}// keep functions\n"));
    for opt in ["zero", "size", "performance"] {
        let report = compile(&kept, opt).unwrap();
        let names = function_names(&report.compiled[0].spirv);
        assert_eq!(names, ["main", "f_twice(u1;"], "{opt}");
        assert!(report.manifest.kernels[0].keep_functions);
    }
    let inlined = root("inlined", FUNCTIONS);
    let report = compile(&inlined, "performance").unwrap();
    assert_eq!(function_names(&report.compiled[0].spirv), [""; 0]);
}

/// What is checked in holds no source text and no path.
#[test]
fn functions_are_kept_without_debug_information() {
    let root = root("no-debug", &format!("{FUNCTIONS}// keep functions\n"));
    let report = compile(&root, "performance").unwrap();
    for (opcode, operands) in instructions(&report.compiled[0].spirv) {
        assert!(![OP_STRING, OP_LINE].contains(&opcode), "opcode {opcode}");
        if opcode == OP_SOURCE {
            // Language and version; no file and no text.
            assert_eq!(operands.len(), 2);
        }
    }
}
