//! Where the layer's library lies, and how the Vulkan loader finds it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::layer::LAYER_NAME;
use crate::layer::global::FUNCTIONS;

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

/// The variable that turns the layer on.
const ENABLE: &str = "VK_FAULTS_LAYER";

/// Writes the manifest of the layer in `library` to where the loader looks for
/// implicit layers below `folder`: only of those it asks the calls that need
/// no instance.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, library: &Path) -> anyhow::Result<()> {
    let global: serde_json::Map<_, _> = FUNCTIONS
        .iter()
        .map(|(call, function)| ((*call).to_owned(), (*function).into()))
        .collect();
    let manifest = serde_json::json!({
        "file_format_version": "1.1.2",
        "layer": {
            "name": LAYER_NAME,
            "type": "GLOBAL",
            "library_path": library,
            "api_version": "1.3.0",
            "implementation_version": "1",
            "description": "Makes chosen calls fail",
            "functions": {
                "vkNegotiateLoaderLayerInterfaceVersion": "vk_faults_negotiate"
            },
            "pre_instance_functions": global,
            "enable_environment": { ENABLE: "1" },
            "disable_environment": { "VK_FAULTS_NO_LAYER": "1" }
        }
    });
    let folder = folder.join("vulkan/implicit_layer.d");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("vk_faults.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// The variables by which a child process loads the layer whose manifest was
/// written below `folder`.
#[must_use]
pub fn variables(folder: &Path) -> [(&'static str, OsString); 3] {
    // Before what is there, which the driver's own manifest is found by. The
    // default is that of the base directory specification.
    let others = std::env::var_os("XDG_DATA_DIRS").filter(|others| !others.is_empty());
    let mut folders = OsString::from(folder);
    folders.push(":");
    folders.push(others.unwrap_or_else(|| "/usr/local/share:/usr/share".into()));
    [
        ("XDG_DATA_DIRS", folders),
        (ENABLE, "1".into()),
        // Mesa's layer that sorts the devices asks for their extensions too,
        // and crashes without an answer.
        ("NODEVICE_SELECT", "1".into()),
    ]
}
