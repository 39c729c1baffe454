//! A batch on the device, and what it left there.

use std::sync::{Arc, Mutex};

use vk_core::WaitPolicy;
use vk_mem_paths::Submitted;

use super::{Inner, lock};
use crate::Error;
use crate::vectors::runner::{Flags, Flight, Left, Meaning, internal};

/// A batch that was submitted to a lane.
pub(super) struct DeviceFlight {
    pub(super) inner: Arc<Mutex<Inner>>,
    pub(super) submitted: Submitted,
    /// They are behind the reads that the program has.
    pub(super) flags: Flags,
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
        let mut found = finished.reads.iter();
        let mut next = |is_there: &bool| match is_there {
            true => found.next().map_or(&[][..], Vec::as_slice),
            false => &[],
        };
        let reads = self.flags.reads.iter().map(&mut next);
        let mut left = Left {
            reads: reads.map(words).collect(),
            device_time: finished.device_time,
            ..Left::default()
        };
        let numbers = next(&true);
        for (meaning, bytes) in self.flags.meanings.iter().zip(numbers.as_chunks::<4>().0) {
            let number = u32::from_ne_bytes(*bytes);
            match meaning {
                Meaning::Zeros => left.zeros += u64::from(number),
                Meaning::Differ(_) => left.equal.push(number == 0),
            }
        }
        Ok(left)
    }
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.as_chunks::<8>().0.iter();
    words.map(|word| u64::from_ne_bytes(*word)).collect()
}
