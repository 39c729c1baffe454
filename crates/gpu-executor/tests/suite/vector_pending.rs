//! Submissions that are waited for, looked at, awaited and let go, by one thread and by
//! several.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use field_kernels::{Field, Fr, arithmetic};
use gpu_executor::DeviceKind;
use gpu_executor::vectors::{FieldVec, Pending, Scalar, VectorEngine};

use crate::engines::{self, each, expect, on_both_engines, products, random, run, sum};
use crate::support;

on_both_engines! {
    a_submission_is_complete_at_some_time
    other_tasks_run_while_a_submission_is_awaited
    submissions_are_awaited
    a_submission_is_polled_by_one_thread_and_ready_on_another
    submissions_may_be_let_go
    results_of_a_submission_in_flight_are_used_at_once
    threads_share_an_engine
}

const LEN: usize = 5_000;

/// Unparks a thread, and counts how often it did.
struct Unpark(Thread, AtomicU32);

impl Unpark {
    fn new() -> (Arc<Self>, Waker) {
        let unpark = Arc::new(Self(std::thread::current(), AtomicU32::new(0)));
        (Arc::clone(&unpark), unpark.into())
    }

    fn count(&self) -> u32 {
        self.1.load(Ordering::SeqCst)
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

/// An executor of one future: it polls only when it was woken.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let (unpark, waker) = Unpark::new();
    let mut future = pin!(future);
    let mut polls = 0;
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        polls += 1;
        let begun = Instant::now();
        while unpark.count() < polls {
            assert!(begun.elapsed() < Duration::from_secs(30), "never woken");
            std::thread::park_timeout(Duration::from_secs(1));
        }
    }
}

/// Lets threads that wait for what is complete come to their end, so that the device
/// goes with the test.
fn let_threads_end() {
    std::thread::sleep(Duration::from_millis(50));
}

/// Something that takes a while, and its expected sum.
fn submitted(engine: &VectorEngine, seed: u64) -> (Pending, FieldVec<Fr>, [u64; 4]) {
    let (x, vector) = random::<Fr>(engine, LEN, seed);
    let queue = engine.queue();
    let power = queue.pow(&vector, 1 << 12 | 1).unwrap();
    let total = queue.sum(&power).unwrap();
    let power = |x: &[u64; 4]| {
        let high = (0..12).fold(*x, |x, _| arithmetic::square::<Fr>(&x));
        arithmetic::mul::<Fr>(&high, x)
    };
    let expected = sum::<Fr>(&each(&x, power));
    (queue.submit().unwrap(), total, expected)
}

fn a_submission_is_complete_at_some_time(engine: &VectorEngine) {
    let (pending, total, expected) = submitted(engine, 1);
    let begun = Instant::now();
    while !pending.is_complete().unwrap() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::yield_now();
    }
    assert!(pending.is_complete().unwrap());
    let done = pending.wait().unwrap();
    assert_eq!((done.report().operations, done.report().zeros), (14, 0));
    assert!(done.total() <= begun.elapsed() + Duration::from_secs(30));
    expect(&total, &[expected], "the sum");
}

fn submissions_are_awaited(engine: &VectorEngine) {
    let all: Vec<_> = (0..6).map(|seed| submitted(engine, seed)).collect();
    // The last first: those before it are complete by then.
    for (pending, total, expected) in all.into_iter().rev() {
        let done = block_on(pending).unwrap();
        assert_eq!(done.report().operations, 14);
        expect(&total, &[expected], "the sum");
    }
    let_threads_end();
}

/// A task that is always ready, and counts how often it was polled.
struct Ticks<'t>(&'t AtomicU32);

impl Future for Ticks<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Polls both tasks in turn, on one thread, until the first is ready.
fn beside<T>(task: impl Future<Output = T>, other: impl Future<Output = ()>) -> T {
    let (mut task, mut other) = (pin!(task), pin!(other));
    block_on(std::future::poll_fn(|context| {
        let _ = other.as_mut().poll(context);
        task.as_mut().poll(context)
    }))
}

fn other_tasks_run_while_a_submission_is_awaited(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, LEN, 12);
    let ticks = AtomicU32::new(0);
    let program = async {
        let queue = engine.queue();
        let power = queue.pow(&vector, u64::MAX).unwrap();
        let pending = queue.submit().unwrap();
        let before = ticks.load(Ordering::SeqCst);
        pending.await.unwrap();
        (power, ticks.load(Ordering::SeqCst) - before)
    };
    let (power, ticked) = beside(program, Ticks(&ticks));
    assert!(ticked > 10, "{ticked} ticks while it was computed");
    let expected = each(&x, |x| arithmetic::pow::<Fr>(x, u64::MAX));
    expect(&power, &expected, "a power");
    let_threads_end();
}

