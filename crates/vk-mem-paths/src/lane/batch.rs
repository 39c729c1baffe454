//! A batch: recorded commands, and all that they name for as long as the device may be at
//! it. The one way of being in flight.
//!
//! # Safety
//!
//! 1. A batch owns its commands, their descriptor sets and timer, and holds the kernels and
//!    blocks of memory that they name. While it is in flight nothing of that can be
//!    replaced: [`Batch::record`] and [`Batch::submit`] refuse.
//! 2. It is in flight from a submission that succeeded until a wait for its ticket has, or a
//!    look has found it complete. A wait that timed out or failed changes nothing.
//! 3. On a lost device whatever was submitted may be in flight, a submission that failed
//!    with the loss too: nothing is recorded or submitted any more.
//! 4. Dropping is the one place that ends what is in flight ([`Drop`]): it waits for as long
//!    as the submission was allowed to take, and leaks what the batch holds where the device
//!    is still at it. A lost device is waited idle first; it executes nothing after that.
//!
//! So what the commands name outlives every submission of them, whoever owns the batch and
//! however it is dropped.

use std::mem::ManuallyDrop;
use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Duration;

use vk_core::ash::vk;
use vk_core::{CommandBuffer, ComputePipeline, Device, StageTimer, Ticket, WaitPolicy};

use super::descriptors::DescriptorSets;
use super::recorder::Recorder;
use super::step::Step;
use crate::Error;
use crate::memory::{Block, Region};

/// How often a batch is submitted, and what it is in order with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Once, after everything before it on the queue. It lets go of its blocks when it is
    /// complete.
    Once,
    /// Again and again. It may overlap with others on the queue, and between submissions
    /// it knows its blocks without holding them.
    Again,
}

/// Steps that are timed together: the number of their stage, `None` where they are not timed.
pub(crate) type Part<'a> = (Option<u32>, &'a [Step]);

/// Commands, what they name, and whether they are in flight.
pub(crate) struct Batch {
    flight: Option<(Ticket, WaitPolicy)>,
    life: Option<Life>,
    device: Arc<Device>,
    // Dropped by `Drop` alone, and not while the device is at it.
    named: ManuallyDrop<Named>,
}

struct Named {
    commands: CommandBuffer,
    sets: DescriptorSets,
    timer: Option<StageTimer>,
    pipelines: Vec<Arc<ComputePipeline>>,
    /// Empty between the submissions of a batch that lives on.
    held: Vec<Arc<Block>>,
    /// The same of a batch that lives on.
    known: Vec<Weak<Block>>,
}

impl Batch {
    /// Nothing recorded yet, for the compute queue; with a timer for `timed` stages.
    pub(crate) fn new(device: &Arc<Device>, timed: Option<u32>) -> Result<Self, Error> {
        let timer = timed.map(|stages| StageTimer::new(device, stages));
        let named = Named {
            commands: CommandBuffer::new(device)?,
            sets: DescriptorSets::new(device),
            timer: timer.transpose()?.flatten(),
            pipelines: Vec::new(),
            held: Vec::new(),
            known: Vec::new(),
        };
        Ok(Self {
            flight: None,
            life: None,
            device: Arc::clone(device),
            named: ManuallyDrop::new(named),
        })
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        self.flight.is_some()
    }

