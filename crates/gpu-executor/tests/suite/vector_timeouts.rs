//! Submissions over vectors that the device does not finish in time: whoever waits gets an
//! error, nothing is taken for computed, and dropping does not hang.
//!
//! Without the validation layer where work is left in flight on purpose.

use std::time::{Duration, Instant};

use field_kernels::{Fr, arithmetic};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{FieldVec, Pending, Scalar, VectorEngine};
use gpu_executor::{Cache, DeviceKind, Error, VulkanError};
use vk_core::testing::DeviceTest;

use crate::engines::{self, error, expect, refused, run};
use crate::support::built;

const TIMEOUT: Duration = Duration::from_micros(50);
/// Squarings of so many elements take a multiple of that time.
const ROUNDS: usize = 300;
/// Far longer than anything here takes unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

fn is_late(error: &Error) -> bool {
    use VulkanError::{Busy, Timeout};
    matches!(error, Error::Vulkan(Timeout { .. } | Busy { .. }))
}

/// Elements that keep a device busy for some ten milliseconds or more.
fn many(backend: &PersistentVulkanBackend) -> usize {
    match backend.device().kind {
        DeviceKind::Software => 1 << 12,
        _ => 1 << 21,
    }
}

/// The element that is squared. No vector of many is uploaded: that waits too, and a
/// piece of one may take longer than the timeout.
const BASE: [u64; 4] = [3, 5, 7, 11];

/// A submission that takes long, with its result. The driver's compiler takes longer than
/// the timeout too, and another test's work may still be in flight on the queue: it is
/// asked for until it is there.
fn slow(engine: &VectorEngine, elements: usize) -> (FieldVec<Fr>, Pending) {
    let begin = Instant::now();
    loop {
        let queue = engine.queue();
        let mut power = queue.fill(Scalar::new(BASE), elements).unwrap();
        for _ in 0..ROUNDS {
            queue.square_assign(&mut power).unwrap();
        }
        match queue.submit() {
            Ok(pending) => return (power, pending),
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("did not finish within"), "{text}");
                assert!(begin.elapsed() < Duration::from_secs(60), "{text}");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

#[test]
fn until_the_work_has_ended_nothing_is_taken_for_computed() {
    let (_guard, mut backend) = built(engines::settled().timeout(TIMEOUT));
    let (engine, elements) = (backend.vectors().unwrap(), many(&backend));
    let (power, pending) = slow(&engine, elements);
    let after = TIMEOUT;
    let what = "the device";
    let timeout = Error::Vulkan(VulkanError::Timeout { what, after });
    assert_eq!(error(pending.wait()), timeout);
    // What is asked for meanwhile fails at once, and says why.
    let busy = Error::Vulkan(VulkanError::Busy { what, after });
    let (queue, next) = (engine.queue(), Instant::now());
    let sum = queue.sum(&power).unwrap();
    assert_eq!(error(queue.submit()), busy);
    refused!(sum.download::<u64>() => Error::NotComputed { .. });
    let mut out = vec![0; 4 * elements];
    assert_eq!(error(power.download_into(out.as_mut_slice())), busy);
    assert!(out.iter().all(|limb| *limb == 0));
    assert!(next.elapsed() < Duration::from_secs(1));
    // Once it has ended, all goes on: a download may be late by itself then.
    let begin = Instant::now();
    let found = loop {
        match power.download::<[u64; 4]>() {
            Ok(found) => break found,
            Err(late) => assert!(is_late(&late), "{late}"),
        }
        assert!(begin.elapsed() < LIMIT, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    };
    let expected = (0..ROUNDS).fold(BASE, |x, _| arithmetic::square::<Fr>(&x));
    assert_eq!(found, vec![expected; elements]);
}

#[test]
fn whatever_is_in_flight_everything_can_be_dropped() {
    let mut guard = DeviceTest::begin();
    for late in [true, false] {
        let builder = engines::settled().cache(Cache::Off).timeout(TIMEOUT);
        let mut backend = builder.build().unwrap();
        guard.watch(&backend.device().name, backend.validation_log().clone());
        let (engine, elements) = (backend.vectors().unwrap(), many(&backend));
        let (power, pending) = slow(&engine, elements);
        let begin = Instant::now();
        match late {
            true => assert!(is_late(&error(pending.wait()))),
            false => drop(pending),
        }
        // The vector is the last that keeps the engine.
        drop((backend, engine));
        drop(power);
        assert!(begin.elapsed() < Duration::from_secs(2), "dropping waited");
    }
    // Another backend goes on, once the queue is free where the device has one alone.
    let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
    let engine = builder.build().unwrap().vectors().unwrap();
    let begin = Instant::now();
    let x = loop {
        match engine.upload::<Fr>(&[[7_u64, 0, 0, 0]]) {
            Ok(x) => break x,
            Err(busy) => assert!(is_late(&busy), "{busy}"),
        }
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    };
    let queue = engine.queue();
    let doubled = queue.double(&x).unwrap();
    run(queue);
    expect(&doubled, &[[14, 0, 0, 0]], "doubled");
}
