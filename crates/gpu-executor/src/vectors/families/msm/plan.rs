//! How a multi-scalar multiplication is cut: into which windows, and stretches of how many
//! entries. Pure.

use field_kernels::curve::{Curve, Xyzz};

/// Bits of windows together: scalars are at most r / 2, or two halves of them at most half of
/// a number of 128 bits, and the highest digit takes a carry.
const SCALAR_BITS: u32 = 255;
const HALF_BITS: u32 = 128;
/// Bits of a window at most.
const MOST_BITS: u32 = 17;
/// Entries of a stretch at most.
const MOST_STRETCH: usize = 64;

/// Bytes of the buckets of one sum at most: every device binds so many.
const MOST_BUCKET_BYTES: usize = 1 << 27;

/// So many sums, of so many terms each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) sums: usize,
    pub(super) terms: usize,
    /// Whether a scalar is cut into two halves, the second of which goes with the curve's
    /// endomorphism of its point.
    pub(super) halves: bool,
    /// Bytes of a sum of points: four coordinates.
    pub(super) sum_bytes: usize,
}

impl Shape {
    fn scalar_bits(self) -> u32 {
        if self.halves { HALF_BITS } else { SCALAR_BITS }
    }

    /// Entries of a term in a column at most.
    pub(super) fn entries_of_term(self) -> usize {
        if self.halves { 2 } else { 1 }
    }
}

/// How it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Bits of a window: a digit of a scalar.
    pub(super) bits: u32,
    /// Windows of a sum.
    pub(super) windows: usize,
    /// Entries of a stretch, which one invocation adds.
    pub(super) stretch: usize,
}

/// About what an NVIDIA H200 makes of additions of an affine point, and of those of two sums:
/// how many a microsecond where the device is full of them, and how many microseconds one
/// takes that others wait for.
const AFFINE: (f64, f64) = (2_000.0, 8.0);
const FULL: (f64, f64) = (1_300.0, 13.0);

impl Plan {
    /// The fastest by what an H200 takes. Other devices differ by a factor, mostly.
    pub(super) fn new(shape: Shape) -> Self {
        let plans = (1..=MOST_BITS).flat_map(|bits| {
            let stretches = (1..=MOST_STRETCH.ilog2()).map(|log2| 1 << log2);
            stretches.map(move |stretch| Self {
                bits,
                windows: shape.scalar_bits().div_ceil(bits) as usize,
                stretch,
            })
        });
        let plans = plans.filter(|plan| plan.buckets() * shape.sum_bytes <= MOST_BUCKET_BYTES);
        let fastest = plans.min_by(|a, b| a.time(shape).total_cmp(&b.time(shape)));
        fastest.unwrap_or(Self {
            bits: 1,
            windows: shape.scalar_bits() as usize,
            stretch: 1,
        })
    }

    /// log2 of the buckets of a window: for digits of 1 to 2^(bits - 1), of either sign.
    pub(super) fn log_buckets(&self) -> u32 {
        self.bits - 1
    }

    /// Buckets of all windows of a sum.
    pub(super) fn buckets(&self) -> usize {
        self.windows << self.log_buckets()
    }

    /// Points that are left of each sum: of every window the sum of all of its buckets, and
    /// for each bit of a bucket's number that of the buckets whose number has it.
    pub(super) fn parts(&self) -> usize {
        self.windows * self.bits as usize
    }

    /// The sum, of those points: for each window, its buckets' sum first, then from the
    /// lowest bit up.
    pub(super) fn join<C: Curve>(&self, parts: &[Xyzz<C>]) -> Xyzz<C> {
        let windows = parts.chunks(self.bits as usize).rev();
        windows.fold(Xyzz::default(), |sum, window| {
            let Some((all, of_bits)) = window.split_first() else {
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
        let slower =
            |(rate, latency): (f64, f64), all: f64, chain: f64| (all / rate).max(chain * latency);
        let columns = (shape.sums * self.windows) as f64;
        let buckets = f64::from(1_u32 << self.log_buckets());
        let terms = (shape.terms * shape.entries_of_term()) as f64;
        let stretch = self.stretch as f64;
        let heads = (terms / buckets / stretch).ceil();
        let mut time = slower(AFFINE, columns * terms, stretch.min(terms));
        time += slower(FULL, columns * terms / stretch, heads);
        for round in 0..self.log_buckets() {
            let lists = f64::from(round + 1);
            let pairs = buckets / f64::from(2_u32 << round);
            time += slower(FULL, columns * lists * pairs, 1.0) + 3.0;
        }
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_grow_with_the_terms_and_hold_every_scalar() {
        for (halves, bits) in [(false, 255), (true, 128)] {
            let shape = |log2: u32| Shape {
                sums: 1,
                terms: 1_usize << log2,
                halves,
                sum_bytes: if halves { 192 } else { 384 },
            };
            let plans = [0, 4, 10, 16, 20, 26].map(|log2| Plan::new(shape(log2)));
            assert!(plans.is_sorted_by_key(|plan| plan.bits), "{plans:?}");
            assert!(plans[2].bits < plans[4].bits, "{plans:?}");
            for plan in plans {
                assert!(plan.windows * plan.bits as usize >= bits, "{plan:?}");
                assert!(plan.buckets() * shape(0).sum_bytes <= 1 << 27, "{plan:?}");
            }
        }
    }
}
