//! What the tests of this workspace share: recorded caps and the device log.
//!
//! Behind the feature `testing`; no part of the stable interface.

pub mod recorded;

use std::io::Write;

use crate::{Instance, PhysicalDevice, ValidationLog};

/// The variable naming the file to which each device test adds a line.
pub const LOG_VARIABLE: &str = "GPU_EXECUTOR_DEVICE_TEST_LOG";

/// Held by a test for as long as it uses a device: the test fails when the
/// validation layer had anything to say by the time the guard drops.
///
/// Declare it before the objects under test, so that it drops after them and
/// sees what their destruction reports.
#[derive(Debug)]
pub struct DeviceTest {
    log: ValidationLog,
}

impl DeviceTest {
    /// Notes that the running test uses `device`, and watches `log`.
    #[must_use]
    pub fn new(device: &str, log: ValidationLog) -> Self {
        let thread = std::thread::current();
        record(device, thread.name().unwrap_or("unnamed"));
        Self { log }
    }
}

impl Drop for DeviceTest {
    fn drop(&mut self) {
        let messages = self.log.take();
        if !std::thread::panicking() {
            assert!(messages.is_empty(), "validation messages: {messages:#?}");
        }
    }
}

/// `device` as if it had no timeline semaphores: one queue, and fences.
#[must_use]
pub fn without_timeline_semaphores(mut device: PhysicalDevice) -> PhysicalDevice {
    device.caps.features.timeline_semaphore = false;
    device
}

fn record(device: &str, test: &str) {
    let Some(path) = std::env::var_os(LOG_VARIABLE) else {
        return;
    };
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path);
    let written =
        file.and_then(|mut file| file.write_all(format!("{device}\t{test}\n").as_bytes()));
    assert!(
        written.is_ok(),
        "{LOG_VARIABLE}={}: {written:?}",
        path.display()
    );
}

/// A validated instance and its best device, with the guard of a device test.
///
/// # Errors
/// As [`Instance::new`] and [`Instance::devices`]; no device is an error.
pub fn device_under_test() -> Result<(DeviceTest, PhysicalDevice), crate::Error> {
    let instance = Instance::new(&crate::InstanceOptions {
        validation: crate::Validation::On,
    })?;
    let mut devices = instance.devices()?;
    let caps: Vec<_> = devices.iter().map(|d| d.caps().clone()).collect();
    let choice = crate::choose_device(&caps, &crate::DevicePolicy::Auto)?;
    let device = devices.swap_remove(choice.index);
    let guard = DeviceTest::new(&device.caps().name, instance.validation_log().clone());
    Ok((guard, device))
}
