//! Threads that work on one task together while the caller waits.
//!
//! # Safety
//!
//! Workers call a closure whose borrows they cannot see. What keeps that
//! sound:
//!
//! 1. [`Crew::run`] publishes a task under the lock, with the number of calls
//!    that are to be made, and takes it back under the lock before it returns
//!    or unwinds.
//! 2. A worker takes a call under the lock, and only of a task that is
//!    published; `running` counts the calls taken and not yet returned.
//! 3. Taking the task back waits until `running` is 0. Afterwards nothing is
//!    published, so no further call can be taken.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Error;

/// How long a worker polls for the next task before it sleeps. The tasks of
/// one run follow each other faster than a system wakes its threads.
const POLL: Duration = Duration::from_micros(150);

/// The threads of a backend, which help its caller with host copies.
///
/// Rayon's scopes let a waiting thread run other jobs of its pool. A caller
/// that holds a lock around a call to this library (and a prover that shares
/// one backend between rayon tasks does) would then run a job that waits for
/// the same lock, on the same thread, for ever. Here the caller works on its
/// own task only and then waits; the threads serve nobody else.
pub struct Crew {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    // Counts published tasks; read without the lock by workers that poll.
    published: AtomicU64,
    start: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    task: Option<Task>,
    // Calls not yet taken: numbers below `left`.
    left: usize,
    running: usize,
    sleeping: usize,
    panic: Option<Box<dyn Any + Send>>,
    closed: bool,
}

type Task = &'static (dyn Fn(usize) + Sync);

impl Crew {
    /// A crew of `threads` threads, the caller's counted as one of them; 0
    /// means one per core.
    ///
    /// # Errors
    /// [`Error::Threads`] where the system gives no more threads.
    pub fn new(threads: usize) -> Result<Self, Error> {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let mut crew = Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                published: AtomicU64::new(0),
                start: Condvar::new(),
                done: Condvar::new(),
            }),
            workers: Vec::new(),
        };
        for number in 1..threads {
            let shared = Arc::clone(&crew.shared);
            let worker = std::thread::Builder::new()
                .name(format!("gpu-executor-{number}"))
                .spawn(move || shared.work());
            crew.workers.push(worker.map_err(|error| Error::Threads {
                threads,
                detail: error.to_string(),
            })?);
        }
        Ok(crew)
    }

    /// How many threads work at once, the caller's included.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `task` with each number below `count`, on as many threads as
    /// there are, the caller's among them; returns when all calls have
    /// returned. A panic in any of them is the caller's then.
    pub fn run(&mut self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        if count <= 1 || self.workers.is_empty() {
            return (0..count).for_each(task);
        }
        // SAFETY: only the lifetime changes; `taken_back` ends every use of
        // the longer one before this function returns or unwinds (rules 1 to
        // 3 of the module).
        let erased: Task = unsafe { std::mem::transmute(task) };
        let taken_back = TakeBack(&self.shared);
        self.shared.publish(erased, count);
        // The caller is one of the crew: it takes calls until none is left.
        while let Some((task, number)) = self.shared.take() {
            self.shared.call(task, number);
        }
        drop(taken_back);
        let panic = self.shared.lock().panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
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
        self.run(threads.min(self.threads()), &|_| {
            loop {
                // Taken in a statement of its own: the lock is not held
                // during the call.
                let item = items.lock().unwrap_or_else(PoisonError::into_inner).next();
                match item {
                    Some(item) => task(item),
                    None => break,
                }
            }
        });
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        // Under the lock: a worker about to sleep has looked under it too.
        self.shared.published.fetch_add(1, Ordering::Release);
        self.shared.start.notify_all();
        drop(state);
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its calls; it has none of its own.
            let _ = worker.join();
        }
    }
}

/// Ends a task when it drops: waits for the calls that are running.
struct TakeBack<'a>(&'a Shared);

