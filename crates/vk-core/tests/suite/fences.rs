//! The switch that runs a whole suite on fences, in a process of its own.

use vk_core::testing::{FENCES_VARIABLE, device_under_test};
use vk_core::{CommandBuffer, Device, WaitPolicy};

#[test]
fn the_variable_takes_timeline_semaphores_away() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["fences::on_fences", "--exact", "--ignored"])
        .env(FENCES_VARIABLE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "run by the test above, under the variable"]
fn on_fences() {
    let (_guard, physical) = device_under_test().unwrap();
    assert!(!physical.caps().features.timeline_semaphore);
    let device = Device::new(&physical).unwrap();
    let mut commands = CommandBuffer::new(&device).unwrap();
    // SAFETY: not in flight.
    unsafe { commands.record(|_, _| {}) }.unwrap();
    // SAFETY: recorded above, and waited for below.
    let ticket = unsafe { device.submit(commands.raw()) }.unwrap();
    device.wait(ticket, WaitPolicy::default()).unwrap();
}
