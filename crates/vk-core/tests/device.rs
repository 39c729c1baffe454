//! The context on a real device, under the validation layer.

use vk_core::ash::vk;
use vk_core::testing::{DeviceTest, device_under_test};
use vk_core::{Device, Instance, InstanceOptions, KernelCache, Validation, choose_queues};

#[test]
fn a_planted_mistake_is_caught_by_the_validation_layer() {
    let (guard, physical) = device_under_test().unwrap();
    let log = physical.instance().validation_log().clone();
    let device = Device::new(&physical).unwrap();
    assert!(log.is_empty(), "{log:?}");
    // A buffer of zero bytes is not allowed.
    let info = vk::BufferCreateInfo::default().usage(vk::BufferUsageFlags::STORAGE_BUFFER);
    // SAFETY: wrong on purpose; the layer reports it, and the drivers that
    // this runs on only refuse it or make a useless buffer.
    if let Ok(buffer) = unsafe { device.raw().create_buffer(&info, None) } {
        // SAFETY: created above, used nowhere.
        unsafe { device.raw().destroy_buffer(buffer, None) };
    }
    let messages = log.take();
    assert!(
        !messages.is_empty(),
        "the layer said nothing of a buffer of zero bytes"
    );
    drop((device, guard));
}

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
    let options = InstanceOptions {
        validation: Validation::On,
    };
    let (_guard, physical) = device_under_test().unwrap();
    let other = Instance::new(&options).unwrap();
    let device = Device::new(&physical).unwrap();
    let info = vk::BufferCreateInfo::default();
    // SAFETY: wrong on purpose, as above.
    if let Ok(buffer) = unsafe { device.raw().create_buffer(&info, None) } {
        // SAFETY: created above, used nowhere.
        unsafe { device.raw().destroy_buffer(buffer, None) };
    }
    assert!(!physical.instance().validation_log().take().is_empty());
    assert!(other.validation_log().is_empty());
}

#[test]
fn the_device_has_the_queues_of_the_plan_and_its_caps() {
    let (_guard, physical) = device_under_test().unwrap();
    let device = Device::new(&physical).unwrap();
    assert_eq!(device.caps(), physical.caps());
    assert_eq!(
        *device.queue_plan(),
        choose_queues(physical.caps()).unwrap()
    );
}

#[test]
fn kernels_are_made_once_and_the_least_recently_used_goes_first() {
    let (_guard, physical): (DeviceTest, _) = device_under_test().unwrap();
    let device = Device::new(&physical).unwrap();
    let mut cache = KernelCache::new(&device).unwrap();
    let spirv = field_kernels::FIELD_ADD.spirv;
    let first = cache.get(spirv).unwrap();
    assert_eq!(first.workgroup_size(), 128);
    assert_eq!(first.push_constants(7), 7_u32.to_le_bytes());
    // The generator word of the header may hold anything: other modules by
    // their hash, the same code.
    for generator in 0..u8::try_from(KernelCache::CAPACITY).unwrap() {
        let mut other = spirv.to_vec();
        other[8] = other[8].wrapping_add(1 + generator);
        cache.get(&other).unwrap();
        // Used in between, so never the least recently used one.
        assert!(std::sync::Arc::ptr_eq(&first, &cache.get(spirv).unwrap()));
    }
    assert_eq!(cache.len(), KernelCache::CAPACITY);
}
