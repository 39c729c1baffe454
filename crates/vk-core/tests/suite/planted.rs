//! Planted mistakes: each kind of check that the suite runs under speaks up,
//! and says nothing where the mistake is mended.
//!
//! What ordinary validation does not look for runs in a child process under
//! the layer's own switches; `cargo xtask soak validation` runs those tests in
//! each of its passes too.

use field_kernels::FIELD_ADD;
use vk_core::ash::vk;
use vk_core::testing::{DeviceTest, device_under_test};
use vk_core::{CommandBuffer, Device, ValidationLog};

use crate::support::{Bench, Buffer};

/// What the Khronos layer takes its further checks from.
const SWITCHES: &str = "VK_LAYER_ENABLES";
const QUEUE_SUBMIT: &str = "VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT";

/// Runs the ignored test `test` in a process of its own under `switch`.
fn passes_under(switch: &str, test: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(SWITCHES, switch)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn bench() -> (DeviceTest, ValidationLog, Bench) {
    let (guard, physical) = device_under_test().unwrap();
    let log = physical.instance().validation_log().clone();
    (guard, log, Bench::new(Device::new(&physical).unwrap()))
}

/// The messages so far, each of them naming `what`.
fn taken(log: &ValidationLog, what: &str) -> usize {
    let messages = log.take();
    let named = messages.iter().all(|message| message.contains(what));
    assert!(named, "expected {what} alone: {messages:#?}");
    messages.len()
}

#[test]
fn a_missing_barrier_inside_a_command_buffer_is_reported() {
    let (_guard, log, bench) = bench();
    let target = Buffer::new(&bench.device, 4096);
    let mut commands = bench.commands();
    for mended in [true, false] {
        // SAFETY: not in flight: it is never submitted.
        let recorded = unsafe {
            commands.record(|_, raw| {
                bench.fill(raw, &target);
                if mended {
                    bench.barrier(raw);
                }
                bench.fill(raw, &target);
            })
        };
        recorded.unwrap();
        let found = taken(&log, "SYNC-HAZARD-WRITE");
        assert_eq!(found > 0, !mended, "{found} messages, mended: {mended}");
    }
}

#[test]
fn a_missing_barrier_between_submissions_is_reported() {
    passes_under(QUEUE_SUBMIT, "planted::between_submissions");
}

#[test]
#[ignore = "takes checks of queue submissions: see `passes_under`"]
fn between_submissions() {
    for mended in [true, false] {
        let (_guard, log, bench) = bench();
        let target = Buffer::new(&bench.device, 4096);
        let mut both: [CommandBuffer; 2] = [bench.commands(), bench.commands()];
        for commands in &mut both {
            // SAFETY: not in flight.
            let recorded = unsafe {
                commands.record(|_, raw| {
                    if mended {
                        bench.barrier(raw);
                    }
                    bench.fill(raw, &target);
                })
            };
            recorded.unwrap();
        }
        let tickets = both.each_ref().map(|commands| bench.submit(commands));
        for ticket in tickets {
            bench.wait(ticket);
        }
        let found = taken(&log, "SYNC-HAZARD-WRITE");
        assert_eq!(found > 0, !mended, "{found} messages, mended: {mended}");
    }
}

#[test]
#[ignore = "takes GPU-assisted checks, which not every layer and driver can do"]
fn out_of_bounds() {
    let kernels = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shaders/compiled/tests");
    let past_the_end = std::fs::read(format!("{kernels}/out_of_bounds.spv")).unwrap();
    for (spirv, mended) in [(FIELD_ADD.spirv, true), (&past_the_end, false)] {
        let (_guard, log, bench) = bench();
        // Layers go by the size of the buffer, not of what is bound of it.
        let buffers = [(); 3].map(|()| Buffer::new(&bench.device, 48));
        bench.dispatch(spirv, &buffers, 48);
        let found = taken(&log, "out of bounds");
        assert_eq!(found > 0, !mended, "{found} messages, mended: {mended}");
    }
}

#[test]
#[ignore = "takes GPU-assisted checks, as above"]
fn beyond_a_limit() {
    for mended in [true, false] {
        let (_guard, log, bench) = bench();
        let buffers = [(); 3].map(|()| Buffer::new(&bench.device, 48 * 128));
        let instance = bench.device.instance().raw();
        // SAFETY: the handle is of this instance, which is alive.
        let properties =
            unsafe { instance.get_physical_device_properties(bench.device.physical()) };
        let most = properties.limits.max_compute_work_group_count[1];
        assert!(most < 1 << 20, "{most} workgroups are too many for a test");
        let along_y = if mended { 1 } else { most + 1 };
        bench.dispatch_indirect(FIELD_ADD.spirv, &buffers, [1, along_y, 1]);
        let found = taken(&log, "dispatch");
        assert_eq!(found > 0, !mended, "{found} messages, mended: {mended}");
    }
}

#[test]
fn a_leak_is_reported() {
    for mended in [true, false] {
        let (_guard, log, bench) = bench();
        let leaked = Buffer::new(&bench.device, 4096);
        match mended {
            true => drop(leaked),
            false => {
                // What it holds beside the handles is dropped as ever.
                let (device, buffer, memory) = leaked.leak();
                assert_ne!(buffer, vk::Buffer::null());
                assert_ne!(memory, vk::DeviceMemory::null());
                drop(device);
            }
        }
        drop(bench);
        let found = taken(&log, "has not been destroyed");
        assert_eq!(found > 0, !mended, "{found} messages, mended: {mended}");
    }
}

#[test]
fn a_library_kernel_on_the_bench_is_without_reproach() {
    let (_guard, _, bench) = bench();
    let buffers = [(); 3].map(|()| Buffer::new(&bench.device, 48 * 128));
    bench.dispatch(FIELD_ADD.spirv, &buffers, 48 * 128);
}
