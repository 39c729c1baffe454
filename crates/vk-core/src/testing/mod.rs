//! What the tests of this workspace share: recorded caps and the device log.
//!
//! Behind the feature `testing`; no part of the stable interface.

pub mod mutants;
pub mod recorded;

use std::cell::RefCell;
use std::io::Write;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::spirv::KernelInterface;
use crate::{Device, DeviceCaps, Error, Instance, PhysicalDevice, ValidationLog, lock};

/// The variable naming the file to which each device test adds a line.
pub const LOG_VARIABLE: &str = "GPU_EXECUTOR_DEVICE_TEST_LOG";

/// Held by a test for as long as it uses a device: the test fails when the
/// validation layer had anything to say by the time the guard drops, and no
/// other test of the process uses a device meanwhile.
///
/// Make it before the objects under test, so that it drops after them and
/// sees what their destruction reports.
#[derive(Debug)]
pub struct DeviceTest {
    logs: Vec<ValidationLog>,
    _turn: Rc<Turn>,
}

impl DeviceTest {
    /// Waits until no other thread holds a guard. A thread may hold several.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            logs: Vec::new(),
            _turn: turn(),
        }
    }

    /// Notes that the running test uses `device`, and watches `log`.
    pub fn watch(&mut self, device: &str, log: ValidationLog) {
        record(device, &format!("{}::{}", test_binary(), test_name()));
        self.logs.push(log);
    }
}

impl Drop for DeviceTest {
    fn drop(&mut self) {
        let messages: Vec<_> = self.logs.iter().flat_map(ValidationLog::take).collect();
        if !std::thread::panicking() {
            assert!(messages.is_empty(), "validation messages: {messages:#?}");
        }
    }
}

type Turn = MutexGuard<'static, ()>;

/// One thread at a time uses validated devices: the Khronos layer (seen with
/// 1.3.239) looks its tables up without a lock, so a call through it crashes
/// while another thread creates an instance or a device.
fn turn() -> Rc<Turn> {
    static DEVICES: Mutex<()> = Mutex::new(());
    thread_local! {
        static HELD: RefCell<Weak<Turn>> = const { RefCell::new(Weak::new()) };
    }
    HELD.with_borrow_mut(|held| {
        held.upgrade().unwrap_or_else(|| {
            // A test that failed leaves nothing behind that the next relies on.
            let turn = Rc::new(lock(&DEVICES));
            *held = Rc::downgrade(&turn);
            turn
        })
    })
}

/// `device` as if it were another: `change` may take away what it has.
#[must_use]
pub fn changed(mut device: PhysicalDevice, change: impl FnOnce(&mut DeviceCaps)) -> PhysicalDevice {
    change(&mut device.caps);
    device
}

/// `device` as if it had no timeline semaphores: fences then.
#[must_use]
pub fn without_timeline_semaphores(device: PhysicalDevice) -> PhysicalDevice {
    changed(device, |caps| caps.features.timeline_semaphore = false)
}

/// The variable that, set to `1`, makes every device of the process one without
/// timeline semaphores, so that a whole suite runs on fences.
pub const FENCES_VARIABLE: &str = "GPU_EXECUTOR_TEST_FENCES";

/// Whether [`FENCES_VARIABLE`] asks for it.
pub(crate) fn fences_forced() -> bool {
    std::env::var_os(FENCES_VARIABLE).is_some_and(|value| value == "1")
}

/// Has every [`Device::shared`] of this process from now on make a device of its own, as
/// under the validation layer: for what wants to see devices come and go.
pub fn share_no_devices() {
    SHARES_NONE.store(true, Ordering::Relaxed);
}

static SHARES_NONE: AtomicBool = AtomicBool::new(false);

pub(crate) fn shares_devices() -> bool {
    !SHARES_NONE.load(Ordering::Relaxed)
}

/// Makes `device` one that has reported its loss in `vkQueueSubmit`.
pub fn lose(device: &Device) {
    device.declare_lost("vkQueueSubmit");
}

static TRUSTED: Mutex<Option<KernelInterface>> = Mutex::new(None);

/// From now on every module of this process goes to the driver unchecked, as
/// one that has `interface`; with `None` modules are checked again.
///
/// A module that is not valid may end the process, and do anything else. For
/// child processes that are started to find out.
pub fn trust_all_spirv(interface: Option<KernelInterface>) {
    *lock(&TRUSTED) = interface;
}

/// The interface that `spirv` is to be taken for, where it is not checked.
pub(crate) fn trusted(spirv: &[u8]) -> Option<KernelInterface> {
    let mut interface = lock(&TRUSTED).clone()?;
    let words = spirv.as_chunks().0.iter();
    interface.words = words.map(|word| u32::from_le_bytes(*word)).collect();
    Some(interface)
}

/// The package, as far as cargo runs the test, and the test binary's name without the
/// hash that cargo appends: what tells tests of equal name apart, and is the same
/// whatever was compiled in.
fn test_binary() -> String {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let path = std::env::current_exe().unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{package}/{}", without_hash(&stem))
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
pub fn device_under_test() -> Result<(DeviceTest, PhysicalDevice), Error> {
    let mut guard = DeviceTest::begin();
    let instance = Instance::new(crate::Validation::On)?;
    let device = instance.device(&crate::DevicePolicy::Auto)?;
    guard.watch(&device.caps().name, instance.validation_log().clone());
    Ok((guard, device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_named_by_package_binary_and_thread() {
        assert_eq!(without_hash("device-0123456789abcdef"), "device");
        assert_eq!(without_hash("my-tests"), "my-tests");
        assert!(["vk-core/vk_core", "/vk_core"].contains(&test_binary().as_str()));
        let nameless = || std::thread::spawn(test_name).join().unwrap();
        assert_ne!(nameless(), nameless());
    }
}
