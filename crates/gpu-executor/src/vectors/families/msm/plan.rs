//! How a multi-scalar multiplication is cut: into which windows, and stretches of how many
//! entries. Pure.

use field_kernels::curve::{Curve, Xyzz};
use field_kernels::{ElementType as _, Fr};

/// Bits of the windows of a scalar's halves together: they are at most half of a number of
/// 128 bits, and the highest digit takes a carry.
pub(super) const HALF_BITS: u32 = 128;
/// Bits of a window at most.
const MOST_BITS: u32 = 22;
/// Entries of a stretch at most.
const MOST_STRETCH: usize = 128;
/// Stretches without which they are not that long: some for each invocation that a device has
/// at a time.
const MANY_STRETCHES: usize = 1 << 17;

/// Bytes of an entry, and of where a bucket starts.
pub(super) const ENTRY: usize = 4;
/// Heads of a bucket from which on a workgroup adds them: `MOST_HEADS` of the shader.
const MOST_HEADS: usize = 8;

/// Bytes of scratch memory of one sum that are few, whatever there is of points and scalars; and
/// of its buckets, with which it may be `FEW_TERMS_TIMES` half as much as these, else
/// `MANY_TERMS_TIMES`.
const FEW_SCRATCH_BYTES: usize = 1 << 25;
const FEW_BUCKET_BYTES: usize = 1 << 27;
const FEW_TERMS_TIMES: usize = 9;
const MANY_TERMS_TIMES: usize = 3;

/// So many sums, of so many terms each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vectors) struct Shape {
    pub(super) sums: usize,
    pub(super) terms: usize,
    /// Bits of windows together.
    pub(super) scalar_bits: u32,
    /// Whether a scalar is cut into two halves, the second of which goes with the curve's
    /// endomorphism of its point.
    pub(in crate::vectors) halves: bool,
    /// Bytes of a sum of points: four coordinates.
    pub(super) sum_bytes: usize,
    /// What there is of each point.
    pub(super) multiples: Multiples,
}

/// Multiples that there are of each point, one after the other: the point, 2^spacing times it,
/// that often that, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vectors) struct Multiples {
    pub(in crate::vectors) count: usize,
    /// 0 where there is the point alone.
    pub(in crate::vectors) spacing: u32,
}

impl Multiples {
    /// The point alone.
    pub(in crate::vectors) const NONE: Self = Self {
        count: 1,
        spacing: 0,
    };
}

/// How it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Bits of a window: a digit of a scalar.
    pub(super) bits: u32,
    /// Windows of a scalar.
    pub(super) windows: usize,
    /// Columns of a sum: those of its windows that go with the point itself. With each multiple
    /// of it go as many more, into the same columns.
    pub(super) columns: usize,
    /// Entries of a stretch, which one invocation adds.
    pub(super) stretch: usize,
}

/// What an NVIDIA H200 does at a time, by steps of an addition each: `LANES` invocations, 32 on
/// each of its 528 schedulers, and up to `RESIDENT` times as many in turns.
const LANES: usize = 16_896;
const RESIDENT: f64 = 5.0;
/// About how many microseconds an addition of an affine point takes there, and one of two sums:
/// waiting for itself, and computing while others wait.
const AFFINE: (f64, f64) = (6.5, 6.2);
const FULL: (f64, f64) = (10.4, 6.6);
/// By how much additions take longer where some lane always comes to its bucket's end.
const ENDS: f64 = 0.15;
/// Entries that are sorted in a microsecond.
const SORTED: f64 = 20_000.0;
/// Likewise, how long a round of products takes that joins points, and how long the host takes
/// to double a point and add another.
const ROUND: f64 = 1.0;
const DOUBLING_OF_HOST: f64 = 2.3;
/// What is so little slower that it is not worth memory.
const ABOUT: f64 = 1.02;
/// Heads of a long bucket that are added one after the other.
const MOST_CHAIN: f64 = 20.0;

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

impl Plan {
    /// The fastest by what an H200 takes, on a device that binds `bound` bytes at once. Other
    /// devices differ by a factor, mostly.
    pub(super) fn new(shape: Shape, bound: usize) -> Self {
        let Multiples { count, spacing } = shape.multiples;
        let bits = 1..=MOST_BITS.min(shape.scalar_bits);
        let is_alone = count == 1 || shape.scalar_bits <= spacing;
        let bits = bits.filter(|bits| is_alone || spacing % bits == 0);
        let plans = bits.flat_map(|bits| {
            let one = Self::with(shape, bits, 1);
            let entries = shape.sums * one.columns * shape.terms * one.entries_of_term(shape);
            // Powers of two, and as many stretches as schedulers have an equal number of.
            let stretches = (1..=MOST_STRETCH.ilog2()).map(|log2| 1 << log2);
            let even = (1..=2).map(move |each| entries.div_ceil(each * LANES));
            let stretches = stretches.chain(even.filter(|it| (2..=MOST_STRETCH).contains(it)));
            stretches.map(move |stretch| Self { stretch, ..one })
        });
        let plans = plans.filter(|plan| {
            let bytes = plan.buckets() * shape.sum_bytes;
            let times = match bytes <= FEW_BUCKET_BYTES {
                true => FEW_TERMS_TIMES,
                false => MANY_TERMS_TIMES,
            };
            bytes <= bound && plan.is_in_proportion(shape, times)
        });
        let plans = plans.filter(|plan| {
            let entries = shape.terms * plan.entries_of_term(shape);
            let stretches = shape.sums * plan.columns * entries / plan.stretch;
            plan.stretch < MOST_STRETCH || stretches >= MANY_STRETCHES
        });
        let fastest = plans.min_by(|a, b| a.time(shape).total_cmp(&b.time(shape)));
        fastest.unwrap_or(Self::with(shape, 1, MOST_STRETCH))
    }

