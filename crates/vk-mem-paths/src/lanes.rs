//! The transfer loop: lanes take chunks and drive them through their slots.
//!
//! A lane is one thread with slots of its own. While the device works on one
//! of its slots, the lane fills or empties another; meanwhile the other lanes
//! do the same, so that host copies use as many cores as there are lanes
//! without any of them waiting for another.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use vk_core::{Kernel, WaitPolicy};

use crate::slot::Slot;
use crate::stats::Stats;
use crate::work::{ChunkWork, WorkQueue};
use crate::{Crew, Error, fresh};

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
    if slots.is_empty() {
        return Err(Error::Internal {
            what: "expected slots to run on, found none".to_owned(),
        });
    }
    if lanes <= 1 {
        return run_lane(slots, kernel, queue, wait, Some(crew));
    }
    let per_lane = slots.len().div_ceil(lanes);
    let shares: Vec<_> = slots
        .chunks_mut(per_lane)
        .map(|slots| Mutex::new(Some(slots)))
        .collect();
    let total = Mutex::new(Ok(Stats::default()));
    crew.run(shares.len(), &|number| {
        let slots = shares[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(slots) = slots else { return };
        let result = run_lane(slots, kernel, queue, wait, None);
        if result.is_err() {
            queue.stop();
        }
        let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *total, result) {
            (Ok(total), Ok(stats)) => total.merge(&stats),
            (Ok(_), Err(error)) => *total = Err(error),
            // The first error is the informative one.
            (Err(_), _) => {}
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One lane: each slot in turn is emptied, filled and submitted again.
fn run_lane<'a>(
    slots: &mut [Slot],
    kernel: &Arc<Kernel>,
    queue: &WorkQueue<'a>,
    wait: WaitPolicy,
    mut crew: Option<&mut Crew>,
) -> Result<Stats, Error> {
    let mut stats = Stats::default();
    let mut flying: Vec<Option<ChunkWork<'a>>> = slots.iter().map(|_| None).collect();
    let mut turn = 0;
    loop {
        let (slot, carried) = (&mut slots[turn], &mut flying[turn]);
        if let Some(work) = carried.take() {
            slot.finish(work, wait, crew.as_deref_mut(), &mut stats.times)?;
        }
        let Some(mut work) = queue.next() else { break };
        let start = Instant::now();
        slot.stage(&work, crew.as_deref_mut())?;
        let staged = Instant::now();
        slot.submit(kernel, work.elements)?;
        stats.times.copy_in += staged - start;
        stats.times.submit += staged.elapsed();
        // While the device works: the copy out finds its pages there.
        fresh::touch(&mut work, crew.as_deref_mut());
        stats.chunks += 1;
        stats.elements += work.elements;
        *carried = Some(work);
        turn = (turn + 1) % slots.len();
    }
    // Oldest first, so that copying one out overlaps the next one's work.
    for step in 1..=slots.len() {
        let turn = (turn + step) % slots.len();
        if let Some(work) = flying[turn].take() {
            slots[turn].finish(work, wait, crew.as_deref_mut(), &mut stats.times)?;
        }
    }
    Ok(stats)
}
