//! Runs batches: keeps the slots and hands them to the lanes.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::sync::Arc;

use vk_core::{Device, Kernel, SetLayout, WaitPolicy};

use crate::memory::Memory;
use crate::slot::{Slot, SlotShape};
use crate::work::WorkQueue;
use crate::{Chunks, Error, Path, Plan, Stats, group_stages, lanes};

/// One job: two inputs and an output of equal length, a whole number of
/// elements each.
pub struct Job<'a> {
    /// The first input.
    pub a: &'a [u8],
    /// The second input.
    pub b: &'a [u8],
    /// Where the result goes; needs no value before.
    pub out: &'a mut [MaybeUninit<u8>],
}

impl Job<'_> {
    fn reborrow(&mut self) -> Job<'_> {
        Job {
            a: self.a,
            b: self.b,
            out: self.out,
        }
    }
}

/// Settings of a [`Transfer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferOptions {
    /// How to wait for the device.
    pub wait: WaitPolicy,
    /// Whether the device times its stages. Off by default: it costs two
    /// timestamps per stage and chunk.
    pub timestamps: bool,
}

/// Runs batches of jobs on one device and keeps slots (staging buffers,
/// descriptor sets, command buffers) from run to run.
pub struct Transfer {
    // Slots hold memory and device; they drop first.
    slots: HashMap<SlotKind, Vec<Slot>>,
    memory: Arc<Memory>,
    set_layout: Arc<SetLayout>,
    device: Arc<Device>,
    options: TransferOptions,
}

/// Slots of one kind have the same buffers and the same groups of stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SlotKind {
    path: Path,
    overlapped: bool,
}

impl Transfer {
    /// A transfer loop on `device`, for kernels of the cache that
    /// `set_layout` came from.
    ///
    /// # Errors
    /// What creating the allocator returned.
    pub fn new(
        device: &Arc<Device>,
        set_layout: &Arc<SetLayout>,
        options: TransferOptions,
    ) -> Result<Self, Error> {
        Ok(Self {
            slots: HashMap::new(),
            memory: Memory::new(device)?,
            set_layout: Arc::clone(set_layout),
            device: Arc::clone(device),
            options,
        })
    }

    /// Runs `kernel` over all `jobs`, whose elements are `element_bytes`
    /// long, under `plan`.
    ///
    /// On `Ok`, every byte of every `out` has been written. On `Err`, none of
    /// them may be read, and the loop is ready for the next run.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] for slices of unequal length or of a fraction of
    /// an element, [`Error::OutOfMemory`] for staging memory, else what the
    /// device returned.
    pub fn run(
        &mut self,
        kernel: &Arc<Kernel>,
        plan: &Plan,
        element_bytes: usize,
        jobs: &mut [Job<'_>],
    ) -> Result<Stats, Error> {
        let elements = check_jobs(jobs, element_bytes)?;
        let kind = SlotKind {
            path: plan.path,
            overlapped: plan.depth > 1,
        };
        self.prepare(kind, plan, element_bytes)?;
        let wait = self.options.wait;
        let slots = self.slots.entry(kind).or_default();
        let slots = &mut slots[..plan.depth.max(1)];
        let chunks = Chunks::new(&elements, plan.chunk, plan.packing);
        let jobs = jobs.iter_mut().map(Job::reborrow).collect();
        let queue = WorkQueue::new(chunks, jobs, element_bytes);
        let ran = lanes::run(slots, plan.lanes, kernel, &queue, wait);
        if ran.is_err() {
            release(slots, wait);
        }
        let mut stats = ran?;
        let total: usize = elements.iter().sum();
        if stats.elements != total {
            return Err(Error::Internal {
                what: format!(
                    "expected {total} elements computed, found {}",
                    stats.elements
                ),
            });
        }
        let bytes = (stats.elements * element_bytes) as u64;
        stats.bytes_in = 2 * bytes;
        stats.bytes_out = bytes;
        Ok(stats)
    }

    /// Makes sure that `plan.depth` slots of `kind` are there, free and large
    /// enough.
    fn prepare(&mut self, kind: SlotKind, plan: &Plan, element_bytes: usize) -> Result<(), Error> {
        let groups = group_stages(kind.path, kind.overlapped, self.device.queue_plan());
        let shape = SlotShape {
            path: kind.path,
            groups: &groups,
            capacity: plan.capacity,
            element_bytes,
            timestamps: self.options.timestamps,
            parallel_copies: !kind.overlapped,
        };
        let slots = self.slots.entry(kind).or_default();
        for slot in slots.iter_mut() {
            slot.release(self.options.wait)?;
        }
        // Smaller ones go before larger ones come: both at once might not fit.
        slots.retain(|slot| slot.fits(plan.capacity, element_bytes));
        while slots.len() < plan.depth.max(1) {
            slots.push(Slot::new(
                &self.device,
                &self.memory,
                &self.set_layout,
                &shape,
            )?);
        }
        Ok(())
    }
}

/// The elements of each job.
fn check_jobs(jobs: &[Job<'_>], element_bytes: usize) -> Result<Vec<usize>, Error> {
    let element_bytes = element_bytes.max(1);
    let check = |(number, job): (usize, &Job<'_>)| {
        let whole = job.a.len() / element_bytes * element_bytes;
        let lengths = [
            ("A", job.a.len()),
            ("B", job.b.len()),
            ("the output", job.out.len()),
        ];
        match lengths.into_iter().find(|(_, found)| *found != whole) {
            None => Ok(whole / element_bytes),
            Some((what, found)) => Err(Error::InvalidJob {
                job: number,
                what,
                expected: whole,
                found,
            }),
        }
    };
    jobs.iter().enumerate().map(check).collect()
}

/// After a failed run: waits for what is in flight, so that the slots are
/// free again. What cannot be waited for stays in flight, and the next run
/// says so.
fn release(slots: &mut [Slot], wait: WaitPolicy) {
    for slot in slots {
        if let Err(error) = slot.release(wait) {
            tracing::warn!("a slot stays in flight after a failed run: {error}");
        }
    }
}