impl Drop for TakeBack<'_> {
    fn drop(&mut self) {
        let state = self.0.lock();
        let busy = |state: &mut State| state.left > 0 || state.running > 0;
        let state = self.0.done.wait_while(state, busy);
        state.unwrap_or_else(PoisonError::into_inner).task = None;
    }
}

impl Shared {
    fn publish(&self, task: Task, count: usize) {
        let mut state = self.lock();
        state.task = Some(task);
        state.left = count;
        self.published.fetch_add(1, Ordering::Release);
        if state.sleeping > 0 {
            self.start.notify_all();
        }
    }

    /// Takes a call of the published task, if one is left.
    fn take(&self) -> Option<(Task, usize)> {
        self.lock().take()
    }

    fn call(&self, task: Task, number: usize) {
        let outcome = catch_unwind(AssertUnwindSafe(|| task(number)));
        let mut state = self.lock();
        state.running -= 1;
        if let Err(panic) = outcome {
            state.panic.get_or_insert(panic);
        }
        if state.left == 0 && state.running == 0 {
            self.done.notify_all();
        }
    }

    /// What a worker does all its life.
    fn work(&self) {
        let mut seen = 0;
        while let Some((task, number)) = self.next(&mut seen) {
            self.call(task, number);
        }
    }

    /// The next call for a worker; `None` when the crew is dropped.
    fn next(&self, seen: &mut u64) -> Option<(Task, usize)> {
        loop {
            let mut state = self.lock();
            if state.closed {
                return None;
            }
            if let Some(call) = state.take() {
                return Some(call);
            }
            // Nothing can be published while the lock is held.
            *seen = self.published.load(Ordering::Acquire);
            drop(state);
            if self.poll(*seen) {
                continue;
            }
            let mut state = self.lock();
            state.sleeping += 1;
            let idle = |_: &mut State| self.published.load(Ordering::Acquire) == *seen;
            let woken = self.start.wait_while(state, idle);
            woken.unwrap_or_else(PoisonError::into_inner).sleeping -= 1;
        }
    }

    /// Whether something was published after `seen`, within a short while.
    fn poll(&self, seen: u64) -> bool {
        let start = Instant::now();
        while start.elapsed() < POLL {
            if self.published.load(Ordering::Acquire) != seen {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No call runs under the lock, so the state is whole in any case.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<(Task, usize)> {
        let task = self.task.filter(|_| self.left > 0)?;
        self.left -= 1;
        self.running += 1;
        Some((task, self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_number_is_called_once_whatever_the_crew() {
        for threads in [1, 2, 5] {
            let mut crew = Crew::new(threads).unwrap();
            assert_eq!(crew.threads(), threads);
            for count in [0, 1, 2, 3, 40, 1000] {
                let calls: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                crew.run(count, &|number| {
                    calls[number].fetch_add(1, Ordering::Relaxed);
                });
                assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn workers_that_sleep_are_woken() {
        let mut crew = Crew::new(4).unwrap();
        for _ in 0..20 {
            std::thread::sleep(3 * POLL);
            // Each call waits for the others: one thread alone would hang.
            let barrier = std::sync::Barrier::new(4);
            crew.run(4, &|_| {
                barrier.wait();
            });
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_after_all_calls_have_returned() {
        let mut crew = Crew::new(3).unwrap();
        for bad in [0, 2] {
            let calls = AtomicUsize::new(0);
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                crew.run(4, &|number| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    assert_ne!(number, bad);
                });
            }));
            assert!(panicked.is_err());
            assert_eq!(calls.load(Ordering::Relaxed), 4);
        }
        crew.run(2, &|_| {});
    }

    #[test]
    fn callers_that_are_rayon_tasks_under_a_lock_do_not_block_each_other() {
        use rayon::prelude::*;
        let crew = Mutex::new(Crew::new(3).unwrap());
        (0..64).into_par_iter().for_each(|_| {
            let mut crew = crew.lock().unwrap();
            crew.run(3, &|_| std::thread::yield_now());
        });
    }
}
