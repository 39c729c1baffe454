//! The transfer loop: drives the chunks of a run through its slots.
//!
//! One thread, the caller's, takes the slots in turn: it empties the one that
//! has been on the device for longest, fills it with the next chunk and
//! submits it. So copies on the host overlap the device's work on the other
//! slots. The thread pool shares the copies: a chunk passes through the host in the
//! time that all cores together need for it.

use std::sync::Arc;
use std::time::Instant;

use tracing::trace_span;
use vk_core::{ComputePipeline, WaitPolicy};

use super::StageKind;
use super::chunks::{Chunk, Chunks};
use super::slot::Slot;
use super::stats::Stats;
use super::timeline::{ChunkId, Timing};
use crate::{Element, Error, ThreadPool};

/// Runs all `chunks` through `kernel` on `slots`.
pub(super) fn run(
    threads: &mut ThreadPool,
    slots: &mut [Slot],
    kernel: &Arc<ComputePipeline>,
    chunks: Chunks<'_>,
    element: Element,
    wait: WaitPolicy,
) -> Result<Stats, Error> {
    let Some(first) = slots.first() else {
        return Err(Error::Internal {
            what: "expected slots to run on, found none".to_owned(),
        });
    };
    let timing = Timing::new(first.is_timed().then(Instant::now));
    let drive = Drive {
        in_slots: slots.iter().map(|_| None).collect(),
        slots,
        threads,
        kernel,
        element,
        wait,
        stats: Stats::default(),
        timing,
    };
    drive.run(chunks)
}

struct Drive<'r, 'c> {
    slots: &'r mut [Slot],
    threads: &'r mut ThreadPool,
    kernel: &'r Arc<ComputePipeline>,
    element: Element,
    wait: WaitPolicy,
    in_slots: Vec<Option<InSlot<'c>>>,
    stats: Stats,
    timing: Timing,
}

/// A chunk on the device.
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
        self.stats.timeline = self.timing.into_spans();
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
            .in_scope(|| slot.submit(self.kernel, elements, wait))?;
        self.stats.times.copy_in += staged - start;
        self.stats.times.submit += staged.elapsed();
        let id = ChunkId { slot: turn, chunk };
        self.timing.host(id, StageKind::CopyIn, start..staged);
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
        trace_span!("wait", chunk, elements).in_scope(|| slot.release(wait))?;
        let done = Instant::now();
        trace_span!("copy out", chunk, elements)
            .in_scope(|| slot.copy_out(results, self.threads))?;
        let copied = Instant::now();
        let device = slot.device_stages()?;
        let times = &mut self.stats.times;
        times.wait += done - waiting;
        times.copy_out += copied - done;
        times.add_device(&device);
        let id = ChunkId { slot: turn, chunk };
        self.timing.device(id, &device, submitted..done);
        self.timing.host(id, StageKind::CopyOut, done..copied);
        Ok(())
    }
}
