//! The device under test, and what `cargo xtask bench` is to know of the run.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_benches::machine;
use vk_core::{Device, DevicePolicy, Instance, Validation};

use crate::measure::Suite;

/// Writes `device.json` into Criterion's output folder, where
/// `CRITERION_HOME` names one: the report may be made on another machine, and
/// on another day.
pub(crate) fn write_down(suite: &Suite) -> anyhow::Result<()> {
    let device = serde_json::json!({
        "name": suite.caps.name,
        "driver": suite.caps.driver,
        "cpu": machine::cpu(),
        "date": gpu_executor::today(),
        "quick": suite.plan.quick,
    });
    write("device.json", &device)
}

/// Writes `value` as `name` into Criterion's output folder, where
/// `CRITERION_HOME` names one.
pub(crate) fn write(name: &str, value: &serde_json::Value) -> anyhow::Result<()> {
    let Some(home) = std::env::var_os("CRITERION_HOME") else {
        return Ok(());
    };
    let path = Path::new(&home).join(name);
    std::fs::create_dir_all(&home)
        .and_then(|()| std::fs::write(&path, value.to_string()))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Opens the device that backends of this process use: theirs is chosen by
/// the environment too.
pub(crate) fn open() -> anyhow::Result<Arc<Device>> {
    let uuid = PersistentVulkanBackend::new()?.device().uuid;
    let device = Instance::new(Validation::Off)?.device(&DevicePolicy::Uuid(uuid))?;
    Ok(Device::new(&device)?)
}
