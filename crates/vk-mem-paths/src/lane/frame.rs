//! A batch of steps, with what it leaves on the host.

use std::sync::Arc;

use vk_core::{Device, WaitPolicy};

use super::batch::{Batch, Life, Part};
use super::step::Step;
use super::submitted::{Finished, FreeReadbacks, Outcome, Submitted};
use crate::Error;
use crate::memory::{ReadbackBuffer, Region};

/// Where reads begin in readback memory: a word of any element.
const READ_ALIGNMENT: usize = 16;

/// A batch, the memory that it copies its reads to, and who is to know of them.
pub(super) struct Frame {
    batch: Batch,
    readback: Option<ReadbackBuffer>,
    free: Arc<FreeReadbacks>,
    /// Where in it each region is that was to be read.
    reads: Vec<std::ops::Range<usize>>,
    outcome: Arc<Outcome>,
    device: Arc<Device>,
}

impl Frame {
    pub(super) fn new(
        device: &Arc<Device>,
        free: &Arc<FreeReadbacks>,
        timestamps: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            batch: Batch::new(device, timestamps.then_some(1))?,
            readback: None,
            free: Arc::clone(free),
            reads: Vec::new(),
            outcome: Arc::default(),
            device: Arc::clone(device),
        })
    }

    pub(super) fn is_complete(&mut self) -> Result<bool, Error> {
        self.batch.is_complete()
    }

    /// Records `steps` and, behind them, copies of `reads`; submits it all.
    ///
    /// # Safety
    /// As [`Lane::submit`](super::Lane::submit).
    pub(super) unsafe fn submit(
        &mut self,
        steps: &[Step],
        reads: &[Region],
        wait: WaitPolicy,
    ) -> Result<Submitted, Error> {
        reads.iter().try_for_each(Region::expect_inside)?;
        let copies = self.copies(reads)?;
        let parts: [Part<'_>; 2] = [(Some(0), steps), (None, &copies)];
        let readback = self.readback.as_ref();
        let results = readback.map(|it| it.region(0..it.bytes()));
        // SAFETY: dispatches are as this function's contract says.
        unsafe { self.batch.record(Life::Once, &parts, results.as_slice())? };
        // SAFETY: the host reads the readback memory once `finish` has lent it, and reaches no
        // other that is named.
        let ticket = unsafe { self.batch.submit(wait)? };
        Ok(Submitted {
            device: Arc::clone(&self.device),
            ticket,
            outcome: Arc::clone(&self.outcome),
        })
    }

    /// Collects what a complete batch left. What fails concerns that batch alone, and is in
    /// its outcome.
    ///
    /// # Safety
    /// [`Self::is_complete`] has said so of the last submission.
    pub(super) unsafe fn finish(&mut self) {
        let readback = self.readback.take();
        // SAFETY: the batch wrote all of the ranges, ended with the barrier to the host, and is
        // complete by this function's contract; what is recorded next takes others.
        let reads = readback.map(|it| unsafe { self.free.lend(it, &self.reads) });
        let finished = self.batch.spans(&[0]).map(|spans| Finished {
            reads: reads.unwrap_or_default(),
            device_time: spans.and_then(|spans| spans.first().map(|span| span.end)),
        });
        // Set once: the outcome is that of one submission.
        let _ = std::mem::take(&mut self.outcome).set(finished);
    }

    /// Copies of `reads` to readback memory.
    fn copies(&mut self, reads: &[Region]) -> Result<Vec<Step>, Error> {
        self.reads.clear();
        let mut bytes = 0;
        for read in reads {
            let end = bytes + read.range.len();
            self.reads.push(bytes..end);
            bytes = end.next_multiple_of(READ_ALIGNMENT);
        }
        if bytes == 0 {
            return Ok(Vec::new());
        }
        let readback = self.readback.insert(self.free.take(bytes)?);
        let copies = reads
            .iter()
            .zip(&self.reads)
            .map(|(read, range)| Step::Copy {
                from: read.clone(),
                to: readback.region(range.clone()),
            });
        Ok(copies.collect())
    }
}