    /// With windows of so many bits, and stretches of so many entries.
    pub(super) fn with(shape: Shape, bits: u32, stretch: usize) -> Self {
        let windows = shape.scalar_bits.div_ceil(bits) as usize;
        Self {
            bits,
            windows,
            columns: match shape.multiples {
                Multiples { count: 1, .. } => windows,
                Multiples { spacing, .. } => windows.min(spacing.div_ceil(bits) as usize),
            },
            stretch,
        }
    }

    /// Entries of a term in a column at most.
    pub(super) fn entries_of_term(&self, shape: Shape) -> usize {
        let of_window = if shape.halves { 2 } else { 1 };
        of_window * self.windows.div_ceil(self.columns)
    }

    /// Whether scratch memory of a sum is few bytes, or at most half of so many times the memory of
    /// points, with their multiples, and scalars.
    fn is_in_proportion(&self, shape: Shape, times: usize) -> bool {
        let images = match shape.multiples.count {
            1 if shape.halves => shape.terms,
            // Kept beside the multiples.
            _ => 0,
        };
        let points = shape.terms * shape.multiples.count * shape.sum_bytes / 2;
        let scratch = self.scratch(Shape { sums: 1, ..shape }, images).all();
        let known = points + shape.terms * Fr::BYTES;
        scratch <= FEW_SCRATCH_BYTES || 2 * scratch <= times * known
    }

    /// Memory for so many sums of so many terms at once, of whose points `images` have images
    /// that are made for them.
    pub(super) fn scratch(&self, at_once: Shape, images: usize) -> ScratchBytes {
        let columns = at_once.sums * self.columns;
        let buckets = columns << self.log_buckets();
        let entries = at_once.terms * self.entries_of_term(at_once);
        let stretches = entries.div_ceil(self.stretch);
        let sums = |count: usize| at_once.sum_bytes * count;
        ScratchBytes {
            ends: ENTRY * buckets,
            entries: (ENTRY * columns * entries).max(sums(buckets)),
            buckets: sums(buckets),
            heads: sums(columns * stretches),
            long: ENTRY * (1 + columns * most_long(stretches)),
            images: sums(images) / 4,
        }
    }

    /// log2 of the buckets of a window: for digits of 1 to 2^(bits - 1), of either sign.
    pub(super) fn log_buckets(&self) -> u32 {
        self.bits - 1
    }

    /// Buckets of all columns of a sum.
    pub(super) fn buckets(&self) -> usize {
        self.columns << self.log_buckets()
    }

    /// Points that are left of each sum: of every column the sum of all of its buckets, and
    /// for each bit of a bucket's number that of the buckets whose number has it.
    pub(super) fn parts(&self) -> usize {
        self.columns * self.bits as usize
    }

    /// The sum, of those points: for each column, its buckets' sum first, then from the
    /// lowest bit up.
    pub(super) fn join<C: Curve>(&self, parts: &[Xyzz<C>]) -> Xyzz<C> {
        let columns = parts.chunks(self.bits as usize).rev();
        columns.fold(Xyzz::default(), |sum, column| {
            let Some((all, of_bits)) = column.split_first() else {
                return sum;
            };
            // A bucket's digit is its number and one more.
            let of_bits = of_bits.iter().rev();
            let sum = of_bits.fold(sum.double(), |sum, part| sum.double().add(part));
            sum.add(all)
        })
    }

    /// Microseconds, about.
    #[allow(clippy::cast_precision_loss)] // an estimate
    fn time(&self, shape: Shape) -> f64 {
        // Of so many invocations that add so many one after the other.
        let additions = |(waiting, computing): (f64, f64), invocations: f64, chain: f64| {
            let turns = invocations / LANES as f64;
            match turns < RESIDENT {
                true => chain * (waiting + turns.ceil() * computing),
                false => chain * turns * (waiting / RESIDENT + computing),
            }
        };
        let columns = (shape.sums * self.columns) as f64;
        let buckets = f64::from(1_u32 << self.log_buckets());
        let terms = (shape.terms * self.entries_of_term(shape)) as f64;
        let stretch = self.stretch as f64;
        let heads = (terms / buckets / stretch).ceil().min(MOST_CHAIN);
        let stretches = columns * (terms / stretch).ceil();
        let ends = ENDS * (32.0 * buckets / terms).min(1.0);
        let mut time = (1.0 + ends) * additions(AFFINE, stretches, stretch.min(terms));
        time += columns * terms / SORTED;
        time += additions(FULL, stretches / heads, heads);
        for round in 0..self.log_buckets() {
            let lists = f64::from(round + 1);
            let pairs = buckets / f64::from(2_u32 << round);
            time += additions(FULL, columns * lists * pairs, 1.0) + 3.0;
        }
        let (bits, of_sum) = (f64::from(self.bits), self.columns as f64);
        time + match shape.sums {
            1 => bits * of_sum * DOUBLING_OF_HOST,
            _ => bits * ROUND * (7.0 + 3.0 * of_sum) + of_sum * 4.0 * ROUND,
        }
    }
}

