//! The transfer loop: lanes take chunks and drive them through their slots.
//!
//! A lane is one thread with slots of its own. While the device works on one
//! of its slots, the lane fills or empties another; meanwhile the other lanes
//! do the same, so that host copies use as many cores as there are lanes
//! without any of them waiting for another.

use std::sync::Arc;
use std::time::Instant;

use vk_core::{Kernel, WaitPolicy};

use crate::Error;
use crate::slot::Slot;
use crate::stats::Stats;
use crate::work::{ChunkWork, WorkQueue};

/// Runs every chunk of `queue` through `kernel`, on `lanes` lanes that share
/// `slots` evenly; the calling thread is the first lane.
pub(crate) fn run(
    slots: &mut [Slot],
    lanes: usize,
    kernel: &Arc<Kernel>,
    queue: &WorkQueue<'_>,
    wait: WaitPolicy,
) -> Result<Stats, Error> {
    let per_lane = slots.len().div_ceil(lanes.max(1)).max(1);
    let mut shares = slots.chunks_mut(per_lane);
    let Some(own) = shares.next() else {
        return Err(Error::Internal {
            what: "expected slots to run on, found none".to_owned(),
        });
    };
    let mut results: Vec<_> = shares.map(|share| (share, Ok(Stats::default()))).collect();
    let lane = |slots: &mut [Slot]| {
        let result = run_lane(slots, kernel, queue, wait);
        if result.is_err() {
            queue.stop();
        }
        result
    };
    let first = rayon::in_place_scope(|scope| {
        for (share, result) in &mut results {
            scope.spawn(|_| *result = lane(share));
        }
        // Should the pool be busy, this lane alone does all the work.
        lane(own)
    });
    let mut stats = first?;
    for (_, result) in results {
        stats.merge(&result?);
    }
    Ok(stats)
}

/// One lane: each slot in turn is emptied, filled and submitted again.
fn run_lane<'a>(
    slots: &mut [Slot],
    kernel: &Arc<Kernel>,
    queue: &WorkQueue<'a>,
    wait: WaitPolicy,
) -> Result<Stats, Error> {
    let mut stats = Stats::default();
    let mut flying: Vec<Option<ChunkWork<'a>>> = slots.iter().map(|_| None).collect();
    let mut turn = 0;
    loop {
        let (slot, carried) = (&mut slots[turn], &mut flying[turn]);
        if let Some(work) = carried.take() {
            slot.finish(work, wait, &mut stats.times)?;
        }
        let Some(work) = queue.next() else { break };
        let start = Instant::now();
        slot.stage(&work)?;
        let staged = Instant::now();
        slot.submit(kernel, work.elements)?;
        stats.times.copy_in += staged - start;
        stats.times.submit += staged.elapsed();
        stats.chunks += 1;
        stats.elements += work.elements;
        *carried = Some(work);
        turn = (turn + 1) % slots.len();
    }
    // Oldest first, so that copying one out overlaps the next one's work.
    for step in 1..=slots.len() {
        let turn = (turn + step) % slots.len();
        if let Some(work) = flying[turn].take() {
            slots[turn].finish(work, wait, &mut stats.times)?;
        }
    }
    Ok(stats)
}
