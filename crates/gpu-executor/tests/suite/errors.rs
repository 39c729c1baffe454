//! Input that does not fit: the error names the job, what was expected and
//! what was found, and the backend works on as before.

use std::time::{Duration, Instant};

use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{DevicePolicy, Error, VulkanError};

use crate::engines::{error, refused};
use crate::support::{assert_sums, backend, borrowed, built, random_jobs, test_kernel};

#[test]
fn a_device_that_is_not_there_is_named_with_those_that_are() {
    let (_guard, backend) = backend();
    let policy = DevicePolicy::Name("no such device".to_owned());
    let builder = PersistentVulkanBackend::builder().device(policy);
    let error = error(builder.build());
    let missing = matches!(error, Error::Vulkan(VulkanError::NoMatchingDevice { .. }));
    let text = error.to_string();
    let named = text.contains("no such device") && text.contains(&backend.device().name);
    assert!(missing && named, "{text}");
}

#[test]
fn after_a_timeout_calls_fail_at_once_until_the_work_has_ended() {
    let elements = 1 << 20;
    let builder = PersistentVulkanBackend::builder().chunk_elements(elements);
    let (_guard, mut backend) = built(builder.timeout(Duration::from_micros(50)));
    let spirv = backend.field_add_spirv();
    let jobs = random_jobs(1, elements, 1);
    let batch = borrowed(&jobs);
    let mut run = || backend.run_field_add_batch(spirv, &batch, elements, false);
    let after = Duration::from_micros(50);
    let begin = Instant::now();
    let timeout = loop {
        let error = error(run());
        // The driver's compiler takes longer too, and makes the kernel all the same.
        if !error.to_string().contains("compiler") {
            break error;
        }
        assert!(begin.elapsed() < Duration::from_secs(60));
    };
    let what = "the device";
    assert_eq!(timeout, Error::Vulkan(VulkanError::Timeout { what, after }));
    // Each later call ends alike: at once, or after a wait of its own.
    let begin = Instant::now();
    loop {
        match run() {
            Ok(results) => break assert_sums(&results, &jobs, "after a timeout"),
            failed => {
                use VulkanError::{Busy, Timeout};
                let late = error(failed);
                let is_late = matches!(late, Error::Vulkan(Timeout { .. } | Busy { .. }));
                assert!(is_late, "{late}");
            }
        }
        if begin.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
    drop(backend);
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "dropping took long"
    );
}

#[test]
fn the_cpu_engine_computes_what_it_knows_and_refuses_the_rest() {
    let mut cpu = CpuEngine::with_threads(2).unwrap();
    let jobs = random_jobs(3, 5000, 2);
    let batch = borrowed(&jobs);
    for kernel in gpu_executor::kernels::KERNELS {
        let results = cpu
            .run_field_add_batch(kernel.spirv, &batch, 5000, true)
            .unwrap();
        assert_sums(&results, &jobs, kernel.name);
        assert_eq!(cpu.last_report().unwrap().kernel, kernel.name);
    }
    refused!(cpu.run_field_add_batch(&test_kernel("field_sub"), &batch, 5000, false)
        => Error::UnknownKernelOnCpu { .. });
    assert!(cpu.last_report().is_none());
}
