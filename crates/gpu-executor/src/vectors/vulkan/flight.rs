//! A batch on the device, and what it leaves on the host.

use std::sync::{Arc, Mutex};

use vk_core::WaitPolicy;
use vk_mem_paths::{Finished, Submitted};

use super::{Inner, lock};
use crate::Error;
use crate::vectors::families::Number;
use crate::vectors::runner::{Elements, Flight, Left, internal};

/// A batch that was submitted to a lane.
pub(super) struct DeviceFlight {
    pub(super) inner: Arc<Mutex<Inner>>,
    pub(super) submitted: Submitted,
    pub(super) readbacks: Readbacks,
    pub(super) wait: WaitPolicy,
}

impl Flight for DeviceFlight {
    fn is_complete(&self) -> Result<bool, Error> {
        Ok(self.submitted.is_complete()?)
    }

    fn wait(&self) -> Result<(), Error> {
        // Without the lane's lock: others submit meanwhile.
        Ok(self.submitted.wait(self.wait)?)
    }

    fn left(&self) -> Result<Left, Error> {
        lock(&self.inner).lane.reap()?;
        let finished = self.submitted.finished();
        let finished = finished
            .ok_or_else(|| internal("a complete submission"))?
            .map_err(Clone::clone)?;
        self.readbacks.left(finished)
    }
}

/// What a batch copies to the host: the reads of its program, and behind them the numbers
/// of its nodes.
#[derive(Debug, Default)]
pub(super) struct Readbacks {
    /// Of each read whether it has elements: one without is not copied.
    pub(super) reads: Vec<bool>,
    /// Of each number the node that leaves it, and what it says.
    pub(super) numbers: Vec<(usize, Number)>,
}

impl Readbacks {
    fn left(&self, finished: &Finished) -> Result<Left, Error> {
        let mut copied = finished.reads.iter().cloned().map(Elements::Device);
        let mut next = |is_there: bool| {
            let copied = is_there.then(|| copied.next()).flatten();
            copied.unwrap_or(Elements::Limbs(Arc::default()))
        };
        let reads = self.reads.iter().map(|is_there| next(*is_there));
        let mut left = Left {
            reads: reads.collect(),
            device_time: finished.device_time,
            ..Left::default()
        };
        let numbers = next(!self.numbers.is_empty());
        for ((node, means), bytes) in self.numbers.iter().zip(numbers.bytes()?.as_chunks().0) {
            left.note(*node, *means, u32::from_ne_bytes(*bytes).into());
        }
        Ok(left)
    }
}
