//! Backends come and go: on any thread, in any order, in the middle of
//! trouble, and without leaving anything behind. The long form of this is
//! `cargo xtask soak life`.
//!
//! Without the validation layer, which does not bear several threads and keeps
//! records that grow.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use field_kernels::Fr;
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{
    Cache, Error, Executor, Fastest, HostBuffer, PathChoice, TransferPath, VulkanError, WaitPolicy,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use vk_core::testing::DeviceTest;

use crate::support::{
    assert_limbs, assert_sums, borrowed, child, random_elements, random_jobs, sums, unvalidated,
};

fn plain(builder: Builder<PersistentVulkanBackend>) -> PersistentVulkanBackend {
    builder.cache(Cache::Off).build().unwrap()
}

/// A guard for tests that make their backends themselves.
fn begin() -> DeviceTest {
    unvalidated(PersistentVulkanBackend::builder()).0
}

fn add(backend: &mut PersistentVulkanBackend, elements: usize, seed: u64) {
    let jobs = random_jobs(2, elements, seed);
    let results = backend.field_add_batch(&borrowed(&jobs), elements).unwrap();
    assert_sums(&results, &jobs, "pipelined");
}

#[test]
fn what_computes_can_be_sent() {
    fn sendable<T: Send + 'static>() {}
    sendable::<PersistentVulkanBackend>();
    sendable::<HostBuffer>();
    sendable::<CpuEngine>();
    sendable::<Executor>();
    sendable::<Fastest>();
    sendable::<anyhow::Error>();
}

/// Pipelines belong to the device that the process shares, not to an engine.
#[test]
fn the_second_engine_of_a_device_makes_no_kernel() {
    let _guard = begin();
    let compiling = || {
        let engine = plain(PersistentVulkanBackend::builder()).vectors().unwrap();
        let x = engine.upload::<Fr>(&[1, 2, 3, 4]).unwrap();
        let queue = engine.queue();
        // As no other test does it.
        let same = queue.sub(queue.double(&x).unwrap(), &x).unwrap();
        let y = queue.mul(same, &x).unwrap();
        let done = queue.submit().unwrap().wait().unwrap();
        assert_eq!(y.len(), 1);
        done.report().compile
    };
    assert_ne!(compiling(), Duration::ZERO);
    assert_eq!(compiling(), Duration::ZERO);
}

#[test]
fn a_backend_is_made_used_and_dropped_on_three_threads() {
    let _guard = begin();
    let (mut backend, mut out) = thread::spawn(|| {
        let mut backend = plain(PersistentVulkanBackend::builder());
        add(&mut backend, 3_000, 1);
        let out = backend.host_buffer(500).unwrap();
        (backend, out)
    })
    .join()
    .unwrap();
    let limbs = random_elements(500, 2);
    let (backend, out) = thread::spawn(move || {
        add(&mut backend, 5_000, 3);
        let mut a = backend.host_buffer(500).unwrap();
        a.copy_from_slice(&limbs);
        backend.field_add_host(&a, &a, &mut out).unwrap();
        assert_limbs(&out, &sums(&limbs, &limbs), "moved");
        (backend, out)
    })
    .join()
    .unwrap();
    let report = backend.last_report().unwrap().clone();
    assert_eq!(report.elements, 500);
    // The buffer outlives its backend, on another thread.
    thread::spawn(move || drop(backend)).join().unwrap();
    assert_eq!(out.len(), 3_000);
    drop(out);
}

#[test]
fn threads_make_use_and_drop_backends_in_any_order() {
    let _guard = begin();
    let (sender, receiver) = mpsc::channel::<PersistentVulkanBackend>();
    thread::scope(|scope| {
        for thread in 0..4 {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut random = SmallRng::seed_from_u64(thread);
                let mut alive = Vec::new();
                for round in 0..5 {
                    let threads = random.random_range(1..4);
                    alive.push(plain(PersistentVulkanBackend::builder().threads(threads)));
                    for backend in &mut alive {
                        add(backend, random.random_range(1..2_000), thread + round);
                    }
                    if alive.len() > 2 {
                        drop(alive.swap_remove(random.random_range(0..alive.len())));
                    }
                }
                // One is dropped by another thread, the others here, the
                // youngest first.
                sender.send(alive.swap_remove(0)).unwrap();
                while let Some(backend) = alive.pop() {
                    drop(backend);
                }
            });
        }
        drop(sender);
        let mut received = 0;
        for mut backend in receiver {
            add(&mut backend, 100, 9);
            received += 1;
        }
        assert_eq!(received, 4);
    });
}

