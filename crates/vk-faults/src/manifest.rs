//! Where the layer's library lies, and how the Vulkan loader is told of it.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::layer::LAYER_NAME;

/// The layer's library, as cargo built it beside the program that runs.
///
/// # Errors
/// Where there is none.
pub fn library() -> anyhow::Result<PathBuf> {
    library_beside(&std::env::current_exe()?)
}

/// The layer's library, as cargo built it beside `program`.
///
/// # Errors
/// Where there is none.
pub fn library_beside(program: &Path) -> anyhow::Result<PathBuf> {
    let name = format!(
        "{}vk_faults{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let folder = program.parent().context("a program without a folder")?;
    // What the compiler wrote last lies in `deps`; cargo copies it to the
    // folder above for `cargo build` alone. A test program is in `deps` itself.
    let places = [folder.join("deps").join(&name), folder.join(&name)];
    let found = places.iter().find(|place| place.is_file());
    let found = found.with_context(|| format!("expected the layer at one of {places:?}"))?;
    Ok(found.canonicalize()?)
}

/// Writes the manifest of the layer in `library` to `folder`.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, library: &Path) -> anyhow::Result<()> {
    let manifest = serde_json::json!({
        "file_format_version": "1.1.0",
        "layer": {
            "name": LAYER_NAME,
            "type": "GLOBAL",
            "library_path": library,
            "api_version": "1.3.0",
            "implementation_version": "1",
            "description": "Makes chosen calls fail",
            "functions": {
                "vkNegotiateLoaderLayerInterfaceVersion": "vk_faults_negotiate"
            }
        }
    });
    let path = folder.join("vk_faults.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// The variables by which a child process loads the layer whose manifest is in
/// `folder`.
#[must_use]
pub fn variables(folder: &Path) -> [(&'static str, std::ffi::OsString); 3] {
    [
        ("VK_LAYER_PATH", folder.into()),
        ("VK_INSTANCE_LAYERS", LAYER_NAME.into()),
        // Mesa's layer that sorts the devices asks for their extensions too,
        // and crashes when it is not told.
        ("NODEVICE_SELECT", "1".into()),
    ]
}