/// Bytes of the memory that a sum takes until it is there, beside a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScratchBytes {
    /// Where each bucket starts, later where it ends: 4 bytes each.
    pub(super) ends: usize,
    /// The entries by bucket, 4 bytes each; later every other round of folds.
    pub(super) entries: usize,
    /// The buckets' sums; later the other rounds of folds.
    pub(super) buckets: usize,
    pub(super) heads: usize,
    /// Long buckets: 4 bytes each, their number first.
    pub(super) long: usize,
    /// The x of points' images.
    pub(super) images: usize,
}

impl ScratchBytes {
    fn all(&self) -> usize {
        let Self {
            ends,
            entries,
            buckets,
            heads,
            long,
            images,
        } = self;
        ends + entries + buckets + heads + long + images
    }
}

/// Long buckets of a column at most.
pub(super) fn most_long(stretches: usize) -> usize {
    stretches.div_ceil(MOST_HEADS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What devices bind: the least that Vulkan allows, and most.
    const BOUNDS: [usize; 2] = [1 << 27, 1 << 32];

    #[test]
    fn short_scalars_have_fewer_windows() {
        let plan = |scalar_bits| {
            let shape = Shape {
                sums: 1,
                terms: 1 << 20,
                scalar_bits,
                halves: false,
                sum_bytes: 192,
                multiples: Multiples::NONE,
            };
            Plan::new(shape, BOUNDS[0])
        };
        let plans = [2, 9, 17, 33, 65, 129].map(plan);
        let windows = plans.map(|plan| plan.windows);
        assert!(windows.is_sorted(), "{plans:?}");
        assert_eq!(windows[..3], [1, 1, 1], "{plans:?}");
        // Not much more than half of what scalars of 255 bits have.
        assert!(windows[5] <= plan(255).windows / 2 + 1, "{plans:?}");
    }

    #[test]
    fn windows_grow_with_the_terms_and_hold_every_scalar() {
        let all = BOUNDS.map(|bound| [(bound, false, 255), (bound, true, 128)]);
        for (bound, halves, bits) in all.into_iter().flatten() {
            let shape = |log2: u32| Shape {
                sums: 1,
                terms: 1_usize << log2,
                scalar_bits: bits,
                halves,
                sum_bytes: if halves { 192 } else { 384 },
                multiples: Multiples::NONE,
            };
            let plans = [0, 4, 10, 16, 20, 26].map(|log2| Plan::new(shape(log2), bound));
            assert!(plans.is_sorted_by_key(|plan| plan.bits), "{plans:?}");
            assert!(plans[2].bits < plans[4].bits, "{plans:?}");
            assert_eq!(bound > BOUNDS[0], plans[5].bits > 17, "{plans:?}");
            for plan in plans {
                assert!(
                    plan.windows * plan.bits as usize >= bits as usize,
                    "{plan:?}"
                );
                assert!(plan.buckets() * shape(0).sum_bytes <= bound, "{plan:?}");
            }
        }
    }

    /// From 2^20 points on about 1.5 times these at most; of fewer, buckets and heads are most of it.
    #[test]
    fn scratch_memory_is_in_proportion_to_points_and_scalars() {
        for coordinate in [48, 96] {
            for log2 in 16..=26 {
                let most = match log2 {
                    16..=18 => 4.5,
                    19 => 2.6,
                    _ => 1.51,
                };
                let shape = Shape {
                    sums: 1,
                    terms: 1_usize << log2,
                    scalar_bits: 128,
                    halves: true,
                    sum_bytes: 4 * coordinate,
                    multiples: Multiples::NONE,
                };
                let plan = Plan::new(shape, BOUNDS[1]);
                let scratch = plan.scratch(shape, shape.terms);
                #[allow(clippy::cast_precision_loss)] // below 2^53
                let times = scratch.all() as f64 / ((2 * coordinate + 32) << log2) as f64;
                assert!(times <= most, "2^{log2}: {times}, {plan:?} {scratch:?}");
            }
        }
    }

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
                        assert!(
                            plan.windows * plan.bits as usize >= bits as usize,
                            "{plan:?}"
                        );
                        assert_eq!(multiples, Multiples::at(shape, multiples.spacing));
                        if multiples.count > 1 {
                            let width = plan.columns * plan.bits as usize;
                            assert_eq!(width, multiples.spacing as usize, "{plan:?}");
                        }
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
