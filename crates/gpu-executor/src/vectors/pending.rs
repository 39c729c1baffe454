//! A submission that may still run, and what it left.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use field_kernels::ElementType;
use vk_core::lock;

use super::engine::VectorEngine;
use super::families::Comparison;
use super::queue::{BytesReadback, Readback};
use super::report::VectorReport;
use super::runner::{Did, Flight, Left};
use crate::{Error, Result};

/// A submission of a queue: wait for it, look at it, or await it.
///
/// Dropping it neither ends nor waits for what it stands for.
#[must_use = "whether the submission succeeded is learnt by waiting for it"]
pub struct Pending {
    pub(super) engine: VectorEngine,
    pub(super) queue: u64,
    pub(super) flight: Arc<dyn Flight>,
    pub(super) begun: Instant,
    /// Those that the queue had recorded.
    pub(super) operations: usize,
    pub(super) did: Did,
    /// There once it was polled.
    pub(super) watch: Option<Arc<Watch>>,
}

/// What a thread that waits reports to the task that awaits.
#[derive(Default)]
pub(super) struct Watch(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    waker: Option<Waker>,
    waited: Option<Result<()>>,
}

/// What a complete submission left.
#[derive(Debug)]
pub struct Completed {
    queue: u64,
    left: Left,
    report: VectorReport,
}

impl Pending {
    /// Waits until it is complete. A device has a time limit, by `GPU_TIMEOUT_MS` or the
    /// builder; the CPU has none.
    ///
    /// # Errors
    /// [`Error::Vulkan`] with [`Timeout`](crate::VulkanError::Timeout) where the device
    /// did not answer in time, with [`DeviceLost`](crate::VulkanError::DeviceLost) once
    /// it was lost, else what the driver returned.
    pub fn wait(self) -> Result<Completed> {
        self.flight.wait()?;
        self.collect()
    }

    /// Whether it is complete, without waiting.
    ///
    /// # Errors
    /// [`Error::Vulkan`] once the device was lost, else what the driver returned.
    pub fn is_complete(&self) -> Result<bool> {
        self.flight.is_complete()
    }

    fn collect(&self) -> Result<Completed> {
        let left = self.flight.left()?;
        Ok(Completed {
            queue: self.queue,
            report: VectorReport {
                engine: self.engine.runner().engine(),
                operations: self.operations,
                kernels: self.did.kernels,
                choice: self.did.choice.clone(),
                zeros: left.zeros,
                total: self.begun.elapsed(),
                compile: self.did.compile,
                device_time: left.device_time,
            },
            left,
        })
    }

    /// Has a thread of its own wait, and wake whoever polls then.
    fn watch(&mut self, waker: &Waker) -> Result<Option<Result<()>>> {
        if let Some(watch) = &self.watch {
            let mut watched = lock(&watch.0);
            if watched.waited.is_none() {
                watched.waker = Some(waker.clone());
            }
            return Ok(watched.waited.clone());
        }
        let watch = Arc::new(Watch::default());
        lock(&watch.0).waker = Some(waker.clone());
        let (engine, flight) = (self.engine.clone(), Arc::clone(&self.flight));
        let shared = Arc::clone(&watch);
        let thread = std::thread::Builder::new().name("gpu-executor-wait".to_owned());
        let spawned = thread.spawn(move || {
            let waited = flight.wait();
            // Whoever is woken may let go of the engine, and expect it to go.
            drop((flight, engine));
            let waker = shared.report(waited);
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        spawned.map_err(|error| {
            Error::DataPath(vk_mem_paths::Error::Threads {
                threads: 1,
                detail: error.to_string(),
            })
        })?;
        self.watch = Some(watch);
        Ok(None)
    }
}

impl Watch {
    fn report(&self, waited: Result<()>) -> Option<Waker> {
        let mut watched = lock(&self.0);
        watched.waited = Some(waited);
        watched.waker.take()
    }
}

impl Future for Pending {
    type Output = Result<Completed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.is_complete() {
            Ok(true) => return Poll::Ready(this.collect()),
            Err(error) => return Poll::Ready(Err(error)),
            Ok(false) => {}
        }
        match this.watch(context.waker()) {
            Ok(None) => Poll::Pending,
            Ok(Some(Ok(()))) => Poll::Ready(this.collect()),
            Ok(Some(Err(error))) | Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending")
            .field("operations", &self.operations)
            .field("kernels", &self.did.kernels)
            .finish_non_exhaustive()
    }
}

impl Completed {
    /// What it did.
    #[must_use]
    pub fn report(&self) -> &VectorReport {
        &self.report
    }

    /// The elements that were read.
    ///
    /// # Errors
    /// [`Error::ForeignReadback`] for a readback of another queue.
    pub fn elements<F: ElementType>(&self, readback: &Readback<F>) -> Result<Vec<F::Limbs>> {
        let bytes = self.read(readback.queue, readback.number)?;
        let words: Vec<_> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|it| u64::from_ne_bytes(*it))
            .collect();
        Ok(F::elements(&words)?.to_vec())
    }

    /// The bytes that were read by [`Queue::read_be_bytes`](super::Queue::read_be_bytes), where the
    /// submission left them.
    ///
    /// # Errors
    /// [`Error::ForeignReadback`] for a readback of another queue, else what the device returned.
    pub fn be_bytes(&self, readback: &BytesReadback) -> Result<&[u8]> {
        self.read(readback.queue, readback.number)
    }

    fn read(&self, queue: u64, number: usize) -> Result<&[u8]> {
        match self.left.reads.get(number).filter(|_| queue == self.queue) {
            Some(elements) => elements.bytes(),
            None => Err(Error::ForeignReadback),
        }
    }

    /// The only element that was read, as of a sum.
    ///
    /// # Errors
    /// [`Error::ForeignReadback`] for a readback of another queue, [`Error::WrongLength`]
    /// for one of more or fewer elements.
    pub fn element<F: ElementType>(&self, readback: &Readback<F>) -> Result<F::Limbs> {
        let elements = self.elements(readback)?;
        match elements.as_slice() {
            [one] => Ok(*one),
            other => Err(Error::WrongLength {
                operation: "element",
                expected: "a readback of one element",
                found: other.len(),
            }),
        }
    }

    /// Whether the vectors were equal.
    ///
    /// # Errors
    /// [`Error::ForeignReadback`] for a comparison of another queue.
    pub fn equal(&self, comparison: &Comparison) -> Result<bool> {
        let mut answers = self.left.answers.iter();
        let answer = answers.find(|(node, _)| *node == comparison.node);
        match answer.filter(|_| comparison.queue == self.queue) {
            Some((_, differ)) => Ok(*differ == 0),
            None => Err(Error::ForeignReadback),
        }
    }

    /// From the submission until it was found to be complete.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.report.total
    }
}
