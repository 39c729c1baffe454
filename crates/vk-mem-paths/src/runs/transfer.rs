//! Runs batches: plans them, keeps the slots and drives the chunks through them.
//!
//! One thread, the caller's, takes the slots in turn: it empties the one that
//! has been on the device for longest, fills it with the next chunk and
//! submits it. So copies on the host overlap the device's work on the other
//! slots. The thread pool shares the copies: a chunk passes through the host in the
//! time that all cores together need for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tracing::trace_span;
use vk_core::{ComputePipeline, Device, WaitPolicy};

use super::chunks::{Chunk, Chunks, Job, elements_of};
use super::slot::Slot;
use super::timeline::Timing;
use super::{Plan, Request, StageKind, Stats, TransferPath, Tuning, Workload, plan};
use crate::Error;
use crate::lane::{Lane, TransferOptions};
use crate::memory::{AllocatedMemory, Memory};
use crate::threads::{Ahead, ElementFormat, ThreadPool};

/// Runs batches of jobs on one device and keeps slots (staging buffers,
/// descriptor sets, command buffers) from run to run.
pub struct Transfer {
    pub(super) slots: HashMap<TransferPath, Vec<Slot>>,
    threads: ThreadPool,
    pub(super) memory: Arc<Memory>,
    pub(super) device: Arc<Device>,
    pub(super) options: TransferOptions,
    pub(super) tuning: Tuning,
    // Whether runs go on with smaller chunks where memory runs out: times of others than were
    // asked for say nothing.
    pub(super) halves: bool,
}

impl Transfer {
    /// A transfer loop on `device`.
    ///
    /// # Errors
    /// [`Error::Threads`], and what creating the allocator returned.
    pub fn new(device: &Arc<Device>, options: TransferOptions) -> Result<Self, Error> {
        Ok(Self {
            slots: HashMap::new(),
            threads: ThreadPool::new(options.threads)?,
            memory: Memory::new(device)?,
            device: Arc::clone(device),
            options,
            tuning: Tuning::default(),
            halves: true,
        })
    }