#[test]
fn a_backend_is_dropped_in_the_middle_of_a_failed_pipelined_run() {
    let _guard = begin();
    let impatient = WaitPolicy {
        spin: Duration::ZERO,
        timeout: Duration::ZERO,
    };
    let elements = 400_000;
    let jobs = random_jobs(2, elements, 4);
    let batch = borrowed(&jobs);
    let mut failed = 0;
    for path in [TransferPath::HostVisible, TransferPath::DeviceLocal] {
        for depth in [1, 2, 4] {
            let builder = PersistentVulkanBackend::builder()
                .path(PathChoice::Fixed(path))
                .chunk_elements(100_000)
                .depth(depth)
                .wait(impatient);
            let mut backend = plain(builder);
            let spirv = backend.field_add_spirv();
            match backend.run_field_add_batch_pipelined(spirv, &batch, elements) {
                Ok(results) => assert_sums(&results, &jobs, "in no time"),
                Err(error) => {
                    let error: &Error = error.downcast_ref().unwrap();
                    let timed_out = matches!(error, Error::Vulkan(VulkanError::Timeout { .. }));
                    assert!(timed_out, "{error}");
                    assert!(backend.last_report().is_none());
                    failed += 1;
                }
            }
            // With whatever is in flight; the device is as good as before.
            drop(backend);
            add(&mut plain(PersistentVulkanBackend::builder()), 1_000, 5);
        }
    }
    assert!(failed > 0, "every run was complete in no time");
}

/// Resident memory in KiB.
#[cfg(target_os = "linux")]
fn resident() -> Option<u64> {
    let sums = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = sums.lines().find(|line| line.starts_with("Rss:"));
    line?.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn resident() -> Option<u64> {
    Some(0)
}

/// What resident memory may grow by, in KiB: less than one backend takes.
const UNSTEADY: u64 = 4 << 10;

/// Runs `work` until resident memory is steady over it: allocators and drivers
/// keep what they had, and a leak adds to it every time.
///
/// Alone in their processes: what other tests take and give back would count too.
fn expect_steady(mut work: impl FnMut()) {
    let mut seen = vec![resident().unwrap()];
    for _ in 0..6 {
        work();
        seen.push(resident().unwrap());
        if seen[seen.len() - 1] <= seen[seen.len() - 2] + UNSTEADY {
            return;
        }
    }
    assert!(seen.is_empty(), "KiB of resident memory: {seen:?}");
}

#[test]
fn batches_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    if !child::is_alone("life::batches_leave_nothing_behind", folder.path()) {
        return;
    }
    let _guard = begin();
    let mut backend = plain(PersistentVulkanBackend::builder().threads(2));
    let spirv = backend.field_add_spirv();
    let jobs = [1_000, 128, 4_097].map(|elements| random_jobs(2, elements, 6));
    let mut batches = |count: usize| {
        for number in 0..count {
            let jobs = &jobs[number % jobs.len()];
            let (batch, elements) = (borrowed(jobs), jobs[0].0.len() / 6);
            let results = match number % 4 {
                0 => backend.run_field_add_batch(spirv, &batch, elements, false),
                1 => backend.run_field_add_batch(spirv, &batch, elements, true),
                2 => backend.run_field_add_batch_pipelined(spirv, &batch, elements),
                _ => {
                    let mut a = backend.host_buffer(elements).unwrap();
                    let mut out = backend.host_buffer(elements).unwrap();
                    a.copy_from_slice(batch[0].0);
                    backend.field_add_host(&a, &a, &mut out).unwrap();
                    assert_limbs(&out, &sums(&a, &a), "host buffers");
                    continue;
                }
            };
            assert_sums(&results.unwrap(), jobs, &format!("batch {number}"));
        }
        backend.allocated_memory().unwrap()
    };
    // Every way with every size, so that there is all that is kept.
    let kept = batches(48);
    expect_steady(|| assert_eq!(batches(300), kept));
}

#[test]
fn backends_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    if !child::is_alone("life::backends_leave_nothing_behind", folder.path()) {
        return;
    }
    let _guard = begin();
    let cycle = || {
        let mut backend = plain(PersistentVulkanBackend::builder());
        add(&mut backend, 1_000, 7);
        assert!(backend.allocated_memory().unwrap().buffers > 0);
    };
    expect_steady(|| (0..10).for_each(|_| cycle()));
}
