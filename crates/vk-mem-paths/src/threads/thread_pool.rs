//! Threads that work on one task together while the caller waits.
//!
//! # Safety
//!
//! Workers call a closure whose borrows they cannot see. What keeps that
//! sound:
//!
//! 1. `left` counts the calls of a task that nobody has taken, `unfinished`
//!    those that have not returned. [`ThreadPool::run`] sets both, after it wrote
//!    `task` and while both were 0, and does not return or unwind before both
//!    are 0 again.
//! 2. Whoever calls the task has lowered `left` from more than 0 before, and
//!    lowers `unfinished` after. So between the two, `run` has not returned:
//!    `task` is that of the call, its borrows are alive, and nobody writes it.
//! 3. `left` is set with release and lowered with acquire ordering, so that
//!    `task` is seen as it was written; `unfinished` is lowered with release
//!    and read with acquire ordering, so that `run` sees what the calls did.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vk_core::{Process, lock};

use super::fresh::Ahead;
use crate::Error;

/// How long a worker polls for the next task before it sleeps. The tasks of
/// one run follow each other faster than a system wakes its threads.
const POLL: Duration = Duration::from_micros(150);
/// How long the caller polls for the last calls to return before it sleeps:
/// they end at nearly the same time, and waking it takes longer than that.
const LINGER: Duration = Duration::from_micros(50);

/// The threads of a backend, which help its caller with host copies.
///
/// Rayon's scopes let a waiting thread run other jobs of its pool. A caller
/// that holds a lock around a call to this library (and a prover that shares
/// one backend between rayon tasks does) would then run a job that waits for
/// the same lock, on the same thread, for ever. Here the caller works on its
/// own task only and then waits; the threads serve nobody else.
pub struct ThreadPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    // A forked child inherits this value, but none of the threads.
    process: Process,
}

#[derive(Default)]
struct Shared {
    // Calls not yet taken: numbers below `left`.
    left: AtomicUsize,
    unfinished: AtomicUsize,
    task: UnsafeCell<Option<Task>>,
    // Counts published tasks, for workers that wait for the next one.
    published: AtomicU64,
    closed: AtomicBool,
    // Whether there are pages to be made: spares the lock where not.
    making: AtomicBool,
    // No call runs under the lock.
    state: Mutex<State>,
    start: Condvar,
    done: Condvar,
}

// SAFETY: `task` is written only by `run`, which has the pool to itself, while
// no call is left or unfinished, and read only between the two (rules 1 and 2).
unsafe impl Sync for Shared {}

#[derive(Default)]
struct State {
    sleeping: usize,
    // Pages that idle workers make.
    ahead: Option<Arc<Ahead>>,
    panic: Option<Box<dyn Any + Send>>,
}

type Task = &'static (dyn Fn(usize) + Sync);

impl ThreadPool {
    /// A pool of `threads` threads, the caller's counted as one of them; 0
    /// means one per core.
    ///
    /// # Errors
    /// [`Error::Threads`] where the system gives no more threads.
    pub fn new(threads: usize) -> Result<Self, Error> {
        let threads = Self::size(threads);
        let mut pool = Self::alone();
        for number in 1..threads {
            let shared = Arc::clone(&pool.shared);
            let worker = std::thread::Builder::new().name(format!("gpu-executor-{number}"));
            let worker = worker.spawn(move || {
                while let Some((task, number)) = shared.next() {
                    shared.call(task, number);
                }
            });
            pool.workers.push(worker.map_err(|error| Error::Threads {
                threads,
                detail: error.to_string(),
            })?);
        }
        Ok(pool)
    }

    fn alone() -> Self {
        Self {
            shared: Arc::default(),
            workers: Vec::new(),
            process: Process::current(),
        }
    }

