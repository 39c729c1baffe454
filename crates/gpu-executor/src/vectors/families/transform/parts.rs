//! A transform of one row that is on the host, in parts, so that passes overlap with the ways
//! there and back: the first pass takes columns, which go up one part after the other, and the
//! last pass leaves columns of the result, which come down so.

use std::ops::Range;

use vk_mem_paths::Step;

use super::super::prelude::*;
use super::Transform;
use super::device::{Part, Transforming, passes};

/// Elements from which on a transform is taken in parts. On an H200 one of 2^22 takes as long
/// either way, and shorter ones longer in parts (docs/benchmarks.md).
const LEAST: usize = 1 << 23;
/// Elements of a part, 16 MiB: enough for a copy's speed to show.
const PART: usize = 1 << 19;

/// How a row is cut into parts of equal length: each is a number of runs, which are equally
/// far apart, with one run of each other part between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vectors) struct Cut {
    /// All as powers of two.
    runs: u32,
    parts: u32,
    elements: u32,
    /// Whether parts stand between two runs in the order of their numbers' bits reversed.
    is_reversed: bool,
}

impl Cut {
    /// All as powers of two.
    fn new(runs: u32, parts: u32, elements: u32) -> Self {
        Self {
            runs,
            parts,
            elements,
            is_reversed: false,
        }
    }

    /// How many parts there are.
    pub(in crate::vectors) fn parts(&self) -> usize {
        1 << self.parts
    }

    /// Elements of a part.
    pub(in crate::vectors) fn part(&self) -> usize {
        1 << (self.runs + self.elements)
    }

    /// Elements of a run.
    pub(in crate::vectors) fn run(&self) -> usize {
        1 << self.elements
    }

    /// To which part the run with this number in the row belongs.
    pub(in crate::vectors) fn part_of(&self, run: usize) -> usize {
        let place = run & (self.parts() - 1);
        match self.is_reversed && self.parts > 0 {
            true => place.reverse_bits() >> (usize::BITS - self.parts),
            false => place,
        }
    }

    /// The elements of a part, run by run.
    pub(in crate::vectors) fn runs(&self, part: usize) -> impl Iterator<Item = Range<usize>> {
        let Self {
            parts, elements, ..
        } = *self;
        // Reversing bits is its own way back.
        let place = self.part_of(part);
        let starts = (0..1_usize << self.runs).map(move |run| (run << parts | place) << elements);
        starts.map(move |start| start..start + (1 << elements))
    }
}

/// The steps of a transform in parts.
pub(in crate::vectors) struct InParts {
    /// How the argument goes up, and how the result comes down.
    pub(in crate::vectors) up: Cut,
    pub(in crate::vectors) down: Cut,
    /// Where parts of either are on the device, in turns.
    pub(in crate::vectors) turns: [Storage; 2],
    /// What comes before the first pass.
    pub(in crate::vectors) before: Vec<Step>,
    /// The first pass over each part of the argument.
    pub(in crate::vectors) first: Vec<Vec<Step>>,
    /// The passes between.
    pub(in crate::vectors) between: Vec<Step>,
    /// The last pass for each part of the result.
    pub(in crate::vectors) last: Vec<Vec<Step>>,
}

