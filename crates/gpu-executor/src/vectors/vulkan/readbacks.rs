//! What a batch copies to the host at its end.

use std::time::Duration;

use crate::vectors::families::Number;
use crate::vectors::runner::Left;

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
    /// What `copied` says.
    pub(super) fn left(&self, copied: &[Vec<u8>], device_time: Option<Duration>) -> Left {
        let mut copied = copied.iter();
        let mut next = |is_there: bool| match is_there {
            true => copied.next().map_or(&[][..], Vec::as_slice),
            false => &[],
        };
        let reads = self.reads.iter().map(|is_there| words(next(*is_there)));
        let mut left = Left {
            reads: reads.collect(),
            device_time,
            ..Left::default()
        };
        let numbers = next(!self.numbers.is_empty()).as_chunks().0;
        for ((node, means), bytes) in self.numbers.iter().zip(numbers) {
            left.note(*node, *means, u32::from_ne_bytes(*bytes).into());
        }
        left
    }
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.as_chunks().0.iter();
    words.map(|word| u64::from_ne_bytes(*word)).collect()
}