    /// How many threads a pool has that is asked for `threads`.
    #[must_use]
    pub fn size(threads: usize) -> usize {
        match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    /// How many threads work at once, the caller's included.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Has idle workers make the pages of `ahead` until the returned value
    /// drops, or all are made. They do not turn back for a task: the others
    /// are enough to copy.
    pub(crate) fn make_ahead(&mut self, ahead: Ahead) -> MakingAhead {
        self.start_anew_after_a_fork();
        let ahead = Arc::new(ahead);
        lock(&self.shared.state).ahead = Some(Arc::clone(&ahead));
        self.shared.making.store(true, Ordering::Release);
        self.shared.wake();
        MakingAhead {
            ahead,
            shared: Arc::clone(&self.shared),
        }
    }

    /// Calls `task` with each number below `count`, on as many threads as
    /// there are, the caller's among them; returns when all calls have
    /// returned. A panic in any of them is the caller's then.
    pub fn run(&mut self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        self.start_anew_after_a_fork();
        if count <= 1 || self.workers.is_empty() {
            return (0..count).for_each(task);
        }
        // SAFETY: only the lifetime changes; `taken_back` ends every use of
        // the longer one before this function returns or unwinds (rules 1 and
        // 2 of the module).
        let erased: Task = unsafe { std::mem::transmute(task) };
        let taken_back = TakeBack(&self.shared);
        // SAFETY: nobody reads it: `&mut self` excludes another task, and the last one was waited
        // for (rules 1 and 2); this one is by `taken_back`.
        unsafe { *self.shared.task.get() = Some(erased) };
        self.shared.unfinished.store(count, Ordering::Relaxed);
        self.shared.left.store(count, Ordering::Release);
        self.shared.wake();
        // The caller is one of the threads: it takes calls until none is left.
        while let Some((task, number)) = self.shared.take() {
            self.shared.call(task, number);
        }
        drop(taken_back);
        let panic = lock(&self.shared.state).panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// In a process that was forked from the one that started the threads: lets go of
    /// what is left of them, locks that they may have held included, and starts others.
    /// Where the system gives none, the caller works alone.
    fn start_anew_after_a_fork(&mut self) {
        if self.process.is_current() {
            return;
        }
        let threads = self.threads();
        let fresh = Self::new(threads).unwrap_or_else(|error| {
            tracing::warn!("a forked process works on one thread: {error}");
            Self::alone()
        });
        // Drops what was inherited, which waits for nobody.
        *self = fresh;
    }

    /// Calls `task` with each of `items`, on at most `threads` threads that
    /// take them one by one; returns when all calls have returned.
    pub fn for_each<T>(
        &mut self,
        threads: usize,
        items: impl Iterator<Item = T> + Send,
        task: impl Fn(T) + Sync,
    ) {
        let items = Mutex::new(items);
        // A function of its own: the lock is not held during the call.
        let next = || lock(&items).next();
        self.run(threads.min(self.threads()), &|_| {
            while let Some(item) = next() {
                task(item);
            }
        });
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // There is nobody to join.
            self.workers.drain(..).for_each(std::mem::forget);
            return;
        }
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its calls; it has none of its own.
            let _ = worker.join();
        }
    }
}

/// Ends the making of pages when it drops.
pub(crate) struct MakingAhead {
    ahead: Arc<Ahead>,
    shared: Arc<Shared>,
}

impl Drop for MakingAhead {
    fn drop(&mut self) {
        self.shared.making.store(false, Ordering::Release);
        lock(&self.shared.state).ahead = None;
        self.ahead.stop();
    }
}

/// Ends a task when it drops: what nobody has taken is not called any more,
/// and what is running is waited for.
struct TakeBack<'a>(&'a Shared);

