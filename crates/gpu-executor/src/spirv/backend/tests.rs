use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use vk_core::testing::{DeviceTest, lose};

use super::*;
use crate::vectors::{Arithmetic, Fr, MemoryAccess, Scalar};
use crate::{Cache, DataPathError, Error, FieldAdd, Validation};

fn backend() -> (DeviceTest, PersistentVulkanBackend) {
    let mut guard = DeviceTest::begin();
    let builder = PersistentVulkanBackend::builder().validation(Validation::On);
    let builder = builder
        .arithmetic(Arithmetic::U32)
        .memory_access(MemoryAccess::Direct);
    let backend = builder.cache(Cache::Off).build().unwrap();
    guard.watch(&backend.device().name, backend.validation_log().clone());
    (guard, backend)
}

fn is_lost<T>(result: crate::Result<T>) -> bool {
    matches!(
        result,
        Err(Error::Vulkan(vk_core::Error::DeviceLost { .. }))
    )
}

/// Each way to a vector says so, nothing waits, and destruction leaves nothing behind.
#[test]
fn vectors_of_a_lost_device_are_gone_and_a_new_engine_computes() {
    let (_guard, mut backend) = backend();
    for losses in 1..=2 {
        let engine = backend.vectors().unwrap();
        let x = engine.upload::<Fr>(&vec![1_u64; 4 * 100]).unwrap();
        let in_flight = |x| {
            let queue = engine.queue();
            let result = queue.square(x).unwrap();
            let _total = queue.sum(&result).unwrap();
            (queue.submit().unwrap(), result)
        };
        let (waited, square) = in_flight(&x);
        let (mut polled, _) = in_flight(&square);
        let (unpolled, _) = in_flight(&square);
        let recorded = engine.queue();
        let sum = recorded.add(&x, Scalar::one()).unwrap();
        lose(&backend.opened.open.device);
        let begun = Instant::now();
        assert!(is_lost(unpolled.is_complete()));
        assert!(is_lost(waited.wait()));
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut polled).poll(&mut context) {
            Poll::Ready(result) => assert!(is_lost(result)),
            Poll::Pending => unreachable!("nothing is coming"),
        }
        assert!(is_lost(x.download::<u64>()));
        assert!(is_lost(square.slice(3..4).unwrap().download::<[u64; 4]>()));
        assert!(is_lost(engine.upload::<Fr>(&vec![1_u64; 4 << 16])));
        assert!(is_lost(recorded.submit()));
        let gone = sum.download::<u64>();
        let Err(Error::NotComputed { operation, source }) = gone else {
            unreachable!("{gone:?}")
        };
        assert_eq!(operation, "download");
        assert!(is_lost::<()>(Err((*source).clone())));
        engine.trim();

        let new = backend.vectors().unwrap();
        assert_eq!(backend.losses(), losses);
        let foreign = new.queue().neg(&x);
        assert!(matches!(foreign, Err(Error::ForeignVector { .. })));
        let y = new.upload::<Fr>(&vec![2_u64; 4 * 100]).unwrap();
        let queue = new.queue();
        let z = queue.add(&y, &y).unwrap();
        queue.submit().unwrap().wait().unwrap();
        assert_eq!(z.download::<u64>().unwrap(), vec![4; 4 * 100]);
        // What is left of the old one goes after the new one was made.
        drop((x, square, sum, engine, unpolled, polled));
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

/// The engine is what noticed, and the backend's own calls go on too.
#[test]
fn all_ways_to_compute_survive_a_loss() {
    let (_guard, mut backend) = backend();
    let (a, b) = (vec![1; 6 * 50], vec![2; 6 * 50]);
    assert_eq!(backend.field_add(&a, &b).unwrap(), vec![3; 6 * 50]);
    let old = backend.host_buffer(50).unwrap();
    for losses in 1..=3 {
        let engine = backend.vectors().unwrap();
        lose(&backend.opened.open.device);
        assert!(is_lost(engine.upload::<Fr>(&[1_u64; 4])));
        assert_eq!(backend.field_add(&a, &b).unwrap(), vec![3; 6 * 50]);
        assert_eq!(backend.losses(), losses);
        assert!(is_lost(engine.upload::<Fr>(&[1_u64; 4])));
        assert!(backend.vectors().unwrap().upload::<Fr>(&[1_u64; 4]).is_ok());
    }
    let mut out = backend.host_buffer(50).unwrap();
    let error = backend.field_add_host(&old, &old, &mut out).unwrap_err();
    let foreign = matches!(
        error,
        Error::DataPath(DataPathError::ForeignBuffer { what: "A", .. })
    );
    assert!(foreign, "{error}");
    let mut new = backend.host_buffer(50).unwrap();
    new.copy_from_slice(&a);
    backend.field_add_host(&new, &new, &mut out).unwrap();
    assert!(out.iter().all(|limb| *limb == 2));
    drop(old);
}
