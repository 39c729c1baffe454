//! Tells `cargo xtask bench` which device was measured.

use std::path::Path;

use anyhow::Context;
use gpu_executor::spirv::PersistentVulkanBackend;

/// Writes `device.json` into Criterion's output folder, where
/// `CRITERION_HOME` names one.
///
/// # Errors
/// When there is no device, or the file cannot be written.
pub(crate) fn write_down() -> anyhow::Result<()> {
    let Some(home) = std::env::var_os("CRITERION_HOME") else {
        return Ok(());
    };
    let backend = PersistentVulkanBackend::new()?;
    let caps = backend.device();
    let device = serde_json::json!({ "name": caps.name, "driver": caps.driver });
    let path = Path::new(&home).join("device.json");
    std::fs::write(&path, device.to_string())
        .with_context(|| format!("{} cannot be written", path.display()))
}
