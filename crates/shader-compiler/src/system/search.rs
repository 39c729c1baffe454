//! Where libshaderc is looked for.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that `shaderc-sys` searches, in its order.
pub(super) fn search_folder(os: &str, arch: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("SHADERC_LIB_DIR") {
        return Some(PathBuf::from(folder));
    }
    if let Some(sdk) = std::env::var_os("VULKAN_SDK") {
        return Some(Path::new(&sdk).join("lib"));
    }
    if let Some(folder) = pkg_config_folder() {
        return Some(folder);
    }
    let multiarch = if arch == "x86" { "i386" } else { arch };
    let candidates = match os {
        "macos" => vec!["/usr/local/lib".to_owned()],
        "linux" => vec![
            format!("/usr/lib/{multiarch}-linux-gnu"),
            if arch == "x86_64" {
                "/usr/lib64".to_owned()
            } else {
                "/usr/lib".to_owned()
            },
            "/usr/lib".to_owned(),
        ],
        _ => Vec::new(),
    };
    candidates
        .into_iter()
        .map(PathBuf::from)
        .find(|folder| folder.is_dir())
}

fn pkg_config_folder() -> Option<PathBuf> {
    let output = Command::new("pkg-config")
        .args(["--variable=libdir", "shaderc"])
        .output()
        .ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    let folder = folder.trim();
    (output.status.success() && !folder.is_empty()).then(|| PathBuf::from(folder))
}
