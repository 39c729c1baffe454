//! How many multiples of points pay. Pure.

use super::plan::{Multiples, Plan, Shape};

/// What is so little slower that it is not worth memory.
const ABOUT: f64 = 1.02;

impl Multiples {
    /// The fewest, `most` at most, with which sums of this shape are about as fast as with any,
    /// on a device that binds `bound` bytes at once.
    pub(in crate::vectors) fn that_pay(shape: Shape, bound: usize, most: usize) -> Self {
        let all = || Self::all(shape, bound).filter(|(it, _)| it.count <= most);
        let fastest = all().fold(f64::INFINITY, |least, (_, time)| least.min(time));
        Self::fewest(all().filter(|(_, time)| *time <= ABOUT * fastest))
    }

    /// As many as there can be, `most` at most.
    pub(in crate::vectors) fn as_many_as(shape: Shape, bound: usize, most: usize) -> Self {
        let counts = Self::all(shape, bound).map(|(it, _)| it.count);
        let most = counts.filter(|count| *count <= most).max();
        Self::fewest(Self::all(shape, bound).filter(|(it, _)| Some(it.count) == most))
    }

    /// As many as all bits of scalars take at this distance, which is 0 for the point alone.
    pub(in crate::vectors) fn at(shape: Shape, spacing: u32) -> Self {
        match shape.scalar_bits.checked_div(spacing) {
            Some(1..) => Self {
                count: shape.scalar_bits.div_ceil(spacing) as usize,
                spacing,
            },
            _ => Self::NONE,
        }
    }

    /// Whether they are enough for scalars of so many bits.
    pub(super) fn are_for(self, scalar_bits: u32) -> bool {
        self.count == 1 || self.count * self.spacing as usize >= scalar_bits as usize
    }

    /// Those of each distance, and how long sums take with them.
    fn all(shape: Shape, bound: usize) -> impl Iterator<Item = (Self, f64)> {
        (0..shape.scalar_bits).map(move |spacing| {
            let multiples = Self::at(shape, spacing);
            let shape = Shape { multiples, ..shape };
            (multiples, Plan::new(shape, bound).time(shape))
        })
    }

    fn fewest(timed: impl Iterator<Item = (Self, f64)>) -> Self {
        let fewest = timed.min_by(|(a, of_a), (b, of_b)| {
            let by_count = a.count.cmp(&b.count);
            by_count.then(of_a.total_cmp(of_b))
        });
        fewest.map_or(Self::NONE, |(multiples, _)| multiples)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::BOUNDS;
    use super::*;

    #[test]
    fn multiples_are_as_many_as_memory_has_room_for_and_pay() {
        for (halves, bits) in [(false, 255), (true, 128)] {
            let bound = BOUNDS[1];
            for (sums, log2) in [(1, 0), (1, 10), (1, 16), (1, 22), (128, 6), (64, 12)] {
                let shape = Shape {
                    sums,
                    terms: 1_usize << log2,
                    scalar_bits: bits,
                    halves,
                    sum_bytes: if halves { 192 } else { 384 },
                    multiples: Multiples::NONE,
                };
                for most in [0, 1, 2, 3, 7, 8, 16, 50, 1000] {
                    let paying = Multiples::that_pay(shape, bound, most);
                    let many = Multiples::as_many_as(shape, bound, most);
                    assert!(paying.count <= many.count && many.count <= most.max(1));
                    for multiples in [paying, many] {
                        let shape = Shape { multiples, ..shape };
                        let plan = Plan::new(shape, bound);
                        let columns = plan.columns * multiples.count;
                        assert!(plan.windows <= columns, "{plan:?} {multiples:?}");
                        assert_eq!(multiples, Multiples::at(shape, multiples.spacing));
                        let width = plan.columns * plan.bits as usize - plan.narrow;
                        let all = [multiples.spacing as usize, bits as usize];
                        assert_eq!(width, all[usize::from(multiples.count == 1)], "{plan:?}");
                    }
                }
                assert_eq!(
                    Multiples::as_many_as(shape, bound, 1000).count,
                    bits as usize
                );
            }
        }
        let shape = Shape {
            sums: 128,
            terms: 64,
            scalar_bits: 128,
            halves: true,
            sum_bytes: 192,
            multiples: Multiples::NONE,
        };
        assert!(Multiples::that_pay(shape, BOUNDS[0], 1000).count > 8);
    }
}
