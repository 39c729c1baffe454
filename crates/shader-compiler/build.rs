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
    if let Some(remedy) = found.remedy() {
        println!("cargo::error={remedy}");
    }
    let Some(library) = found.library else {
        return;
    };
    println!("cargo::rerun-if-changed={}", library.display());
    let folder = library.parent().unwrap_or(Path::new("/"));
    for companion in found.companions {
        println!("cargo::rustc-link-search=native={}", folder.display());
        // On the link line these stand before the library that calls them. Whole
        // archives make that order irrelevant to linkers that read archives once.
        let kind = match companion.is_static {
            true => "static:+whole-archive,-bundle",
            false => "dylib",
        };
        println!("cargo::rustc-link-lib={kind}={}", companion.name);
    }
}
