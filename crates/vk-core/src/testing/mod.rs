//! What the tests of this workspace share: recorded caps and the device log.
//!
//! Behind the feature `testing`; no part of the stable interface.

pub mod recorded;

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

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
        record(device, &format!("{}::{}", test_binary(), test_name()));
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

/// The test binary's name without the hash that cargo appends: what tells
/// tests of equal name apart, and is the same whatever was compiled in.
fn test_binary() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    without_hash(&stem).to_owned()
}

fn without_hash(stem: &str) -> &str {
    let is_hash = |end: &str| end.len() == 16 && end.bytes().all(|b| b.is_ascii_hexdigit());
    match stem.rsplit_once('-') {
        Some((name, end)) if is_hash(end) => name,
        _ => stem,
    }
}

/// The test's name, which its thread carries. Tests that share the main
/// thread (one test thread) or whose thread has no name get a number.
fn test_name() -> String {
    static NAMELESS: AtomicU32 = AtomicU32::new(0);
    match std::thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("unnamed {}", NAMELESS.fetch_add(1, Ordering::Relaxed)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_named_by_binary_and_thread() {
        assert_eq!(without_hash("device-0123456789abcdef"), "device");
        assert_eq!(without_hash("my-tests"), "my-tests");
        assert_eq!(test_binary(), "vk_core");
        let nameless = || std::thread::spawn(test_name).join().unwrap();
        assert_ne!(nameless(), nameless());
    }
}
