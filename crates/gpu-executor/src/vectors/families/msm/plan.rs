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

/// Invocations that an NVIDIA H200 computes at a time: 32 on each of its 528 schedulers.
pub(super) const LANES: usize = 16_896;

/// Bytes of an entry, and of where a bucket starts.
pub(super) const ENTRY: usize = 4;
/// Heads of a bucket from which on a workgroup adds them: `MOST_HEADS` of the shader.
pub(super) const MOST_HEADS: usize = 8;
/// Sums at once of which four invocations share each: not many more than a large device computes
/// at a time.
pub(super) const FEW_SUMS: usize = 1 << 16;

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
    /// Columns of a sum, its first, whose windows have one bit less, so that no window is for
    /// bits that scalars do not have.
    pub(super) narrow: usize,
    /// Windows of a scalar.
    pub(super) windows: usize,
    /// Columns of a sum: those of its windows that go with the point itself. With each multiple
    /// of it go as many more, into the same columns.
    pub(super) columns: usize,
    /// Entries of a stretch, which one invocation adds.
    pub(super) stretch: usize,
}

impl Plan {
    /// The fastest by what an H200 takes, on a device that binds `bound` bytes at once. Other
    /// devices differ by a factor, mostly.
    pub(super) fn new(shape: Shape, bound: usize) -> Self {
        let bits = 1..=MOST_BITS.min(shape.scalar_bits);
        let ones = bits.map(|bits| Self::with(shape, bits, 1));
        // Where all columns were narrow, windows of one bit less would do.
        let plans = ones.filter(|one| one.narrow < one.columns).flat_map(|one| {
            let entries = shape.sums * one.columns * shape.terms * one.entries_of_term(shape);
            let of_folds = one.time_of_folds(shape);
            // Some, and as many stretches as schedulers have an equal number of.
            let stretches = (2..=16).chain([24, 32, 48, 64, 96, MOST_STRETCH]);
            let even = (1..=2).map(move |each| entries.div_ceil(each * LANES));
            let stretches = stretches.chain(even.filter(|it| (2..=MOST_STRETCH).contains(it)));
            stretches.map(move |stretch| (Self { stretch, ..one }, of_folds))
        });
        let fastest = plans
            .filter(|(plan, _)| plan.is_for(shape, bound))
            .map(|(plan, of_folds)| (plan, of_folds + plan.time_of_additions(shape)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        fastest.map_or(Self::with(shape, 1, MOST_STRETCH), |(plan, _)| plan)
    }

    /// Whether a device that binds `bound` bytes at once has room for it, its memory is in
    /// proportion, and long stretches leave no invocations idle.
    fn is_for(&self, shape: Shape, bound: usize) -> bool {
        let bytes = self.buckets() * shape.sum_bytes;
        let times = match bytes <= FEW_BUCKET_BYTES {
            true => FEW_TERMS_TIMES,
            false => MANY_TERMS_TIMES,
        };
        let entries = shape.terms * self.entries_of_term(shape);
        let stretches = shape.sums * self.columns * entries / self.stretch;
        let has_many = self.stretch < MOST_STRETCH || stretches >= MANY_STRETCHES;
        has_many && bytes <= bound && self.is_in_proportion(shape, times)
    }

    /// With windows of so many bits at most, fewer than `bits` too many for all columns together,
    /// and stretches of so many entries.
    pub(super) fn with(shape: Shape, bits: u32, stretch: usize) -> Self {
        let width = match shape.multiples {
            Multiples { count: 1, .. } => shape.scalar_bits,
            Multiples { spacing, .. } => spacing.min(shape.scalar_bits),
        };
        let columns = width.div_ceil(bits);
        let narrow = columns * bits - width;
        // The first columns once more, with the last of the multiples.
        let rest = shape.scalar_bits % width;
        let of_narrow = narrow * (bits - 1);
        let of_rest = match rest.checked_sub(of_narrow) {
            Some(rest) if rest > 0 => narrow + rest.div_ceil(bits),
            _ => rest.div_ceil((bits - 1).max(1)),
        };
        Self {
            bits,
            narrow: narrow as usize,
            windows: (shape.scalar_bits / width * columns + of_rest) as usize,
            columns: columns as usize,
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
        let columns = parts.chunks(self.bits as usize).enumerate().rev();
        columns.fold(Xyzz::default(), |sum, (number, column)| {
            let bits = self.bits as usize - usize::from(number < self.narrow);
            let Some((all, of_bits)) = column[..bits].split_first() else {
                return sum;
            };
            // A bucket's digit is its number and one more.
            let of_bits = of_bits.iter().rev();
            let sum = of_bits.fold(sum.double(), |sum, part| sum.double().add(part));
            sum.add(all)
        })
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
pub(super) mod tests {
    use super::*;

    /// What devices bind: the least that Vulkan allows, and most.
    pub(in super::super) const BOUNDS: [usize; 2] = [1 << 27, 1 << 32];

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
                let width = plan.windows * plan.bits as usize - plan.narrow;
                assert_eq!(width, bits as usize, "{plan:?}");
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
}
