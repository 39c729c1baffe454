//! The context on a real device, under the validation layer.

use vk_core::ash::vk;
use vk_core::testing::{
    DeviceTest, FENCES_VARIABLE, device_under_test, without_timeline_semaphores,
};
use vk_core::{
    CommandBuffer, Device, Error, Instance, KernelCache, StageTimer, Validation, ValidationLog,
    WaitPolicy,
};

#[test]
fn a_planted_leak_fails_the_guard() {
    let (guard, physical) = device_under_test().unwrap();
    let log = physical.instance().validation_log().clone();
    let device = Device::new(&physical).unwrap();
    // SAFETY: the device is alive; never destroyed, on purpose.
    let fence = unsafe {
        device
            .raw()
            .create_fence(&vk::FenceCreateInfo::default(), None)
    };
    assert!(fence.is_ok());
    drop((device, physical));
    assert!(!log.is_empty(), "the layer said nothing of a leaked fence");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(guard)));
    assert!(caught.is_err(), "the guard let messages pass");
}

#[test]
fn messages_of_one_instance_stay_out_of_another_log() {
    let (_guard, physical) = device_under_test().unwrap();
    let other = Instance::new(Validation::On).unwrap();
    let device = Device::new(&physical).unwrap();
    // A buffer of zero bytes is not allowed.
    let info = vk::BufferCreateInfo::default();
    // SAFETY: wrong on purpose; the layer reports it, and the drivers that
    // this runs on only refuse it or make a useless buffer.
    if let Ok(buffer) = unsafe { device.raw().create_buffer(&info, None) } {
        // SAFETY: created above, used nowhere.
        unsafe { device.raw().destroy_buffer(buffer, None) };
    }
    assert!(!physical.instance().validation_log().take().is_empty());
    assert!(other.validation_log().is_empty());
}

#[test]
fn kernels_are_made_once_and_the_least_recently_used_goes_first() {
    let (_guard, physical): (DeviceTest, _) = device_under_test().unwrap();
    let device = Device::new(&physical).unwrap();
    let mut cache = KernelCache::new(&device);
    let spirv = field_kernels::FIELD_ADD.spirv;
    let first = cache.get(spirv).unwrap();
    assert_eq!(first.shape().workgroup_size, 128);
    assert_eq!(first.push_constants(7), 7_u32.to_le_bytes());
    assert!(std::sync::Arc::ptr_eq(first.device(), &device));
    let add_u64 = cache.get(field_kernels::FIELD_ADD_U64.spirv).unwrap();
    assert_ne!(first.hash(), add_u64.hash());
    // The generator word of the header may hold anything: other modules by
    // their hash, the same code.
    let other = |generator| {
        let mut other = spirv.to_vec();
        other[8] = other[8].wrapping_add(1 + generator);
        other
    };
    let gone = std::sync::Arc::downgrade(&cache.get(&other(0)).unwrap());
    for generator in 1..u8::try_from(KernelCache::CAPACITY).unwrap() {
        assert!(gone.upgrade().is_some());
        cache.get(&other(generator)).unwrap();
        // Used in between, so never the least recently used one.
        assert!(std::sync::Arc::ptr_eq(&first, &cache.get(spirv).unwrap()));
    }
    assert!(gone.upgrade().is_none());
}

#[test]
fn without_validation_the_process_shares_one_instance() {
    let (_guard, physical) = device_under_test().unwrap();
    let first = Instance::new(Validation::Off).unwrap();
    for _ in 0..100 {
        let again = Instance::new(Validation::Off).unwrap();
        assert!(std::sync::Arc::ptr_eq(&first, &again));
    }
    assert!(!std::sync::Arc::ptr_eq(&first, physical.instance()));
    assert!(first.validation_log().is_empty());
}

