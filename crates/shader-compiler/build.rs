//! Completes the link line where the system's libshaderc lacks the libraries it
//! calls, and tells the crate which version it links.

#[expect(
    dead_code,
    unreachable_pub,
    reason = "the crate's own module, of which the build script needs the probe alone"
)]
#[path = "src/system/mod.rs"]
mod system;

use std::path::Path;

use system::Libshaderc;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/system");
    if std::env::var_os("CARGO_FEATURE_SHADERC").is_none() {
        return;
    }
    for name in system::VARIABLES {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let target = |key: &str| std::env::var(key).unwrap_or_default();
    let found = system::probe_for(
        &target("CARGO_CFG_TARGET_OS"),
        &target("CARGO_CFG_TARGET_ARCH"),
    );
    println!("cargo::rustc-env=LIBSHADERC_VERSION={}", found.version());
    if let Some(library) = found.library() {
        println!("cargo::rerun-if-changed={}", library.display());
    }
    if let Some(remedy) = found.remedy() {
        println!("cargo::error={remedy}");
    }
    if let Libshaderc::Completed {
        library,
        companions,
    } = found
    {
        let folder = library.parent().unwrap_or(Path::new("/"));
        println!("cargo::rustc-link-search=native={}", folder.display());
        for companion in companions {
            // On the link line these stand before the library that calls them. Whole
            // archives make that order irrelevant to linkers that read archives once.
            let kind = if companion.is_static {
                "static:+whole-archive,-bundle"
            } else {
                "dylib"
            };
            println!("cargo::rustc-link-lib={kind}={}", companion.name);
        }
    }
}
