//! Tests of modules that the build script compiles, in the place of the checked-in ones.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;
use xshell::{Shell, cmd};

/// What embeds them, and what else is on in all tests of operations.
const EMBEDDING: &str = "test -p field-kernels -p gpu-executor --no-fail-fast --test suite \
     --features field-kernels/shader-compile,gpu-executor/arkworks,gpu-executor/blst";

/// The tests of them: of the modules, and of operations on the device with every arithmetic.
const TESTS: [&str; 6] = [
    "modules::",
    "chain::",
    "paths::",
    "vectors::",
    "vector_results::",
    "transforms::",
];

/// Their build, with what it says of build scripts.
const BUILT: &str = "build -p field-kernels --features shader-compile \
     --message-format json-render-diagnostics";
/// What the build script says where they are.
const FOLDER: &str = "FIELD_KERNELS_EMBEDDED_DIR";

/// Compiles all modules. Where the compiler makes other bytes of a source than are checked in,
/// or says something else of it in the manifest, tests what embeds them and computes with them
/// once more; else the tests of the checked-in ones have.
pub(crate) fn test(shell: &Shell) -> anyhow::Result<()> {
    let words = BUILT.split_whitespace();
    let messages = cmd!(shell, "cargo {words...}").read()?;
    let folder = embedded(&messages).context("no folder of compiled modules")?;
    let checked_in = modules(shell, &shell.current_dir().join("shaders/compiled"))?;
    let now = modules(shell, &folder)?;
    // The tests' kernels are checked in too, and are not compiled now.
    if now.iter().all(|module| checked_in.contains(module)) {
        println!(
            "{} modules, each as it is checked in and was tested before",
            now.len()
        );
        return Ok(());
    }
    println!("the compiler here makes other modules than are checked in");
    let words = EMBEDDING.split_whitespace();
    // The CPU engine uses no module.
    cmd!(shell, "cargo {words...} -- {TESTS...} --skip on_the_cpu").run()?;
    Ok(())
}

/// What the build script says in cargo's messages, a line of JSON each.
fn embedded(messages: &str) -> Option<PathBuf> {
    messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let mut variables = message["env"].as_array()?.iter();
        let folder = variables.find(|it| it[0] == FOLDER)?;
        folder[1].as_str().map(PathBuf::from)
    })
}

/// What the manifest of a folder says of each module, with its bytes.
fn modules(shell: &Shell, folder: &Path) -> anyhow::Result<Vec<(Value, Vec<u8>)>> {
    let manifest: Value = serde_json::from_str(&shell.read_file(folder.join("manifest.json"))?)?;
    let kernels = manifest["kernels"]
        .as_array()
        .context("no kernels in a manifest")?;
    anyhow::ensure!(!kernels.is_empty(), "no module in {}", folder.display());
    let module = |kernel: &Value| {
        let file = kernel["spirv"]
            .as_str()
            .context("a module without a file")?;
        Ok((kernel.clone(), shell.read_binary_file(folder.join(file))?))
    };
    kernels.iter().map(module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_modules_is_found_among_the_messages_of_cargo() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"x"}}
{"reason":"build-script-executed","env":[["A","1"]]}
{"reason":"build-script-executed","env":[["A","1"],["FIELD_KERNELS_EMBEDDED_DIR","/t/compiled"]]}
{"reason":"build-finished","success":true}"#;
        assert_eq!(embedded(messages), Some(PathBuf::from("/t/compiled")));
        assert_eq!(embedded("error: x"), None);
    }
}
