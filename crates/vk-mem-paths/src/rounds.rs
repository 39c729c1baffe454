//! The same commands several times over in one submission, timed: what
//! measurements are made of.
//!
//! # Safety
//!
//! What a submission names may be touched only while it is not in flight:
//!
//! 1. `start` sets `in_flight` as soon as the submission succeeded; only a
//!    wait for its ticket that succeeded clears it.
//! 2. `named_mut`, `record` and `start` refuse while `in_flight` is set.
//! 3. Dropping waits, and where the device does not answer in time leaks what
//!    the submission names. A lost device is waited idle: even a submission
//!    that reported the loss may have begun.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vk_core::ash::{self, vk};
use vk_core::{CommandBuffer, Device, QueueRef, StageTimer, Ticket, WaitPolicy};

use crate::Error;

/// Commands that run on one queue, and everything they name.
pub(crate) struct Rounds<T> {
    in_flight: Option<Ticket>,
    started: Instant,
    device: Arc<Device>,
    queue: QueueRef,
    held: ManuallyDrop<Held<T>>,
}

struct Held<T> {
    commands: CommandBuffer,
    timer: Option<StageTimer>,
    named: T,
}

impl<T> Rounds<T> {
    /// Nothing recorded yet. The commands may name what `named` owns.
    pub(crate) fn new(device: &Arc<Device>, queue: QueueRef, named: T) -> Result<Self, Error> {
        let held = Held {
            commands: CommandBuffer::new(device, queue.family)?,
            timer: StageTimer::new(device, 1)?,
            named,
        };
        Ok(Self {
            in_flight: None,
            started: Instant::now(),
            device: Arc::clone(device),
            queue,
            held: ManuallyDrop::new(held),
        })
    }

    pub(crate) fn named(&self) -> &T {
        &self.held.named
    }

    /// What the commands name, which nothing in flight uses.
    ///
    /// # Errors
    /// [`Error::Internal`] where something is in flight.
    pub(crate) fn named_mut(&mut self) -> Result<&mut T, Error> {
        self.expect_free()?;
        Ok(&mut self.held.named)
    }

    /// Records `rounds` times what `one` records, each round after the one
    /// before and after all earlier work of the queue. The rounds are timed
    /// as a whole.
    ///
    /// # Errors
    /// [`Error::Internal`] where something is in flight, else what recording
    /// returned.
    ///
    /// # Safety
    /// `one` only records into the command buffer that it is given, commands
    /// that its queue has, naming only what `T` owns.
    pub(crate) unsafe fn record(
        &mut self,
        rounds: u32,
        one: impl Fn(&ash::Device, vk::CommandBuffer, &T),
    ) -> Result<(), Error> {
        self.expect_free()?;
        let family = self.queue.family;
        let held = &mut *self.held;
        let (timer, named) = (held.timer.as_ref(), &held.named);
        let fill = |device: &ash::Device, buffer: vk::CommandBuffer| {
            let mark = |end| {
                if let Some(timer) = timer {
                    // SAFETY: `buffer` is being recorded for `family`; rule 3
                    // keeps the timer.
                    unsafe { timer.record(buffer, family, 0, end) };
                }
            };
            for round in 0..rounds {
                // SAFETY: `buffer` is being recorded.
                unsafe { order_after_all_before(device, buffer) };
                if round == 0 {
                    mark(false);
                }
                one(device, buffer, named);
            }
            mark(true);
        };
        // SAFETY: not in flight (rule 1); `one` only records, by this
        // function's contract.
        Ok(unsafe { held.commands.record(fill) }?)
    }

    /// Submits what was recorded last.
    ///
    /// # Errors
    /// [`Error::Internal`] where something is in flight, else what the device
    /// returned.
    ///
    /// # Safety
    /// [`Self::record`] has succeeded, and none has failed since. What else
    /// the commands rely on, such as ranges that the host wrote, is there.
    pub(crate) unsafe fn start(&mut self) -> Result<(), Error> {
        self.expect_free()?;
        let held = &self.held;
        if let Some(timer) = &held.timer {
            // SAFETY: nothing that records it is in flight (rule 1).
            unsafe { timer.reset() };
        }
        self.started = Instant::now();
        // SAFETY: recorded by this function's contract and not in flight;
        // what it names stays until the ticket is complete (rules 1 to 3).
        let ticket = unsafe { self.device.submit(self.queue, held.commands.raw(), None)? };
        self.in_flight = Some(ticket);
        Ok(())
    }

    /// Waits for the submission and returns how long its rounds took: by the
    /// device's clock where the queue has timestamps, else by the host's from
    /// the submission on.
    ///
    /// # Errors
    /// What the device returned; [`vk_core::Error::Timeout`] leaves the
    /// submission in flight.
    pub(crate) fn finish(&mut self) -> Result<Duration, Error> {
        self.wait()?;
        let by_host = self.started.elapsed();
        let timer = self.held.timer.as_ref();
        let timed = timer.map(|timer| timer.spans(self.queue.family, &[0]));
        let spans = timed.transpose()?.flatten();
        let by_device = spans.and_then(|spans| spans.first().map(|span| span.end));
        // A clock too coarse to see the rounds would make them infinitely fast.
        Ok(by_device.filter(|time| !time.is_zero()).unwrap_or(by_host))
    }

    /// [`Self::start`] and [`Self::finish`].
    ///
    /// # Errors
    /// As both.
    ///
    /// # Safety
    /// As [`Self::start`].
    pub(crate) unsafe fn run(&mut self) -> Result<Duration, Error> {
        // SAFETY: this function's contract.
        unsafe { self.start()? };
        self.finish()
    }

    fn wait(&mut self) -> Result<(), Error> {
        if let Some(ticket) = self.in_flight {
            self.device.wait(ticket, WaitPolicy::default())?;
            self.in_flight = None;
        }
        Ok(())
    }

    fn expect_free(&self) -> Result<(), Error> {
        match self.in_flight {
            None => Ok(()),
            Some(_) => Err(Error::Internal {
                what: "expected no rounds in flight, found some".to_owned(),
            }),
        }
    }
}

impl<T> Drop for Rounds<T> {
    fn drop(&mut self) {
        let waited = self.wait();
        if self.device.is_lost() {
            // SAFETY: the device is alive, and once it is lost nothing more
            // is submitted to it.
            let _ = unsafe { self.device.raw().device_wait_idle() };
        } else if let Err(error) = waited {
            tracing::error!("leaking rounds that are still in flight: {error}");
            return;
        }
        // SAFETY: dropped only here, with nothing in flight (rule 3).
        unsafe { ManuallyDrop::drop(&mut self.held) };
    }
}

/// Orders what follows after everything before on the queue, whichever stages
/// it has.
///
/// # Safety
/// `commands` is being recorded.
unsafe fn order_after_all_before(device: &ash::Device, commands: vk::CommandBuffer) {
    let all = vk::PipelineStageFlags::ALL_COMMANDS;
    let barrier = [vk::MemoryBarrier::default()
        .src_access_mask(vk::AccessFlags::MEMORY_WRITE)
        .dst_access_mask(vk::AccessFlags::MEMORY_READ | vk::AccessFlags::MEMORY_WRITE)];
    let none = vk::DependencyFlags::empty();
    // SAFETY: this function's contract.
    unsafe { device.cmd_pipeline_barrier(commands, all, all, none, &barrier, &[], &[]) };
}