impl Drop for TakeBack<'_> {
    fn drop(&mut self) {
        let shared = self.0;
        let rest = shared.left.swap(0, Ordering::Acquire);
        shared.unfinished.fetch_sub(rest, Ordering::AcqRel);
        let busy = || shared.unfinished.load(Ordering::Acquire) > 0;
        if !poll(LINGER, || !busy()) {
            let woken = shared.done.wait_while(lock(&shared.state), |_| busy());
            drop(woken.unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Shared {
    /// Wakes the workers: there is something new.
    fn wake(&self) {
        self.published.fetch_add(1, Ordering::Release);
        // Under the lock: a worker about to sleep has looked under it too.
        if lock(&self.state).sleeping > 0 {
            self.start.notify_all();
        }
    }

    fn take(&self) -> Option<(Task, usize)> {
        let one_less = |left: usize| left.checked_sub(1);
        let left = self
            .left
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, one_less)
            .ok()?;
        // SAFETY: a call was taken and has not returned, so nobody writes
        // (rule 2).
        let task = unsafe { *self.task.get() }?;
        Some((task, left - 1))
    }

    fn call(&self, task: Task, number: usize) {
        let outcome = catch_unwind(AssertUnwindSafe(|| task(number)));
        if let Err(panic) = outcome {
            lock(&self.state).panic.get_or_insert(panic);
        }
        if self.unfinished.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Under the lock: a caller about to sleep has looked under it too.
            drop(lock(&self.state));
            self.done.notify_all();
        }
    }

    /// The next call for a worker; `None` when the pool is dropped.
    fn next(&self) -> Option<(Task, usize)> {
        loop {
            // Before looking: what is published meanwhile is not missed.
            let seen = self.published.load(Ordering::Acquire);
            if self.closed.load(Ordering::Acquire) {
                return None;
            }
            if let Some(call) = self.take() {
                return Some(call);
            }
            if self.ahead().is_some_and(|ahead| ahead.help()) {
                continue;
            }
            let idle = || self.published.load(Ordering::Acquire) == seen;
            if poll(POLL, || !idle()) {
                continue;
            }
            let mut state = lock(&self.state);
            state.sleeping += 1;
            let woken = self.start.wait_while(state, |_| idle());
            woken.unwrap_or_else(PoisonError::into_inner).sleeping -= 1;
        }
    }

    fn ahead(&self) -> Option<Arc<Ahead>> {
        let any = self.making.load(Ordering::Acquire);
        any.then(|| lock(&self.state).ahead.clone()).flatten()
    }
}

/// Whether `what` comes true within `patience`; looks at least once.
fn poll(patience: Duration, what: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if what() {
            return true;
        }
        if start.elapsed() > patience {
            return false;
        }
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_number_is_called_once_whatever_the_pool() {
        for threads in [1, 2, 5] {
            let mut pool = ThreadPool::new(threads).unwrap();
            assert_eq!(pool.threads(), threads);
            for count in [0, 1, 2, 3, 40, 1000] {
                let calls: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                pool.run(count, &|number| {
                    calls[number].fetch_add(1, Ordering::Relaxed);
                });
                assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn workers_that_sleep_are_woken() {
        let mut pool = ThreadPool::new(4).unwrap();
        for _ in 0..20 {
            std::thread::sleep(3 * POLL);
            // Each call waits for the others: one thread alone would hang.
            let barrier = std::sync::Barrier::new(4);
            pool.run(4, &|_| {
                barrier.wait();
            });
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_after_all_calls_have_returned() {
        let mut pool = ThreadPool::new(3).unwrap();
        for bad in [0, 2] {
            let calls = AtomicUsize::new(0);
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                pool.run(4, &|number| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    assert_ne!(number, bad);
                });
            }));
            assert!(panicked.is_err());
            assert_eq!(calls.load(Ordering::Relaxed), 4);
        }
        pool.run(2, &|_| {});
    }

    #[test]
    fn callers_that_are_rayon_tasks_under_a_lock_do_not_block_each_other() {
        use rayon::prelude::*;
        let pool = Mutex::new(ThreadPool::new(3).unwrap());
        (0..64).into_par_iter().for_each(|_| {
            let mut pool = pool.lock().unwrap();
            pool.run(3, &|_| std::thread::yield_now());
        });
    }
}
