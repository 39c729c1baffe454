//! The same commands several times over in one submission, timed: what
//! measurements are made of.
//!
//! # Safety
//!
//! What a submission names may be touched only while it is not in flight:
//!
//! 1. `start` sets `in_flight` as soon as the submission succeeded; only a
//!    wait for its ticket that succeeded clears it.
//! 2. `named_mut`, `record` and `start` refuse while `in_flight` is set; they
//!    look first whether what a wait gave up is complete by now.
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
    /// [`vk_core::Error::Timeout`] or [`vk_core::Error::Busy`] while something is in flight,
    /// [`vk_core::Error::DeviceLost`] once the device was lost.
    pub(crate) fn named_mut(&mut self) -> Result<&mut T, Error> {
        self.expect_free()?;
        Ok(&mut self.held.named)
    }

    /// Records `rounds` times what `one` records, each round after the one
    /// before and after all earlier work of the queue. The rounds are timed
    /// as a whole.
    ///
    /// # Errors
    /// As [`Self::named_mut`], else what recording returned.
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
    /// As [`Self::named_mut`], else what the device returned.
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
        self.wait(WaitPolicy::default())?;
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

    fn wait(&mut self, policy: WaitPolicy) -> Result<(), Error> {
        if let Some(ticket) = self.in_flight {
            self.device.wait(ticket, policy)?;
            self.in_flight = None;
        }
        Ok(())
    }

    fn expect_free(&mut self) -> Result<(), Error> {
        self.device.expect_alive()?;
        self.wait(WaitPolicy::NONE)
    }
}

impl<T> Drop for Rounds<T> {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        let waited = self.wait(WaitPolicy::default());
        if self.device.is_lost() {
            let _ = self.device.wait_idle();
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

#[cfg(test)]
mod tests {
    use vk_core::testing::{DeviceTest, device_under_test, lose};

    use super::*;
    use crate::MemoryUse;
    use crate::memory::{Buffer, Memory};

    const BYTES: usize = 1 << 20;

    /// Rounds that write a buffer so often that it takes a while.
    fn long_rounds() -> (DeviceTest, Rounds<Buffer>) {
        let (guard, physical) = device_under_test().unwrap();
        let device = Device::new(&physical).unwrap();
        let memory = Memory::new(&device).unwrap();
        let usage = vk::BufferUsageFlags::TRANSFER_DST;
        let buffer = memory.buffer(BYTES, usage, MemoryUse::Device).unwrap();
        let queue = device.queue_plan().compute;
        let mut rounds = Rounds::new(&device, queue, buffer).unwrap();
        let one = |device: &ash::Device, commands, buffer: &Buffer| {
            // SAFETY: `commands` is being recorded, for a queue that fills.
            unsafe { device.cmd_fill_buffer(commands, buffer.raw(), 0, vk::WHOLE_SIZE, 7) };
        };
        // SAFETY: `one` only records a fill of what the rounds own.
        unsafe { rounds.record(1 << 12, one).unwrap() };
        (guard, rounds)
    }

    #[test]
    fn what_was_given_up_is_looked_at_again() {
        let (_guard, mut rounds) = long_rounds();
        // SAFETY: recorded by `long_rounds`.
        unsafe { rounds.start().unwrap() };
        let busy = rounds.named_mut().err();
        let after = Duration::ZERO;
        assert_eq!(
            busy,
            Some(
                vk_core::Error::Timeout {
                    what: "the device",
                    after
                }
                .into()
            )
        );
        let ticket = rounds.in_flight.unwrap();
        rounds.device.wait(ticket, WaitPolicy::default()).unwrap();
        assert!(rounds.named_mut().is_ok());
        // SAFETY: as above.
        assert!(unsafe { rounds.run() }.unwrap() > Duration::ZERO);
    }

    #[test]
    fn on_a_lost_device_nothing_is_begun() {
        let (_guard, mut rounds) = long_rounds();
        lose(&rounds.device);
        let call = "vkQueueSubmit";
        let lost = Some(vk_core::Error::DeviceLost { call }.into());
        assert_eq!(rounds.named_mut().err(), lost);
        // SAFETY: recorded by `long_rounds`.
        assert_eq!(unsafe { rounds.run() }.err(), lost);
    }
}