    /// A lane on its device, with its allocator and options.
    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane::with_memory(&self.device, Arc::clone(&self.memory), self.options)
    }

    /// Threads that copy on the host, the caller's included.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.threads()
    }

    /// How much memory is allocated now, for staging and for host buffers.
    ///
    /// # Errors
    /// What the allocator returned.
    pub fn allocated_memory(&self) -> Result<AllocatedMemory, Error> {
        self.memory.allocated()
    }

    /// What runs are planned by, beside the caps; the default at first.
    #[must_use]
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// Plans all further runs by `tuning`.
    pub fn set_tuning(&mut self, tuning: Tuning) {
        self.tuning = tuning;
    }

    /// Runs `kernel` over all `jobs` and returns how it was done. Where the
    /// device's memory runs out it begins again, with chunks of half the size,
    /// until they are too small to matter.
    ///
    /// On `Ok`, every byte of every `out` has been written. On `Err`, none of
    /// them may be read; the loop is ready for the next run unless the device
    /// is lost or still busy ([`vk_core::Error::Timeout`]).
    ///
    /// # Errors
    /// [`Error::InvalidJob`] for slices of unequal length or of a fraction of
    /// an element, [`Error::Refused`] for an element that does not pass
    /// the check, [`Error::ForeignKernel`] for a kernel of another device,
    /// [`Error::OutOfDeviceMemory`] for staging memory, else what the
    /// device returned.
    pub fn run(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        request: &Request,
        element: impl Into<ElementFormat>,
        jobs: &mut [Job<'_>],
    ) -> Result<(Plan, Stats), Error> {
        let element: ElementFormat = element.into();
        let element_bytes = element.bytes;
        expect_kernel_of(&self.device, kernel)?;
        let numbered = jobs.iter().enumerate();
        let elements = numbered.map(|(number, job)| {
            let bytes = [job.a.len(), job.b.len(), job.out.len()];
            elements_of(number, bytes, element_bytes)
        });
        let elements = elements.collect::<Result<Vec<_>, _>>()?;
        let total = elements.iter().sum();
        let work = Workload {
            total,
            largest_job: elements.iter().copied().max().unwrap_or(0),
            element_bytes,
            workgroup_size: kernel.shape().workgroup_size,
        };
        let mut plan = plan(self.device.caps(), &self.tuning, &work, request)?;
        let stats = loop {
            let error = match self.attempt(kernel, &plan, element, total, jobs) {
                Err(error) if error.is_out_of_device_memory() => error,
                ran => break ran?,
            };
            // What is still in flight would be leaked by that, and keeps the memory in any case.
            let mut slots = self.slots.values().flatten();
            let is_free = !slots.any(|slot| slot.commands.batch.is_in_flight());
            let smaller = plan.halved().filter(|_| self.halves && is_free);
            plan = smaller.ok_or_else(|| error.clone())?;
            tracing::warn!(chunk = plan.chunk, "going on with smaller chunks: {error}");
            // Nothing that an attempt left behind matters to the next.
            self.slots.clear();
        };
        Ok((plan, stats))
    }

    /// Runs as planned, or fails with every slot as free as it can be.
    fn attempt(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        plan: &Plan,
        element: ElementFormat,
        total: usize,
        jobs: &mut [Job<'_>],
    ) -> Result<Stats, Error> {
        let (path, chunk, depth) = (plan.path, plan.chunk, plan.depth);
        let _run = tracing::debug_span!("run", elements = total, %path, chunk, depth).entered();
        // What is in flight on a lost device is not known: no slot is reused
        // or freed before `Drop`, which waits.
        self.device.expect_usable()?;
        self.prepare(plan, element.bytes)?;
        let fresh = jobs.iter().filter(|job| job.fresh).map(|job| &*job.out);
        let ahead = Ahead::of(fresh, self.threads.threads() / MAKING_PAGES);
        let _making = ahead.map(|ahead| self.threads.make_ahead(ahead));
        let chunks = Chunks::new(jobs, element.bytes, plan.chunk, plan.packing);
        let wait = self.options.wait;
        let slots = self.slots.entry(plan.path).or_default();
        let found = slots.len();
        let slots = slots.get_mut(..plan.depth);
        let expected = format_args!("{depth} slots to run on");
        let slots = slots.ok_or_else(|| Error::internal(expected, found))?;
        let drive = Drive {
            in_slots: slots.iter().map(|_| None).collect(),
            timing: Timing {
                origin: self.options.timestamps.then(Instant::now),
                spans: Vec::new(),
            },
            slots,
            threads: &mut self.threads,
            kernel,
            element,
            wait,
            stats: Stats::default(),
        };
        let ran = drive.run(chunks);
        if let Err(error) = &ran {
            tracing::debug!("a run failed: {error}");
            release(slots, wait);
        }
        let mut stats = ran?;
        if stats.elements != total {
            let expected = format_args!("{total} elements computed");
            return Err(Error::internal(expected, stats.elements));
        }
        let bytes = (stats.elements * element.bytes) as u64;
        stats.bytes_in = 2 * bytes;
        stats.bytes_out = bytes;
        Ok(stats)
    }

    /// Makes sure that as many slots as `plan` is deep are there, free and
    /// large enough. Where memory runs out, the slots of other paths go.
    fn prepare(&mut self, plan: &Plan, element_bytes: usize) -> Result<(), Error> {
        let path = plan.path;
        let slots = self.slots.entry(path).or_default();
        for slot in slots.iter_mut() {
            slot.commands.batch.wait(self.options.wait)?;
        }
        let fits = |slot: &Slot| slot.fits(plan.capacity * element_bytes);
        // The run takes the first ones.
        slots.sort_by_key(|slot| !fits(slot));
        let fitting = slots.iter().take_while(|slot| fits(slot)).count();
        let missing = plan.depth.saturating_sub(fitting);
        if missing > 0 {
            // Smaller ones go before larger ones come: both at once might not fit.
            slots.truncate(fitting);
        }
        for _ in 0..missing {
            let timestamps = self.options.timestamps;
            let new = || Slot::new(&self.device, &self.memory, plan, element_bytes, timestamps);
            let slot = match new() {
                Err(Error::OutOfDeviceMemory { .. }) if self.slots.len() > 1 => {
                    self.slots.retain(|other, _| *other == path);
                    new()?
                }
                slot => slot?,
            };
            self.slots.entry(path).or_default().push(slot);
        }
        Ok(())
    }
}

/// Drives the chunks of a run through its slots.
struct Drive<'r, 'c> {
    slots: &'r mut [Slot],
    threads: &'r mut ThreadPool,
    kernel: &'r Arc<ComputePipeline>,
    element: ElementFormat,
    wait: WaitPolicy,
    in_slots: Vec<Option<InSlot<'c>>>,
    stats: Stats,
    timing: Timing,
}

struct InSlot<'c> {
    chunk: Chunk<'c>,
    number: usize,
    /// When the host began to submit it.
    submitted: Instant,
}

