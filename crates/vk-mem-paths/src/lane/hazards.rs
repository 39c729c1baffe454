//! Where a batch needs a barrier: before a step that conflicts with one since
//! the last barrier. Pure.

use std::ops::Range;

use crate::memory::Access;

/// A block's address or number.
type BlockId = usize;

/// What was used since the last barrier.
#[derive(Default)]
pub(super) struct Hazards {
    used: Vec<(BlockId, Range<usize>, Access)>,
}

impl Hazards {
    /// Notes the next step's regions, and says whether a barrier must stand
    /// before it: where it reads what was written, or writes what was read or
    /// written.
    pub(super) fn barrier_before(
        &mut self,
        step: impl IntoIterator<Item = (BlockId, Range<usize>, Access)>,
    ) -> bool {
        let earlier = self.used.len();
        self.used.extend(step);
        let (before, step) = self.used.split_at(earlier);
        let conflicts = |(block, range, access): &(BlockId, Range<usize>, Access)| {
            before.iter().any(|(other, used, before)| {
                let both_read = (*access, *before) == (Access::Read, Access::Read);
                other == block && overlap(range, used) && !both_read
            })
        };
        let barrier = step.iter().any(conflicts);
        if barrier {
            self.used.drain(..earlier);
        }
        barrier
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use Access::{Read, Write};

    #[test]
    fn only_conflicts_want_barriers() {
        let mut hazards = Hazards::default();
        // x is written.
        assert!(!hazards.barrier_before([(1, 0..8, Write)]));
        // Something else is written: independent.
        assert!(!hazards.barrier_before([(2, 0..8, Write), (3, 0..8, Read)]));
        // Reads after reads.
        assert!(!hazards.barrier_before([(3, 4..8, Read), (4, 0..8, Write)]));
        // The other half of a block that was written in part.
        assert!(!hazards.barrier_before([(1, 8..16, Write)]));
        // Read after write.
        assert!(hazards.barrier_before([(1, 7..9, Read), (5, 0..1, Write)]));
        // What came before the barrier is forgotten, what came after is not.
        assert!(!hazards.barrier_before([(2, 0..8, Write)]));
        // Write after read.
        assert!(hazards.barrier_before([(1, 0..8, Write)]));
        // Write after write.
        assert!(hazards.barrier_before([(1, 0..1, Write)]));
    }
}
