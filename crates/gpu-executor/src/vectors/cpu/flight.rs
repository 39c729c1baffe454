//! Programs that were given to the CPU, and the elements that they promise.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use vk_core::Process;

use super::memory::Words;
use crate::Error;
use crate::vectors::runner::{Flight, Left, internal};

/// How long a program is waited for without sleeping: a short one is over sooner than a
/// thread wakes.
const POLL: Duration = Duration::from_micros(50);

/// A program that was given to the threads of a process.
#[derive(Debug)]
pub(crate) struct CpuFlight {
    process: Process,
    outcome: OnceLock<Result<Left, Error>>,
}

impl CpuFlight {
    pub(super) fn new(process: Process) -> Arc<Self> {
        Arc::new(Self {
            process,
            outcome: OnceLock::new(),
        })
    }

    /// Says how it ended. Once.
    pub(super) fn finish(&self, outcome: Result<Left, Error>) {
        // Only the thread that ran it says so.
        let _ = self.outcome.set(outcome);
    }

    /// Nothing can come any more in a process that was forked meanwhile.
    fn expect_own_process(&self) -> Result<(), Error> {
        match self.process.is_current() {
            true => Ok(()),
            false => Err(Error::OtherProcess),
        }
    }
}

impl Flight for CpuFlight {
    fn is_complete(&self) -> Result<bool, Error> {
        match self.outcome.get() {
            Some(_) => Ok(true),
            None => self.expect_own_process().map(|()| false),
        }
    }

    fn wait(&self) -> Result<(), Error> {
        let begun = Instant::now();
        while !self.is_complete()? && begun.elapsed() < POLL {
            std::hint::spin_loop();
        }
        self.outcome.wait().as_ref().map(drop).map_err(Clone::clone)
    }

    fn left(&self) -> Result<Left, Error> {
        let outcome = self.outcome.get();
        outcome.map_or_else(|| Err(internal("a complete program")), Clone::clone)
    }
}

/// Elements in host memory: there from the start, or once a program has run.
#[derive(Debug)]
pub(crate) struct HostElements {
    words: OnceLock<Words>,
    flight: Option<Arc<CpuFlight>>,
}

impl HostElements {
    pub(super) fn of(words: Words) -> Arc<Self> {
        Arc::new(Self {
            words: OnceLock::from(words),
            flight: None,
        })
    }

    /// For what a program computes.
    pub(super) fn promised(flight: &Arc<CpuFlight>) -> Arc<Self> {
        Arc::new(Self {
            words: OnceLock::new(),
            flight: Some(Arc::clone(flight)),
        })
    }

    /// Keeps the promise. Once.
    pub(super) fn fill(&self, words: Words) {
        // Only the thread that ran the program does so.
        let _ = self.words.set(words);
    }

    /// The limbs. Waits for them.
    ///
    /// # Errors
    /// [`Error::NotComputed`] where they will never come.
    pub(super) fn limbs(&self, operation: &'static str) -> Result<&[u64], Error> {
        if let (None, Some(flight)) = (self.words.get(), &self.flight) {
            let ran = flight.wait();
            ran.map_err(|error| not_computed(operation, error))?;
        }
        let words = self.words.get().map(Words::as_slice);
        words.ok_or_else(|| internal("the elements of a vector"))
    }

    /// Why they will never come, where that is known.
    pub(crate) fn failure(&self, operation: &'static str) -> Option<Error> {
        let outcome = self.flight.as_ref()?.outcome.get()?;
        let error = outcome.as_ref().err()?;
        Some(not_computed(operation, error.clone()))
    }
}

fn not_computed(operation: &'static str, error: Error) -> Error {
    let source = Arc::new(error);
    Error::NotComputed { operation, source }
}