impl<'c> Drive<'_, 'c> {
    fn run(mut self, mut chunks: Chunks<'c>) -> Result<Stats, Error> {
        let mut turn = 0;
        loop {
            self.finish(turn)?;
            let Some(chunk) = chunks.next() else {
                break;
            };
            self.begin(turn, chunk)?;
            turn = (turn + 1) % self.slots.len();
        }
        // Oldest first, so that copying one out overlaps the next one's work.
        for step in 1..=self.slots.len() {
            self.finish((turn + step) % self.slots.len())?;
        }
        self.stats.timeline = self.timing.spans;
        Ok(self.stats)
    }

    /// Fills the slot of this turn with `filling` and submits it.
    fn begin(&mut self, turn: usize, filling: Chunk<'c>) -> Result<(), Error> {
        let (chunk, elements) = (self.stats.chunks, filling.elements);
        let (slot, wait) = (&mut self.slots[turn], self.wait);
        let start = Instant::now();
        trace_span!("copy in", chunk, elements)
            .in_scope(|| slot.stage(&filling, self.element, self.threads))?;
        let staged = Instant::now();
        trace_span!("submit", chunk, elements)
            .in_scope(|| slot.submit(self.kernel, elements, self.element.bytes, wait))?;
        self.stats.times.copy_in += staged - start;
        self.stats.times.submit += staged.elapsed();
        self.timing
            .host((turn, chunk), StageKind::CopyIn, start..staged);
        self.stats.chunks += 1;
        self.stats.elements += elements;
        self.in_slots[turn] = Some(InSlot {
            chunk: filling,
            number: chunk,
            submitted: staged,
        });
        Ok(())
    }

    /// Empties the slot of this turn, if a chunk is in it.
    fn finish(&mut self, turn: usize) -> Result<(), Error> {
        let Some(InSlot {
            chunk: results,
            number: chunk,
            submitted,
        }) = self.in_slots[turn].take()
        else {
            return Ok(());
        };
        let (slot, wait, elements) = (&mut self.slots[turn], self.wait, results.elements);
        let waiting = Instant::now();
        trace_span!("wait", chunk, elements).in_scope(|| slot.commands.batch.wait(wait))?;
        let done = Instant::now();
        trace_span!("copy out", chunk, elements)
            .in_scope(|| slot.copy_out(results, self.threads))?;
        let copied = Instant::now();
        let device = slot.commands.device_stages()?;
        let times = &mut self.stats.times;
        times.wait += done - waiting;
        times.copy_out += copied - done;
        times.add_device(&device);
        let timing = &mut self.timing;
        timing.device((turn, chunk), &device, submitted..done);
        timing.host((turn, chunk), StageKind::CopyOut, done..copied);
        Ok(())
    }
}

/// One thread out of this many makes pages for fresh results while the others
/// copy.
const MAKING_PAGES: usize = 3;

/// # Errors
/// [`Error::ForeignKernel`] for a kernel of another device.
pub(super) fn expect_kernel_of(device: &Device, kernel: &ComputePipeline) -> Result<(), Error> {
    match kernel.device().is_same_as(device) {
        true => Ok(()),
        false => Err(Error::ForeignKernel {
            expected: device.caps().name.clone(),
            found: kernel.device().caps().name.clone(),
        }),
    }
}

/// After a failed run: waits for what is in flight, so that the slots are
/// free again. What cannot be waited for stays in flight, and the next run
/// says so. A device that let one wait run out gets no second one
/// ([`Device::wait`]).
fn release(slots: &mut [Slot], wait: WaitPolicy) {
    let batches = slots.iter_mut().map(|slot| &mut slot.commands.batch);
    for batch in batches.filter(|batch| batch.is_in_flight()) {
        if let Err(error) = batch.wait(wait) {
            tracing::warn!("a slot stays in flight after a failed run: {error}");
        }
    }
}
