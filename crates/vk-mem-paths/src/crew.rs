//! Threads that work on one task together while the caller waits.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::Error;

/// The threads of a backend, which help its caller with host copies.
///
/// Rayon's own scopes let a waiting thread run other jobs of its pool. A
/// caller that holds a lock around a call to this library (and a prover that
/// shares one backend between rayon tasks does) would then run a job that
/// waits for the same lock, on the same thread, for ever. Here the caller
/// only works on its own task and then blocks; the threads serve nobody else.
pub struct Crew {
    // None for a caller that works alone.
    pool: Option<rayon::ThreadPool>,
}

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
        if threads == 1 {
            return Ok(Self { pool: None });
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads - 1)
            .thread_name(|number| format!("gpu-executor-{number}"))
            .build();
        match pool {
            Ok(pool) => Ok(Self { pool: Some(pool) }),
            Err(error) => Err(Error::Threads {
                threads,
                detail: error.to_string(),
            }),
        }
    }

    /// How many threads work at once, the caller's included.
    #[must_use]
    pub fn threads(&self) -> usize {
        1 + self
            .pool
            .as_ref()
            .map_or(0, rayon::ThreadPool::current_num_threads)
    }

    /// Calls `task` with each number below `count`, each on a thread of its
    /// own as far as there are any, number 0 on the caller's; returns when
    /// all calls have returned. A panic in any of them is the caller's then.
    pub fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        let Some(pool) = &self.pool else {
            return (0..count).for_each(task);
        };
        let latch = Arc::new(Latch::new(count.saturating_sub(1)));
        // SAFETY: only the lifetime changes. Every use of the longer one is a
        // call inside `spawn` below; each such call ends before its latch is
        // counted down, and `waiting` keeps this function from returning or
        // unwinding before that.
        let erased: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(task) };
        let waiting = WaitOnDrop(&latch);
        for number in 1..count {
            let latch = Arc::clone(&latch);
            pool.spawn(move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| erased(number)));
                latch.count_down(outcome.err());
            });
        }
        if count > 0 {
            task(0);
        }
        drop(waiting);
        if let Some(panic) = latch.panic() {
            resume_unwind(panic);
        }
    }
}

type Panic = Box<dyn Any + Send>;

/// Counts calls that are still running.
struct Latch {
    state: Mutex<(usize, Option<Panic>)>,
    done: Condvar,
}

impl Latch {
    fn new(count: usize) -> Self {
        Self {
            state: Mutex::new((count, None)),
            done: Condvar::new(),
        }
    }

    fn count_down(&self, panic: Option<Panic>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 -= 1;
        state.1 = state.1.take().or(panic);
        self.done.notify_all();
    }

    fn panic(&self) -> Option<Panic> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.take()
    }
}

struct WaitOnDrop<'a>(&'a Latch);

impl Drop for WaitOnDrop<'_> {
    fn drop(&mut self) {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let running = |(count, _): &mut (usize, Option<Panic>)| *count > 0;
        drop(self.0.done.wait_while(state, running));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_number_is_called_once_whatever_the_crew() {
        for threads in [1, 2, 5] {
            let crew = Crew::new(threads).unwrap();
            for count in [0, 1, 2, 3, 40] {
                let calls: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                crew.run(count, &|number| {
                    calls[number].fetch_add(1, Ordering::Relaxed);
                });
                assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_after_all_calls_have_returned() {
        let crew = Crew::new(3).unwrap();
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
    }

    #[test]
    fn callers_that_are_rayon_tasks_under_a_lock_do_not_block_each_other() {
        use rayon::prelude::*;
        let crew = Mutex::new(Crew::new(3).unwrap());
        (0..64).into_par_iter().for_each(|_| {
            let crew = crew.lock().unwrap();
            crew.run(3, &|_| std::thread::yield_now());
        });
    }
}
