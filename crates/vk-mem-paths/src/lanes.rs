//! The transfer loop: lanes take chunks and drive them through their slots.
//!
//! A lane is one thread with slots of its own. While the device works on one
//! of its slots, the lane fills or empties another; meanwhile the other lanes
//! do the same, so that host copies use as many cores as there are lanes
//! without any of them waiting for another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::trace_span;
use vk_core::{Kernel, WaitPolicy};

use crate::slot::Slot;
use crate::stats::Stats;
use crate::timeline::{Place, Recorder};
use crate::work::{ChunkWork, WorkQueue};
use crate::{Crew, Error, StageKind, fresh};

/// Runs every chunk of `queue` through `kernel` on `lanes` lanes, which share
/// `slots` evenly. A lone lane has the crew's help with its copies.
pub(crate) fn run(
    crew: &mut Crew,
    slots: &mut [Slot],
    lanes: usize,
    kernel: &Arc<Kernel>,
    queue: &WorkQueue<'_>,
    wait: WaitPolicy,
) -> Result<Stats, Error> {
    let Some(first) = slots.first() else {
        return Err(Error::Internal {
            what: "expected slots to run on, found none".to_owned(),
        });
    };
    let run = Run {
        kernel,
        queue,
        wait,
        origin: first.is_timed().then(Instant::now),
        begun: AtomicUsize::new(0),
    };
    if lanes <= 1 {
        let lane = Lane::new(&run, 0, slots, 0, Some(crew));
        return lane.run();
    }
    let per_lane = slots.len().div_ceil(lanes);
    let shares: Vec<_> = slots
        .chunks_mut(per_lane)
        .map(|slots| Mutex::new(Some(slots)))
        .collect();
    let total = Mutex::new(Ok(Stats::default()));
    let span = tracing::Span::current();
    crew.run(shares.len(), &|number| {
        let _inside = span.enter();
        let slots = shares[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(slots) = slots else { return };
        let result = Lane::new(&run, number, slots, number * per_lane, None).run();
        if result.is_err() {
            queue.stop();
        }
        let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *total, result) {
            (Ok(total), Ok(stats)) => total.merge(stats),
            (Ok(_), Err(error)) => *total = Err(error),
            // The first error is the informative one.
            (Err(_), _) => {}
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What the lanes of a run share.
struct Run<'r, 'w> {
    kernel: &'r Arc<Kernel>,
    queue: &'r WorkQueue<'w>,
    wait: WaitPolicy,
    /// When the run began, if it is timed.
    origin: Option<Instant>,
    /// How many chunks lanes have begun on.
    begun: AtomicUsize,
}

/// One lane: each slot in turn is emptied, filled and submitted again.
struct Lane<'r, 'w> {
    run: &'r Run<'r, 'w>,
    slots: &'r mut [Slot],
    /// The number of the first slot among those of all lanes.
    first_slot: usize,
    crew: Option<&'r mut Crew>,
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

impl<'r, 'w> Lane<'r, 'w> {
    fn new(
        run: &'r Run<'r, 'w>,
        number: usize,
        slots: &'r mut [Slot],
        first_slot: usize,
        crew: Option<&'r mut Crew>,
    ) -> Self {
        Self {
            run,
            flying: slots.iter().map(|_| None).collect(),
            slots,
            first_slot,
            crew,
            stats: Stats::default(),
            recorder: Recorder::new(number, run.origin),
        }
    }

    fn run(mut self) -> Result<Stats, Error> {
        let mut turn = 0;
        loop {
            self.finish(turn)?;
            let Some(work) = self.run.queue.next() else {
                break;
            };
            self.begin(turn, work)?;
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
    fn begin(&mut self, turn: usize, mut work: ChunkWork<'w>) -> Result<(), Error> {
        let chunk = self.run.begun.fetch_add(1, Ordering::Relaxed);
        let elements = work.elements;
        let slot = &mut self.slots[turn];
        let start = Instant::now();
        trace_span!("copy in", chunk, elements)
            .in_scope(|| slot.stage(&work, self.crew.as_deref_mut()))?;
        let staged = Instant::now();
        trace_span!("submit", chunk, elements)
            .in_scope(|| slot.submit(self.run.kernel, elements))?;
        self.stats.times.copy_in += staged - start;
        self.stats.times.submit += staged.elapsed();
        let place = self.place(turn, chunk);
        self.recorder.host(place, StageKind::CopyIn, start..staged);
        // While the device works: the copy out finds its pages there.
        fresh::touch(&mut work, self.crew.as_deref_mut());
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
        let (chunk, crew) = (flight.chunk, self.crew.as_deref_mut());
        let slot = &mut self.slots[turn];
        let finished = slot.finish(flight.work, chunk, self.run.wait, crew)?;
        let times = &mut self.stats.times;
        times.wait += finished.done - finished.waiting;
        times.copy_out += finished.copied - finished.done;
        times.add_device(&finished.device);
        let (place, recorder) = (self.place(turn, chunk), &mut self.recorder);
        let window = flight.submitted..finished.done;
        recorder.device(place, &finished.device, window);
        let copy_out = finished.done..finished.copied;
        recorder.host(place, StageKind::CopyOut, copy_out);
        Ok(())
    }

    fn place(&self, turn: usize, chunk: usize) -> Place {
        Place {
            slot: self.first_slot + turn,
            chunk,
        }
    }
}