/// Without validation: the layer does not bear it (see [`Validation::On`]).
#[test]
fn devices_come_and_go_on_several_threads_while_one_works() {
    let mut guard = DeviceTest::begin();
    let device = || {
        let instance = Instance::new(Validation::Off).unwrap();
        Device::new(&instance.devices().unwrap()[0]).unwrap()
    };
    guard.watch(&device().caps().name, ValidationLog::default());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..12).for_each(|_| drop(device())));
        }
        scope.spawn(|| {
            let device = device();
            let mut commands = CommandBuffer::new(&device).unwrap();
            for _ in 0..500 {
                // SAFETY: the submission of the round before is complete.
                unsafe { commands.record(|_, _| {}) }.unwrap();
                // SAFETY: recorded above, and waited for below.
                let ticket = unsafe { device.submit(commands.raw()) }.unwrap();
                device.wait(ticket, WaitPolicy::default()).unwrap();
            }
        });
    });
}

#[test]
fn a_command_buffer_is_recorded_and_submitted_again() {
    let (_guard, physical) = device_under_test().unwrap();
    let device = Device::new(&physical).unwrap();
    let mut commands = CommandBuffer::new(&device).unwrap();
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: not in flight.
        unsafe { commands.record(|_, _| std::panic::resume_unwind(Box::new(()))) }
    }));
    assert!(unwound.is_err());
    for _ in 0..2 {
        // SAFETY: the submission of the round before is complete.
        unsafe { commands.record(|_, _| {}) }.unwrap();
        // SAFETY: recorded above, and waited for below.
        let ticket = unsafe { device.submit(commands.raw()) }.unwrap();
        device.wait(ticket, WaitPolicy::default()).unwrap();
        assert_eq!(device.is_complete(ticket), Ok(true));
    }
}

#[test]
fn fences_do_what_timelines_do() {
    let (_guard, physical) = device_under_test().unwrap();
    let device = Device::new(&without_timeline_semaphores(physical)).unwrap();
    let mut buffers = [(); 3].map(|()| CommandBuffer::new(&device).unwrap());
    let policy = WaitPolicy {
        spin: std::time::Duration::ZERO,
        ..WaitPolicy::default()
    };
    for _ in 0..20 {
        let tickets = buffers.each_mut().map(|commands| {
            // SAFETY: the submissions of the round before are complete.
            unsafe { commands.record(|_, _| {}) }.unwrap();
            // SAFETY: recorded above, and waited for below.
            unsafe { device.submit(commands.raw()) }.unwrap()
        });
        std::thread::scope(|scope| {
            for ticket in tickets {
                let device = &device;
                scope.spawn(move || device.wait(ticket, policy).unwrap());
            }
        });
    }
}

#[test]
fn stages_of_one_submission_are_timed_in_order() {
    let (_guard, physical) = device_under_test().unwrap();
    let device = Device::new(&physical).unwrap();
    for stages in [0, 1 << 31, u32::MAX] {
        let refused = StageTimer::new(&device, stages).map(drop);
        assert!(matches!(refused, Err(Error::Unsupported { .. })));
    }
    let timer = StageTimer::new(&device, 2).unwrap().unwrap();
    let mut commands = CommandBuffer::new(&device).unwrap();
    let record = |_: &vk_core::ash::Device, buffer| {
        for (stage, end) in [(0, false), (0, true), (1, false), (1, true)] {
            // SAFETY: being recorded for the queue; the timer outlives it.
            unsafe { timer.record(buffer, stage, end) };
        }
    };
    // SAFETY: not in flight.
    unsafe { timer.reset() };
    assert_eq!(timer.spans(&[0]), Ok(None));
    // SAFETY: not in flight.
    unsafe { commands.record(record) }.unwrap();
    // SAFETY: recorded above, and waited for below.
    let ticket = unsafe { device.submit(commands.raw()) }.unwrap();
    device.wait(ticket, WaitPolicy::default()).unwrap();
    let spans = timer.spans(&[0, 1]).unwrap().unwrap();
    assert_eq!(spans.len(), 2);
    let (first, second) = (&spans[0], &spans[1]);
    assert!(first.start.is_zero(), "{spans:?}");
    assert!(
        first.start <= first.end && first.end <= second.start,
        "{spans:?}"
    );
    assert!(second.start <= second.end, "{spans:?}");
    assert!(second.end.as_secs() < 60, "{spans:?}");
    assert_eq!(timer.spans(&[0, 2]), Ok(None));
}

/// The switch that runs a whole suite on fences, in a process of its own.
#[test]
fn the_variable_takes_timeline_semaphores_away() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["device::on_fences", "--exact", "--ignored"])
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
