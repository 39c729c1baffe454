//! The one error type of this crate.

use std::path::{Path, PathBuf};

/// What this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why shaders could not be found, compiled, recorded or checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable holds a value that is not one of the accepted ones.
    #[error("{name}={value:?} is not accepted; expected one of: {accepted}")]
    BadVariable {
        /// The variable.
        name: &'static str,
        /// What it holds (lossily converted if it is no Unicode).
        value: String,
        /// The accepted values, comma-separated.
        accepted: &'static str,
    },
    /// A file or folder could not be read, written or listed.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: std::io::Error,
    },
    /// The shader root holds no kernel source.
    #[error("no *.comp file in {}: expected the folder of the shader sources", root.display())]
    NoKernels {
        /// The shader root that was searched.
        root: PathBuf,
    },
    /// An `#include` names a file that exists neither beside the including file
    /// nor in the include folder.
    #[error("{from} includes {wanted:?}, which is neither beside it nor in include/")]
    IncludeNotFound {
        /// The including file, relative to the shader root.
        from: String,
        /// What stands between the quotes.
        wanted: String,
    },
    /// An `#include` line without a quoted file name, or a variant line of a kernel that
    /// does not say what a variant is.
    #[error("{from}:{line}: expected {expected}, found {text:?}")]
    BadLine {
        /// The file, relative to the shader root.
        from: String,
        /// Its line, counted from 1.
        line: usize,
        /// What it should say.
        expected: &'static str,
        /// The line's text.
        text: String,
    },
    /// Two kernels or variants are compiled to modules of the same name.
    #[error("{second}: expected a module name of its own, found {module:?}, which {first} has")]
    DuplicateModule {
        /// The name.
        module: String,
        /// Who has it: a source, relative to the shader root, and for a variant its
        /// line.
        first: String,
        /// Who has it too.
        second: String,
    },
    /// A manifest is no valid JSON or lacks a field.
    #[error("{} is no valid shader manifest: {cause}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The parser's answer.
        #[source]
        cause: serde_json::Error,
    },
    /// The compiler rejected a kernel.
    #[error("{kernel} does not compile:\n{log}")]
    Compile {
        /// The kernel's source, relative to the shader root, and its variant.
        kernel: String,
        /// The compiler's messages.
        log: String,
    },
    /// A kernel compiled with warnings under `SHADER_STRICT=1`.
    #[error("{kernel} compiles with warnings, which SHADER_STRICT=1 makes errors:\n{log}")]
    Warnings {
        /// The kernel's source, relative to the shader root, and its variant.
        kernel: String,
        /// The compiler's messages.
        log: String,
    },
    /// The compiler could not be started.
    #[error("libshaderc could not be initialised: {reason}")]
    Compiler {
        /// The library's answer.
        reason: String,
    },
}

impl Error {
    /// For `map_err`: wraps what the system said about `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Io {
            action,
            path: path.to_owned(),
            cause,
        }
    }
}
