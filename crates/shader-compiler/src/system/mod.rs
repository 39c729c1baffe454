//! Which libshaderc the feature `shaderc` links, and what it needs beside it.
//!
//! The `shaderc-sys` crate picks the library; [`probe`] comes to the same answer, so
//! that this crate's build script can complete it and a command can announce it.
//! Debian and its derivatives ship `libshaderc_combined.a` without the glslang and
//! SPIRV-Tools objects it calls, as their policy forbids bundling: alone it does
//! not link. Those objects are in static libraries of two other packages.

mod archive;
mod search;

use std::env::consts;
use std::fs;
use std::path::{Path, PathBuf};

use archive::defines_glslang;
use search::search_folder;

/// The packages that complete Debian's libshaderc.
pub const DEBIAN_PACKAGES: &str = "libshaderc-dev glslang-dev spirv-tools";

/// What a build of libshaderc from source needs on the machine.
pub const SOURCE_BUILD_TOOLS: [&str; 3] = ["cmake", "git", "python3"];

/// The variables that choose the library.
pub const VARIABLES: [&str; 2] = ["SHADERC_LIB_DIR", "VULKAN_SDK"];

/// The libraries that hold what an incomplete libshaderc lacks, over all versions of
/// glslang: later ones have fewer and larger libraries.
const COMPANIONS: [&str; 9] = [
    "glslang",
    "MachineIndependent",
    "GenericCodeGen",
    "OGLCompiler",
    "OSDependent",
    "HLSL",
    "SPIRV",
    "SPIRV-Tools-opt",
    "SPIRV-Tools",
];

/// Those of [`COMPANIONS`] that every version has.
const REQUIRED: [&str; 3] = ["glslang", "SPIRV-Tools-opt", "SPIRV-Tools"];

/// Where libshaderc comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Libshaderc {
    /// The system's; `None` where `shaderc-sys` builds its own with cmake.
    pub library: Option<PathBuf>,
    /// What is linked beside an incomplete one, from the same folder.
    pub companions: Vec<Companion>,
    /// Of those, the names of libraries without which it does not link and that are not
    /// installed.
    pub missing: Vec<&'static str>,
}

/// A library to link beside an incomplete libshaderc.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Companion {
    /// Its name, as a linker takes it.
    pub name: &'static str,
    /// Whether it is a static library.
    pub is_static: bool,
}

impl Libshaderc {
    /// The version, with those of the libraries it was made with where their
    /// pkg-config files say so.
    #[must_use]
    pub fn version(&self) -> String {
        let Some(folder) = self.library.as_deref().and_then(Path::parent) else {
            return "bundled with shaderc-sys, built from source".to_owned();
        };
        let version = |name: &str| package_version(folder, name);
        let shaderc = version("shaderc").unwrap_or_else(|| "unknown".to_owned());
        let parts: Vec<String> = [("glslang", "glslang"), ("SPIRV-Tools", "SPIRV-Tools")]
            .iter()
            .filter_map(|(label, file)| Some(format!("{label} {}", version(file)?)))
            .collect();
        if parts.is_empty() {
            shaderc
        } else {
            format!("{shaderc} ({})", parts.join(", "))
        }
    }

    /// What to do about a library that cannot be linked, in one line.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let library = self.library.as_deref().unwrap_or(Path::new("")).display();
        let missing = self.missing.join(", ");
        (!missing.is_empty()).then(|| {
            format!(
                "{library} lacks its glslang and SPIRV-Tools objects, and these libraries that hold \
                 them are not installed: {missing}. Install the packages {DEBIAN_PACKAGES}, or set \
                 SHADERC_LIB_DIR to an empty folder to build libshaderc from source \
                 (needs cmake, git, python3; about 9 minutes)"
            )
        })
    }
}

/// The library for this machine.
#[must_use]
pub fn probe() -> Libshaderc {
    probe_for(consts::OS, consts::ARCH)
}

/// The library for a target, both named as in `CARGO_CFG_TARGET_OS` and
/// `CARGO_CFG_TARGET_ARCH`.
#[must_use]
pub fn probe_for(os: &str, arch: &str) -> Libshaderc {
    let folder = search_folder(os, arch);
    folder.map_or_else(Libshaderc::default, |folder| inspect(&folder, os))
}

/// The library in this folder, static before shared as the feature asks for.
fn inspect(folder: &Path, os: &str) -> Libshaderc {
    let of_system = |library| Libshaderc {
        library: Some(library),
        ..Libshaderc::default()
    };
    let archive = folder.join(match os {
        "windows" => "shaderc_combined.lib",
        _ => "libshaderc_combined.a",
    });
    if !archive.is_file() {
        let (prefix, suffix) = (consts::DLL_PREFIX, consts::DLL_SUFFIX);
        let shared = ["shaderc", "shaderc_shared"];
        let mut shared = shared
            .map(|it| folder.join(format!("{prefix}{it}{suffix}")))
            .into_iter();
        let found = shared.find(|library| library.exists());
        return found.map_or_else(Libshaderc::default, of_system);
    }
    if os != "linux" || defines_glslang(&archive) {
        return of_system(archive);
    }
    let companions = COMPANIONS.iter().filter_map(|name| companion(folder, name));
    let companions: Vec<Companion> = companions.collect();
    let is_missing = |name: &&str| !companions.iter().any(|found| found.name == *name);
    Libshaderc {
        missing: REQUIRED.into_iter().filter(is_missing).collect(),
        companions,
        ..of_system(archive)
    }
}

fn companion(folder: &Path, name: &'static str) -> Option<Companion> {
    let exists = |extension: &str| folder.join(format!("lib{name}.{extension}")).exists();
    let is_static = exists("a");
    (is_static || exists("so")).then_some(Companion { name, is_static })
}

fn package_version(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join("pkgconfig").join(format!("{name}.pc"))).ok()?;
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("Version:"))?
        .trim();
    // Debian's glslang.pc names none.
    (!version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::archive::{GLSLANG_SYMBOL, fixture};
    use super::*;

    #[test]
    fn a_library_is_completed_only_by_all_that_is_required() {
        let folder = std::env::temp_dir().join(format!("shaderc-probe-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(inspect(&folder, "linux"), Libshaderc::default());

        let library = folder.join("libshaderc_combined.a");
        fs::write(&library, fixture(b"shaderc_compiler_initialize\0")).unwrap();
        for name in ["libglslang.a", "libSPIRV-Tools.so"] {
            fs::write(folder.join(name), b"").unwrap();
        }
        let found = inspect(&folder, "linux");
        assert_eq!(found.missing, ["SPIRV-Tools-opt"]);
        assert!(found.remedy().unwrap().contains("glslang-dev"));

        fs::write(folder.join("libSPIRV-Tools-opt.a"), b"").unwrap();
        let found = inspect(&folder, "linux");
        let companions = found.companions.iter().map(|it| (it.name, it.is_static));
        let expected = [
            ("glslang", true),
            ("SPIRV-Tools-opt", true),
            ("SPIRV-Tools", false),
        ];
        assert!(companions.eq(expected), "{found:?}");
        assert_eq!(
            (found.library.as_ref(), found.remedy()),
            (Some(&library), None)
        );

        fs::write(&library, fixture(GLSLANG_SYMBOL)).unwrap();
        let complete = Libshaderc {
            library: Some(library),
            ..Libshaderc::default()
        };
        assert_eq!(inspect(&folder, "linux"), complete);
        fs::remove_dir_all(&folder).unwrap();
    }
}
