//! The transfer loop: drives the chunks of a run through its slots.
//!
//! One thread, the caller's, takes the slots in turn: it empties the one that
//! has been on the device for longest, fills it with the next chunk and
//! submits it. So copies on the host overlap the device's work on the other
//! slots. The crew shares the copies: a chunk passes through the host in the
//! time that all cores together need for it.

use std::sync::Arc;
use std::time::Instant;

use tracing::trace_span;
use vk_core::{ComputePipeline, WaitPolicy};

use crate::slot::Slot;
use crate::stats::Stats;
use crate::timeline::{Place, Recorder};
use crate::work::{ChunkWork, Work};
use crate::{Crew, Error, StageKind};

/// Runs every chunk of `work` through `kernel` on `slots`.
pub(crate) fn run(
    crew: &mut Crew,
    slots: &mut [Slot],
    kernel: &Arc<ComputePipeline>,
    work: Work<'_>,
    wait: WaitPolicy,
) -> Result<Stats, Error> {
    let Some(first) = slots.first() else {
        return Err(Error::Internal {
            what: "expected slots to run on, found none".to_owned(),
        });
    };
    let recorder = Recorder::new(first.is_timed().then(Instant::now));
    let drive = Drive {
        flying: slots.iter().map(|_| None).collect(),
        slots,
        crew,
        kernel,
        wait,
        stats: Stats::default(),
        recorder,
    };
    drive.run(work)
}

struct Drive<'r, 'w> {
    slots: &'r mut [Slot],
    crew: &'r mut Crew,
    kernel: &'r Arc<ComputePipeline>,
    wait: WaitPolicy,
    flying: Vec<Option<Flight<'w>>>,
    stats: Stats,
    recorder: Recorder,
}

/// A chunk on the device.
struct Flight<'w> {
    work: ChunkWork<'w>,
    chunk: usize,
    /// When the host began to submit it.
    submitted: Instant,
}

impl<'w> Drive<'_, 'w> {
    fn run(mut self, mut work: Work<'w>) -> Result<Stats, Error> {
        let mut turn = 0;
        loop {
            self.finish(turn)?;
            let Some(chunk) = work.next() else {
                break;
            };
            self.begin(turn, chunk)?;
            turn = (turn + 1) % self.slots.len();
        }
        // Oldest first, so that copying one out overlaps the next one's work.
        for step in 1..=self.slots.len() {
            self.finish((turn + step) % self.slots.len())?;
        }
        self.stats.timeline = self.recorder.into_spans();
        Ok(self.stats)
    }

    /// Fills the slot of this turn with `work` and submits it.
    fn begin(&mut self, turn: usize, work: ChunkWork<'w>) -> Result<(), Error> {
        let (chunk, elements) = (self.stats.chunks, work.elements);
        let (slot, wait) = (&mut self.slots[turn], self.wait);
        let start = Instant::now();
        trace_span!("copy in", chunk, elements).in_scope(|| slot.stage(&work, self.crew))?;
        let staged = Instant::now();
        trace_span!("submit", chunk, elements)
            .in_scope(|| slot.submit(self.kernel, elements, wait))?;
        self.stats.times.copy_in += staged - start;
        self.stats.times.submit += staged.elapsed();
        let place = Place { slot: turn, chunk };
        self.recorder.host(place, StageKind::CopyIn, start..staged);
        self.stats.chunks += 1;
        self.stats.elements += elements;
        self.flying[turn] = Some(Flight {
            work,
            chunk,
            submitted: staged,
        });
        Ok(())
    }

    /// Empties the slot of this turn, if a chunk is in it.
    fn finish(&mut self, turn: usize) -> Result<(), Error> {
        let Some(flight) = self.flying[turn].take() else {
            return Ok(());
        };
        let chunk = flight.chunk;
        let slot = &mut self.slots[turn];
        let finished = slot.finish(flight.work, chunk, self.wait, self.crew)?;
        let times = &mut self.stats.times;
        times.wait += finished.done - finished.waiting;
        times.copy_out += finished.copied - finished.done;
        times.add_device(&finished.device);
        let (place, recorder) = (Place { slot: turn, chunk }, &mut self.recorder);
        let window = flight.submitted..finished.done;
        recorder.device(place, &finished.device, window);
        let copy_out = finished.done..finished.copied;
        recorder.host(place, StageKind::CopyOut, copy_out);
        Ok(())
    }
}