/// The transform of one row in parts; `None` where that has no use.
pub(in crate::vectors) fn in_parts(
    steps: &mut Steps<'_>,
    transform: &Transform,
) -> Result<Option<InParts>, Error> {
    let size = transform.size();
    let passes = passes(size.ilog2());
    let [first, .., last] = passes.as_slice() else {
        return Ok(None);
    };
    if size < steps.chunk(LEAST) || size > steps.most_bound(Fr::ID, usize::MAX) {
        return Ok(None);
    }
    let part = steps.chunk(PART).ilog2();
    let Some(transforming) = Transforming::new(steps, transform)? else {
        return Ok(None);
    };
    let before = steps.take_steps();
    // Of so many columns, or blocks, each part has so many.
    let all = [size.ilog2() - first.levels, last.before];
    let levels = [first.levels, last.levels];
    let columns = [0, 1].map(|way| part.saturating_sub(levels[way]).min(all[way]));
    let parts = [0, 1].map(|way| all[way] - columns[way]);
    let up = match transforming.from_reversed {
        false => Cut::new(levels[0], parts[0], columns[0]),
        true => Cut {
            is_reversed: true,
            ..Cut::new(columns[0], parts[0], levels[0])
        },
    };
    let down = match transforming.to_natural {
        true => Cut::new(levels[1], parts[1], columns[1]),
        false => Cut::new(0, parts[1], levels[1] + columns[1]),
    };
    let most = up.part().max(down.part());
    let turns = [steps.take(Fr::ID, most)?, steps.take(Fr::ID, most)?];
    let row = steps.take(Fr::ID, size)?;
    let [read, written] =
        [Access::Read, Access::Write].map(|access| steps.window(&row, Fr::ID, &(0..size), access));
    let own = |steps: &Steps<'_>, number: usize, elements, access| {
        steps.window(&turns[number % 2], Fr::ID, &(0..elements), access)
    };

    let mut of_parts = Vec::new();
    for number in 0..up.parts() {
        let from = own(steps, number, up.part(), Access::Read);
        let part = Part {
            number,
            columns: columns[0],
        };
        transforming.pass(steps, 0, 1, [&from, &written], Some(part))?;
        of_parts.push(steps.take_steps());
    }
    for number in 1..passes.len() - 1 {
        transforming.pass(steps, number, 1, [&read, &written], None)?;
    }
    let between = steps.take_steps();
    let mut results = Vec::new();
    for number in 0..down.parts() {
        let to = own(steps, number, down.part(), Access::Write);
        let part = Part {
            number,
            columns: columns[1],
        };
        transforming.pass(steps, passes.len() - 1, 1, [&read, &to], Some(part))?;
        results.push(steps.take_steps());
    }
    Ok(Some(InParts {
        up,
        down,
        turns,
        before,
        first: of_parts,
        between,
        last: results,
    }))
}

#[cfg(test)]
mod tests {
    use vk_core::testing::device_under_test;

    use super::*;
    use crate::vectors::vulkan::engine_on;
    use crate::vectors::{Domain, Order, VectorEngine};

    #[test]
    fn parts_are_all_of_a_row_once() {
        let reversed = Cut {
            is_reversed: true,
            ..Cut::new(2, 3, 1)
        };
        for cut in [
            Cut::new(2, 3, 1),
            Cut::new(0, 4, 3),
            Cut::new(3, 0, 2),
            reversed,
        ] {
            let mut parts_of = vec![Vec::new(); cut.parts() * cut.part()];
            for part in 0..cut.parts() {
                for run in cut.runs(part) {
                    assert_eq!(run.len(), cut.run());
                    assert_eq!(cut.part_of(run.start / cut.run()), part);
                    run.for_each(|element| parts_of[element].push(part));
                }
            }
            assert!(parts_of.iter().all(|parts| parts.len() == 1), "{cut:?}");
        }
        let starts = |part| reversed.runs(part).map(|run| run.start).collect::<Vec<_>>();
        assert_eq!(starts(1), [8, 24, 40, 56]);
        assert_eq!(starts(3), [12, 28, 44, 60]);
    }

    /// What is one row of two passes or more, and long enough.
    #[test]
    fn rows_are_taken_in_parts_from_a_length_on() {
        let (_guard, physical) = device_under_test().unwrap();
        let engine = |dispatch| engine_on(&physical, Default::default(), dispatch);
        let (short, long) = (engine(Some(2048)), engine(None));
        let are_parts = |engine: &VectorEngine, rows: usize, log2: u32, from| {
            let transform = Transform::forward(&Domain::new(1 << log2).unwrap()).from(from);
            let x = vec![[1; 4]; rows << log2];
            engine.begin_transform(&x, &transform).unwrap().is_some()
        };
        for order in [Order::Natural, Order::BitReversed] {
            let found = [9, 10, 11, 12].map(|log2| are_parts(&short, 1, log2, order));
            assert_eq!(found, [false, false, true, true]);
            assert!(!are_parts(&short, 2, 11, order), "two rows");
            assert!(!are_parts(&long, 1, 12, order), "shorter than 2^23");
        }
        let cpu = VectorEngine::cpu_with_threads(1).unwrap();
        assert!(!are_parts(&cpu, 1, 12, Order::Natural));
    }
}
