//! Compiling a small shader root with libshaderc.

use shader_compiler::{COMPILED_DIR, check, write_all};

use crate::fixture::{Root, compile, options};
use crate::module::instructions;

const SHADER: &str = "#version 460\n\
    #extension GL_GOOGLE_include_directive : require\n\
    #include \"answer.glsl\"\n\
    layout(local_size_x = 1) in;\n\
    layout(set = 0, binding = 0, std430) buffer C { uint c[]; };\n\
    void main() { for (uint i = 0u; i < 4u; i++) c[i] = ANSWER; }\n";

/// An unknown extension that is merely enabled is a warning.
const WARNED: &str = "#version 460\n\
    #extension GL_EXT_no_such_extension : enable\n\
    layout(local_size_x = 1) in;\n\
    void main() {}\n";

const OP_CAPABILITY: u32 = 17;
const CAPABILITY_INT64: u32 = 11;

fn has_capability(spirv: &[u8], capability: u32) -> bool {
    instructions(spirv).contains(&(OP_CAPABILITY, vec![capability]))
}

fn root(name: &str, shader: &str) -> Root {
    let root = Root::new(name);
    root.write("k.comp", shader);
    root.write("include/answer.glsl", "#define ANSWER 42u\n");
    root
}

#[test]
fn what_is_written_is_current() {
    let root = root("current", SHADER);
    root.write("compiled/old.spv", "a kernel that is gone");
    for opt in ["zero", "size", "performance"] {
        let report = compile(&root, opt, "1").unwrap();
        write_all(&report, &root.path.join(COMPILED_DIR)).unwrap();
        let stale = check(&root.path, &[], &options(opt, "0")).unwrap();
        assert_eq!(stale, [""; 0], "{opt}");
    }
}

#[test]
fn modules_are_spirv_1_3_and_reproducible() {
    let root = root("spirv", SHADER);
    let first = compile(&root, "performance", "0").unwrap();
    let spirv = &first.compiled[0].spirv;
    assert_eq!(spirv[..8], [0x03, 0x02, 0x23, 0x07, 0, 3, 1, 0]);
    let second = compile(&root, "performance", "0").unwrap();
    assert_eq!(*spirv, second.compiled[0].spirv);
    assert_eq!(first.manifest, second.manifest);
    assert_eq!(first.manifest.kernels[0].includes, ["include/answer.glsl"]);
}

#[test]
fn a_warning_is_returned_and_under_strict_an_error() {
    let root = root("warned", WARNED);
    let report = compile(&root, "performance", "0").unwrap();
    assert_eq!(report.warnings.len(), 1);
    assert!(report.warnings[0].log.contains("GL_EXT_no_such_extension"));

    let error = compile(&root, "performance", "1").unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("k.comp compiles with warnings"),
        "{message}"
    );
    assert!(message.contains("GL_EXT_no_such_extension"));
}

#[test]
fn an_error_names_the_kernel_and_the_line() {
    let root = root("broken", &SHADER.replace("ANSWER;", "QUESTION;"));
    let error = compile(&root, "zero", "0").unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("k.comp does not compile"), "{message}");
    assert!(message.contains("k.comp:6"), "{message}");
    assert!(message.contains("QUESTION"), "{message}");
}

#[test]
fn an_error_in_an_include_names_the_include() {
    let root = root("broken-include", SHADER);
    root.write("include/answer.glsl", "#define ANSWER 42u\nint = 3;\n");
    let message = compile(&root, "zero", "0").unwrap_err().to_string();
    assert!(message.contains("include/answer.glsl:2"), "{message}");
}

/// One kernel has neither 64-bit integers nor doubles and pays for none, the other
/// uses both.
#[test]
fn generated_constants_ask_for_no_type_that_is_not_used() {
    let root = Root::new("constants");
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shaders/include");
    let constants = std::fs::read_to_string(format!("{include}/bls12_381_fr.glsl")).unwrap();
    root.write("include/bls12_381_fr.glsl", &constants);
    let kernel = |extension: &str, word_type: &str, value: &str| {
        format!(
            "#version 460\n\
             #extension GL_GOOGLE_include_directive : require\n\
             {extension}\n\
             #include \"bls12_381_fr.glsl\"\n\
             layout(local_size_x = 1) in;\n\
             layout(set = 0, binding = 0, std430) buffer C {{ {word_type} c[]; }};\n\
             void main() {{ c[0] = {value}; }}\n"
        )
    };
    root.write(
        "narrow.comp",
        &kernel("", "uint", "P32_0 + P30_1 + P_INV32"),
    );
    root.write(
        "wide.comp",
        &kernel(
            "#extension GL_ARB_gpu_shader_int64 : require",
            "uint64_t",
            "uint64_t(double(c[1]) + P51_2) + P_INV51",
        ),
    );
    let report = compile(&root, "performance", "1").unwrap();
    let int64: Vec<bool> = report
        .compiled
        .iter()
        .map(|kernel| has_capability(&kernel.spirv, CAPABILITY_INT64))
        .collect();
    assert_eq!(int64, [false, true]);
}
