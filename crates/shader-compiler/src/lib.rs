//! GLSL compute shaders to SPIR-V, and the manifest of what was compiled.
//!
//! One code path serves both users: the command that rewrites the checked-in
//! SPIR-V, and a build script that compiles at build time. Without the feature
//! `shaderc` this crate is pure Rust and needs no compiler: it parses the options,
//! finds and hashes sources with their includes, reads manifests and says what is
//! stale. With it, `compile_all` compiles.
//!
//! # The shader root
//!
//! A *shader root* is a folder laid out like this; every path in a manifest is
//! relative to it, with forward slashes.
//!
//! ```text
//! *.comp                  product kernels
//! tests/*.comp            kernels that only tests load
//! include/*.glsl          what they include
//! compiled/*.spv          one module a kernel, same name
//! compiled/manifest.json  which source, compiler and options each came from
//! ```
//!
//! # Lines that a kernel may hold
//!
//! | line | meaning |
//! | --- | --- |
//! | `// variant: MODULE = DEFINE [DEFINE=VALUE ...]` | compile to a module `MODULE` with these macros defined; one module for each such line, in place of one with the file's name |
//! | `// keep functions` | functions are linked at run time: compile without optimisation whatever `SHADER_OPT` says, which leaves them with their names (`OpName`) |
//! | `// keep functions of PREFIX` | the same of modules whose names begin so: of functions that would be inlined many times the module would be large, and a driver inlines them too |
//!
//! # The two variables
//!
//! | variable | values | default |
//! | --- | --- | --- |
//! | `SHADER_OPT` | `zero`, `size`, `performance` | `performance` |
//! | `SHADER_STRICT` | `0`, `1` (a warning is an error) | `0` |
//!
//! Any other value is an error that lists the good ones.

mod check;
#[cfg(feature = "shaderc")]
mod compile;
mod generated;
mod include;
mod manifest;
mod options;
mod source;
pub mod system;
mod variant;

pub use check::{REPAIR_COMMAND, check};
#[cfg(feature = "shaderc")]
pub use compile::{Compiled, Report, Warning, compile_all, write_all};
pub use generated::Generated;
pub use manifest::{CompilerRecord, KernelRecord, MANIFEST_FILE, Manifest, OptionsRecord};
pub use options::{OptLevel, Options, SPIRV_VERSION, TARGET_ENV};
pub use source::{COMPILED_DIR, Scope, Source, discover, sha256_hex};
