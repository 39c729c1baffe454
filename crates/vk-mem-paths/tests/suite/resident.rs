//! Kernels on operands in device memory, and the bandwidths beside which they
//! are measured, on a real device.

use std::sync::Arc;
use std::time::Duration;

use field_kernels::{ELEMENT_BYTES, KERNELS, LIMBS, reference};
use vk_core::testing::{DeviceTest, device_under_test, without_timeline_semaphores};
use vk_core::{Device, Kernel, KernelCache, PhysicalDevice};
use vk_mem_paths::{Bandwidth, Error, Resident};

/// A device and its kernels; drops before its guard.
struct Setup {
    kernels: KernelCache,
    device: Arc<Device>,
    _guard: DeviceTest,
}

impl Setup {
    fn new() -> Self {
        Self::with(|physical| physical)
    }

    fn with(change: impl FnOnce(PhysicalDevice) -> PhysicalDevice) -> Self {
        let (guard, physical) = device_under_test().unwrap();
        let device = Device::new(&change(physical)).unwrap();
        Self {
            kernels: KernelCache::new(&device).unwrap(),
            device,
            _guard: guard,
        }
    }

    fn resident(&self, kernel: &Arc<Kernel>, elements: usize) -> Result<Resident, Error> {
        let layout = self.kernels.set_layout();
        Resident::new(&self.device, layout, kernel, elements, ELEMENT_BYTES)
    }

    /// The library's kernels that this device can run.
    fn library_kernels(&mut self) -> Vec<Arc<Kernel>> {
        let int64 = self.device.caps().features.shader_int64;
        let kernels = KERNELS
            .iter()
            .filter(|kernel| int64 || !kernel.needs_shader_int64);
        kernels
            .map(|kernel| self.kernels.get(kernel.spirv).unwrap())
            .collect()
    }
}

/// Elements below the modulus: the highest byte of each stays small.
fn operand(elements: usize, factor: usize) -> Vec<u8> {
    let byte = |i: usize| match i % ELEMENT_BYTES {
        47 => 0x0d,
        _ => u8::try_from(i * factor % 256).unwrap(),
    };
    (0..elements * ELEMENT_BYTES).map(byte).collect()
}

fn sums(a: &[u8], b: &[u8]) -> Vec<u8> {
    let limbs = |bytes: &[u8]| -> [u64; LIMBS] {
        std::array::from_fn(|i| u64::from_le_bytes(*bytes[8 * i..].first_chunk().unwrap()))
    };
    a.chunks(ELEMENT_BYTES)
        .zip(b.chunks(ELEMENT_BYTES))
        .flat_map(|(a, b)| reference::add(&limbs(a), &limbs(b)))
        .flat_map(u64::to_le_bytes)
        .collect()
}

#[test]
fn every_kernel_is_right_for_any_tail_and_however_often_it_ran() {
    let mut setup = Setup::new();
    for kernel in setup.library_kernels() {
        for elements in [1, 127, 128, 129, 1000] {
            let (a, b) = (operand(elements, 31), operand(elements, 37));
            let mut resident = setup.resident(&kernel, elements).unwrap();
            assert_eq!(resident.elements(), elements);
            let mut result = vec![0; a.len()];
            // The same rounds again, which are not recorded again, and others.
            for rounds in [1, 1, 3] {
                resident.upload(&a, &b).unwrap();
                resident.download(&mut result).unwrap();
                assert!(result.iter().all(|byte| *byte == 0xff), "{elements}");
                assert!(resident.run(rounds).unwrap() > Duration::ZERO);
                resident.download(&mut result).unwrap();
                assert_eq!(result, sums(&a, &b), "{elements}");
            }
            // Other operands of the same length.
            resident.upload(&b, &b).unwrap();
            resident.run(2).unwrap();
            resident.download(&mut result).unwrap();
            assert_eq!(result, sums(&b, &b), "{elements}");
        }
    }
}

#[test]
fn without_timelines_it_runs_too_and_no_rounds_take_no_time() {
    let mut setup = Setup::with(without_timeline_semaphores);
    let kernel = setup.library_kernels().remove(0);
    let (a, b) = (operand(500, 31), operand(500, 37));
    let mut resident = setup.resident(&kernel, 500).unwrap();
    resident.upload(&a, &b).unwrap();
    assert_eq!(resident.run(0).unwrap(), Duration::ZERO);
    resident.run(1).unwrap();
    let mut result = vec![0; a.len()];
    resident.download(&mut result).unwrap();
    assert_eq!(result, sums(&a, &b));
}

#[test]
fn what_does_not_fit_is_an_error_with_expected_and_found() {
    let mut setup = Setup::new();
    let kernel = setup.library_kernels().remove(0);
    for elements in [0, usize::MAX / ELEMENT_BYTES, 1 << 32] {
        let error = setup.resident(&kernel, elements).err().unwrap();
        let text = error.to_string();
        assert!(
            matches!(error, Error::Vulkan(vk_core::Error::Unsupported { .. })),
            "{text}"
        );
        assert!(
            text.contains(&format!("over {elements} elements")),
            "{text}"
        );
        assert!(text.contains("found room for 1 to "), "{text}");
    }
    let mut resident = setup.resident(&kernel, 10).unwrap();
    let (right, wrong) = (operand(10, 3), operand(11, 3));
    let error = resident.upload(&right, &wrong).unwrap_err().to_string();
    assert!(
        error.contains("expected B of 480 bytes, found 528"),
        "{error}"
    );
    let mut result = vec![0; 479];
    let error = resident.download(&mut result).unwrap_err().to_string();
    assert!(error.contains("of 480 bytes, found 479"), "{error}");
}

#[test]
fn a_kernel_of_another_device_is_refused() {
    let (setup, mut other) = (Setup::new(), Setup::new());
    let foreign = other.library_kernels().remove(0);
    let error = setup.resident(&foreign, 10).err().unwrap();
    assert!(matches!(error, Error::ForeignKernel { .. }), "{error}");
}

#[test]
fn bandwidths_are_positive_and_finite_and_need_memory() {
    for timeline in [true, false] {
        let setup = Setup::with(|physical| match timeline {
            true => physical,
            false => without_timeline_semaphores(physical),
        });
        for bytes in [1, 5, 1 << 20] {
            let found = Bandwidth::measure(&setup.device, bytes).unwrap();
            let rates = [
                found.device_copy,
                found.host_to_device,
                found.device_to_host,
                found.both_directions,
            ];
            let good = |rate: &f64| rate.is_finite() && *rate > 0.0;
            assert!(rates.iter().all(good), "{bytes} bytes: {rates:?}");
            assert_eq!(found.bytes, bytes);
        }
        let none = Bandwidth::measure(&setup.device, 0).unwrap_err();
        assert!(none.to_string().contains("1 byte or more"), "{none}");
        let large = Bandwidth::measure(&setup.device, 1 << 50).unwrap_err();
        assert!(matches!(large, Error::OutOfDeviceMemory { .. }), "{large}");
    }
}
