//! The threads of an engine on the CPU: one runs the programs in the order in which they
//! were given, and has a thread pool for each of their stages.
//!
//! A forked process has none of them, and whatever locks they held then stay locked. So
//! what belongs to another process is never touched: [`Threads::here`] starts new threads,
//! with memory of their own, and [`Drop`] forgets.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, TryLockError};
use std::thread::JoinHandle;

use vk_core::{Process, lock};
use vk_mem_paths::ThreadPool;

use super::flight::{CpuFlight, HostElements};
use super::memory::{Pool, Words};
use super::run::compute;
use crate::Error;
use crate::vectors::plan::Stage;
use crate::vectors::program::Program;
use crate::vectors::runner::internal;
use crate::vectors::tables::{TableKey, Tables};

/// The threads in one process.
pub(super) struct Threads {
    process: Process,
    count: usize,
    shared: Arc<Shared>,
    submissions: Option<Sender<Submission>>,
    runs: Option<JoinHandle<()>>,
    /// Those of a process that was forked from it.
    forked: OnceLock<Result<Box<Threads>, Error>>,
}

/// What the thread that runs programs shares with those that give them.
pub(super) struct Shared {
    pub(super) pool: Arc<Pool>,
    pub(super) tables: Tables<TableKey, Words>,
    workers: Mutex<ThreadPool>,
    stop: AtomicBool,
}

/// A program to be run.
pub(super) struct Submission {
    pub(super) program: Program,
    pub(super) stages: Vec<Stage>,
    /// Where the results go that somebody held when it was submitted, by number.
    pub(super) results: Vec<(usize, Arc<HostElements>)>,
    pub(super) flight: Arc<CpuFlight>,
}

impl Threads {
    /// `threads` of them, one of which runs the programs; 0 means one per core.
    pub(super) fn start(threads: usize) -> Result<Self, Error> {
        let workers = ThreadPool::new(threads)?;
        let count = workers.threads();
        let shared = Arc::new(Shared {
            pool: Pool::new(),
            tables: Tables::new(),
            workers: Mutex::new(workers),
            stop: AtomicBool::new(false),
        });
        let (submissions, given) = channel();
        let thread = std::thread::Builder::new().name("gpu-executor-runs".to_owned());
        let its = Arc::clone(&shared);
        let runs = thread.spawn(move || run_all(&its, &given));
        let runs = runs.map_err(|error| vk_mem_paths::Error::Threads {
            threads: 1,
            detail: error.to_string(),
        })?;
        Ok(Self {
            process: Process::current(),
            count,
            shared,
            submissions: Some(submissions),
            runs: Some(runs),
            forked: OnceLock::new(),
        })
    }

    /// Those of this process.
    pub(super) fn here(&self) -> Result<&Self, Error> {
        let mut at = self;
        while !at.process.is_current() {
            let start = || Self::start(self.count).map(Box::new);
            let forked = at.forked.get_or_init(start);
            at = forked.as_ref().map_err(Clone::clone)?;
        }
        Ok(at)
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn process(&self) -> Process {
        self.process
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Has `submission` run after all that were given before.
    pub(super) fn give(&self, submission: Submission) -> Result<(), Error> {
        let submissions = self.submissions.as_ref();
        match submissions.is_some_and(|submissions| submissions.send(submission).is_ok()) {
            true => Ok(()),
            false => Err(internal("the thread that runs programs")),
        }
    }
}

impl Drop for Threads {
    /// Nobody is left to see what is still to be computed, so that it is given up.
    fn drop(&mut self) {
        let (submissions, runs) = (self.submissions.take(), self.runs.take());
        if !self.process.is_current() {
            // The thread is in the other process; its end of the channel may be locked.
            std::mem::forget((submissions, runs, Arc::clone(&self.shared)));
            return;
        }
        self.shared.stop.store(true, Ordering::Relaxed);
        drop(submissions);
        if let Some(runs) = runs {
            // It catches the panics of what it runs; it has none of its own.
            let _ = runs.join();
        }
    }
}

fn run_all(shared: &Shared, submissions: &Receiver<Submission>) {
    for submission in submissions {
        let flight = Arc::clone(&submission.flight);
        let ran = catch_unwind(AssertUnwindSafe(|| compute(submission, shared)));
        // By now its arguments are let go of.
        flight.finish(ran.unwrap_or_else(|panic| Err(panicked(&*panic))));
    }
}

impl Shared {
    pub(super) fn take(&self, limbs: usize) -> Result<Words, Error> {
        self.tables.make_room(|_| true, || self.pool.take(limbs))
    }

    /// Frees what nobody uses, and tables; how many bytes that was.
    pub(super) fn trim(&self) -> usize {
        self.tables.let_go();
        self.pool.trim()
    }

    pub(super) fn threads(&self) -> usize {
        lock(&self.workers).threads()
    }

    /// Calls `task` with each of `pieces`, on all threads.
    ///
    /// # Errors
    /// Where the engine is gone: the rest is not called then.
    pub(super) fn for_each<T: Send>(
        &self,
        pieces: Vec<T>,
        task: impl Fn(T) + Sync,
    ) -> Result<(), Error> {
        let is_over = || self.stop.load(Ordering::Relaxed);
        lock(&self.workers).for_each(pieces.len(), pieces.into_iter(), |piece| {
            if !is_over() {
                task(piece);
            }
        });
        match is_over() {
            true => Err(internal("an engine that somebody holds")),
            false => Ok(()),
        }
    }

    /// Calls `copy` with each of `pieces`: on all threads, or on this one alone while the
    /// others compute.
    pub(super) fn copy_each<T: Send>(&self, pieces: Vec<T>, copy: impl Fn(T) + Sync) {
        let workers = match self.workers.try_lock() {
            Ok(workers) => Some(workers),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match workers {
            Some(mut workers) => workers.for_each(pieces.len(), pieces.into_iter(), copy),
            None => pieces.into_iter().for_each(copy),
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let what = format!("a panic on the CPU: {}", text.unwrap_or("of another type"));
    Error::DataPath(vk_mem_paths::Error::Internal { what })
}