fn a_submission_is_polled_by_one_thread_and_ready_on_another(engine: &VectorEngine) {
    let (mut pending, total, expected) = submitted(engine, 7);
    let (first, waker) = Unpark::new();
    let polled = Pin::new(&mut pending).poll(&mut Context::from_waker(&waker));
    if let Poll::Ready(done) = polled {
        // It may be complete by now.
        assert!(done.is_ok());
        expect(&total, &[expected], "the sum");
        return;
    }
    let other = std::thread::spawn(move || block_on(pending).unwrap());
    assert_eq!(other.join().unwrap().report().operations, 14);
    // The other's waker may have come before the end or after it.
    assert!(first.count() <= 1);
    expect(&total, &[expected], "the sum");
    let_threads_end();
}

fn submissions_may_be_let_go(engine: &VectorEngine) {
    let mut sums = Vec::new();
    for seed in 0..20 {
        let (mut pending, total, expected) = submitted(engine, seed);
        if seed % 2 == 0 {
            let (_, waker) = Unpark::new();
            // Nobody looks whether it is ready.
            let _ = Pin::new(&mut pending).poll(&mut Context::from_waker(&waker));
        }
        drop(pending);
        sums.push((total, expected));
    }
    for (total, expected) in sums {
        expect(&total, &[expected], "the sum");
    }
    let_threads_end();
}

fn results_of_a_submission_in_flight_are_used_at_once(engine: &VectorEngine) {
    let (first, mut total, expected) = submitted(engine, 8);
    let queue = engine.queue();
    queue.square_assign(&mut total).unwrap();
    let read = queue.read(&total).unwrap();
    let second = queue.submit().unwrap();
    // The second is complete no earlier than the first.
    let done = second.wait().unwrap();
    let square = arithmetic::square::<Fr>(&expected);
    assert_eq!(done.element(&read).unwrap(), square);
    assert!(first.is_complete().unwrap());
    first.wait().unwrap();
    expect(&total, &[square], "its square");
}

/// Each with queues of its own, on vectors of all of them.
fn threads_share_an_engine(engine: &VectorEngine) {
    let (x, shared) = random::<Fr>(engine, 1000, 9);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (x, shared, engine) = (&x, shared.clone(), engine.clone());
            scope.spawn(move || {
                let (y, mut own) = random::<Fr>(&engine, 1000, 100 + thread);
                let mut expected = y;
                for round in 0..10 {
                    let queue = engine.queue();
                    queue.mul_assign(&mut own, &shared).unwrap();
                    let total = queue.sum(&own).unwrap();
                    let read = queue.read(&total).unwrap();
                    let done = run(queue);
                    expected = products::<Fr>(&expected, x);
                    let total = sum::<Fr>(&expected);
                    assert_eq!(done.element(&read).unwrap(), total, "{thread} {round}");
                }
                expect(&own, &expected, "what one thread made");
                if thread == 0 {
                    engine.trim();
                }
            });
        }
    });
    expect(&shared, &x, "what all of them read");
}

/// A download waits for all that was submitted before it, and nobody waits for it.
#[test]
fn a_download_keeps_no_other_thread_from_submitting() {
    const ROUNDS: usize = 1000;
    let (_guard, mut backend) = support::built(engines::settled());
    let elements = match backend.device().kind {
        DeviceKind::Software => 1 << 12,
        _ => 1 << 22,
    };
    let engine = backend.vectors().unwrap();
    let (x, vector) = random::<Fr>(&engine, elements, 11);
    let double = || {
        let queue = engine.queue();
        let doubled = queue.double(&vector).unwrap();
        (doubled, queue.submit().unwrap())
    };
    // Its kernel is made now.
    double().1.wait().unwrap();
    let (queue, mut power) = (engine.queue(), vector.clone());
    for _ in 0..ROUNDS {
        queue.square_assign(&mut power).unwrap();
    }
    let slow = queue.submit().unwrap();
    let begun = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            let found = power.slice(0..1).unwrap().download::<[u64; 4]>().unwrap();
            let square = |x, _| arithmetic::square::<Fr>(&x);
            assert_eq!(found, [(0..ROUNDS).fold(x[0], square)]);
        });
        begun.wait();
        std::thread::sleep(Duration::from_millis(5));
        let (doubled, pending) = double();
        assert!(!slow.is_complete().unwrap(), "it waited for the download");
        pending.wait().unwrap();
        slow.wait().unwrap();
        let (first, expected) = (
            doubled.slice(0..1).unwrap(),
            arithmetic::double::<Fr>(&x[0]),
        );
        expect(&first, &[expected], "what came after");
    });
}

/// A queue and its vectors may go to another thread before they are submitted.
#[test]
fn queues_and_vectors_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn is_sync<T: Send + Sync>(_: &T) {}
    let engine = engines::cpu();
    let (x, vector) = random::<Fr>(&engine, 10, 10);
    let queue = engine.queue();
    let sum = queue.add(&vector, Scalar::one()).unwrap();
    is_send(&queue);
    is_sync(&sum);
    is_sync(&engine);
    let thread = std::thread::spawn(move || queue.submit().unwrap());
    let pending = thread.join().unwrap();
    is_send(&pending);
    pending.wait().unwrap();
    let expected = each(&x, |x| arithmetic::add::<Fr>(x, &Fr::ONE));
    expect(&sum, &expected, "x + 1");
}