    /// Records `parts`, one after the other, with barriers where a step conflicts with an
    /// earlier one. What they write to `results` is made visible to the host at the end.
    ///
    /// # Errors
    /// [`Error::Internal`] for a step that is not as [`Step`] says and while in flight,
    /// [`vk_core::Error::DeviceLost`], else what the driver returned. The batch must be
    /// recorded again then.
    ///
    /// # Safety
    /// Whenever it is submitted, each dispatch stays inside the regions that it names, with
    /// the access that they name.
    pub(crate) unsafe fn record(
        &mut self,
        life: Life,
        parts: &[Part<'_>],
        results: &[Region],
    ) -> Result<(), Error> {
        self.expect_free()?;
        let steps = || parts.iter().flat_map(|(_, steps)| *steps);
        steps().try_for_each(Step::expect_sound)?;
        self.life = None;
        let named = &mut *self.named;
        let blocks = steps().flat_map(Step::regions);
        named.held.clear();
        named
            .held
            .extend(blocks.map(|region| Arc::clone(&region.block)));
        named.known.clear();
        if life == Life::Again {
            named.known.extend(named.held.iter().map(Arc::downgrade));
        }
        named.pipelines.clear();
        let dispatches = steps().filter_map(Step::dispatch);
        named
            .pipelines
            .extend(dispatches.map(|(pipeline, _)| Arc::clone(pipeline)));
        // SAFETY: not in flight, checked above.
        let sets = unsafe { named.sets.write(steps())? };
        let timer = named.timer.as_ref();
        let fill = |device: &_, commands: vk::CommandBuffer| {
            let mut recorder = Recorder::new(device, commands, timer, &sets);
            if life == Life::Once {
                // SAFETY: `commands` is being recorded for the device's queue.
                unsafe { recorder.order() };
            }
            for (stage, steps) in parts {
                // SAFETY: as above; all that the steps name is held by rule 1, regions lie
                // inside their blocks by the check above, and dispatches are as this
                // function's contract says.
                unsafe { recorder.part(*stage, steps) };
            }
            // SAFETY: as above: results are regions of steps.
            unsafe { recorder.show_host(results) };
        };
        // SAFETY: not in flight, checked above; `fill` only records.
        unsafe { named.commands.record(fill)? };
        self.life = Some(life);
        Ok(())
    }

    /// Submits what was recorded; `wait` is how long it may take where it is dropped.
    ///
    /// # Errors
    /// [`Error::Internal`] while in flight, without a recording, and where a block is gone;
    /// else as [`Device::submit`].
    ///
    /// # Safety
    /// Until it is complete, nobody on the host writes what its steps read, or reads or
    /// writes what they write. With [`Life::Again`] no other submission in flight conflicts
    /// with it.
    pub(crate) unsafe fn submit(&mut self, wait: WaitPolicy) -> Result<Ticket, Error> {
        self.expect_free()?;
        let named = &mut *self.named;
        if self.life.is_none() {
            return Err(Error::internal("a recorded batch", "none"));
        }
        if named.held.is_empty() && !named.known.is_empty() {
            named
                .held
                .extend(named.known.iter().filter_map(Weak::upgrade));
            if named.held.len() < named.known.len() {
                named.held.clear();
                return Err(Error::internal("the memory of a batch", "some of it gone"));
            }
        }
        if let Some(timer) = &named.timer {
            // SAFETY: not in flight, checked above.
            unsafe { timer.reset() };
        }
        // SAFETY: recorded for this device's queue and not in flight; what it names stays until the
        // ticket is complete (rules 1 to 4), and the host by this function's contract.
        let submitted = unsafe { self.device.submit(named.commands.raw()) };
        match submitted {
            Ok(ticket) => self.flight = Some((ticket, wait)),
            // Nothing was submitted, unless the device was lost (rule 3).
            Err(_) if !self.device.is_lost() => self.land(),
            Err(_) => {}
        }
        Ok(submitted?)
    }

    /// Waits until it is not in flight.
    ///
    /// # Errors
    /// As [`Device::wait`]; on a lost device it fails even where nothing is in flight, since
    /// something may be.
    pub(crate) fn wait(&mut self, policy: WaitPolicy) -> Result<(), Error> {
        match self.flight {
            Some((ticket, _)) => {
                self.device.wait(ticket, policy)?;
                self.land();
            }
            // Not known to be in flight.
            None => self.device.expect_alive()?,
        }
        Ok(())
    }

    /// Whether it is not in flight, without waiting.
    ///
    /// # Errors
    /// As [`Device::is_complete`]; as [`Self::wait`] on a lost device.
    pub(crate) fn is_complete(&mut self) -> Result<bool, Error> {
        match self.flight {
            Some((ticket, _)) => {
                let complete = self.device.is_complete(ticket)?;
                if complete {
                    self.land();
                }
                Ok(complete)
            }
            None => Ok(self.device.expect_alive().map(|()| true)?),
        }
    }

    /// Whether a block that it was recorded with is gone: it cannot be submitted again.
    pub(crate) fn is_stale(&self) -> bool {
        let mut known = self.named.known.iter();
        known.any(|block| block.strong_count() == 0)
    }

    /// Holds its blocks no longer where it is not in flight: it knows them.
    pub(crate) fn let_go(&mut self) {
        if self.flight.is_none() {
            self.named.held.clear();
        }
    }

    /// When each of `stages` was at work, counted from the start of the first; `None` where
    /// they were not timed. The submission is complete.
    pub(crate) fn spans(&self, stages: &[u32]) -> Result<Option<Vec<Range<Duration>>>, Error> {
        let timer = self.named.timer.as_ref();
        let spans = timer.map(|timer| timer.spans(stages));
        Ok(spans.transpose()?.flatten())
    }

    #[cfg(test)]
    pub(crate) fn commands(&self) -> vk::CommandBuffer {
        self.named.commands.raw()
    }

    /// # Errors
    /// [`Error::Internal`] while in flight, [`vk_core::Error::DeviceLost`].
    pub(crate) fn expect_free(&self) -> Result<(), Error> {
        // Rule 3.
        self.device.expect_alive()?;
        match self.flight {
            None => Ok(()),
            Some(_) => Err(Error::internal(
                "a batch that is not in flight",
                "one that is",
            )),
        }
    }

    fn land(&mut self) {
        self.flight = None;
        self.named.held.clear();
        if self.life == Some(Life::Once) {
            self.life = None;
            self.named.pipelines.clear();
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let device = &self.device;
        // In a forked child there is nothing in flight, and what is named looks for itself.
        if !device.is_inherited() {
            let waited = match self.flight {
                Some((ticket, wait)) => device.wait(ticket, wait),
                None => Ok(()),
            };
            if device.is_lost() {
                // Rule 3. Whatever it returns, nothing is executed after.
                let _ = device.wait_idle();
            } else if let Err(error) = waited {
                tracing::error!("leaking what the device is still at: {error}");
                return;
            }
        }
        // SAFETY: dropped here alone, and nothing of it is in flight (rule 4).
        unsafe { ManuallyDrop::drop(&mut self.named) };
    }
}

#[cfg(test)]
mod tests {
    use vk_core::testing::device_under_test;

    use super::*;
    use crate::MemoryUse;
    use crate::memory::{Access, Memory};

    fn writing(block: &Arc<Block>) -> Step {
        Step::Write {
            to: Region::new(block, 0..4096, Access::Write),
            bytes: vec![7; 4096],
        }
    }

    fn record(batch: &mut Batch, life: Life, step: Step) -> Result<(), Error> {
        // SAFETY: there are no dispatches.
        unsafe { batch.record(life, &[(None, &[step])], &[]) }
    }

    fn submit(batch: &mut Batch) -> Result<(), Error> {
        // SAFETY: the host sees nothing of the memory, and nothing else is in flight.
        unsafe { batch.submit(WaitPolicy::default()).map(drop) }
    }

    #[test]
    fn in_flight_it_holds_its_memory_and_refuses_and_between_it_knows_it() {
        let (_guard, physical) = device_under_test().unwrap();
        let device = Device::new(&physical).unwrap();
        let memory = Memory::new(&device).unwrap();
        let block = || Arc::new(memory.block(4096, MemoryUse::Device).unwrap());
        let is_refused = |result: Result<(), Error>| matches!(result, Err(Error::Internal { .. }));
        let mut batch = Batch::new(&device, None).unwrap();
        assert!(is_refused(submit(&mut batch)), "nothing is recorded");

        let (one, other) = (block(), block());
        let known = Arc::downgrade(&one);
        record(&mut batch, Life::Again, writing(&one)).unwrap();
        for _ in 0..3 {
            submit(&mut batch).unwrap();
            assert!(is_refused(submit(&mut batch)) && batch.is_in_flight());
            let again = record(&mut batch, Life::Again, writing(&other));
            assert!(is_refused(again), "its commands are in use");
            batch.wait(WaitPolicy::default()).unwrap();
        }
        submit(&mut batch).unwrap();
        drop(one);
        assert!(!batch.is_stale() && known.strong_count() == 1);
        batch.wait(WaitPolicy::default()).unwrap();
        assert!(batch.is_stale() && known.strong_count() == 0);
        assert!(is_refused(submit(&mut batch)), "its memory is gone");

        record(&mut batch, Life::Once, writing(&other)).unwrap();
        let known = Arc::downgrade(&other);
        submit(&mut batch).unwrap();
        drop(other);
        drop(batch);
        assert_eq!(known.strong_count(), 0, "dropping has waited");
    }
}
