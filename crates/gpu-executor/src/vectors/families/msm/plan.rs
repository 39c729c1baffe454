//! How a multi-scalar multiplication is cut: into which windows, and stretches of how many
//! entries. Pure.

use field_kernels::curve::{Curve, Xyzz};

/// Bits of windows together: scalars are at most r / 2, and the highest digit takes a carry.
const SCALAR_BITS: u32 = 255;
/// Bits of a window at most.
const MOST_BITS: u32 = 17;
/// Entries of a stretch at most.
const MOST_STRETCH: usize = 64;

/// So many sums, of so many terms each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) sums: usize,
    pub(super) terms: usize,
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

/// What an NVIDIA H200 takes, in microseconds: for an addition of an affine point and one of
/// two sums, where the device is full of them (millions a second), and where one waits for
/// the other.
const AFFINE: (f64, f64) = (2_000.0, 8.0);
const FULL: (f64, f64) = (1_300.0, 13.0);

impl Plan {
    /// The fastest by what an H200 takes. Other devices differ by a factor, mostly.
    pub(super) fn new(shape: Shape) -> Self {
        let plans = (1..=MOST_BITS).flat_map(|bits| {
            let stretches = (1..=MOST_STRETCH.ilog2()).map(|log2| 1 << log2);
            stretches.map(move |stretch| Self {
                bits,
                windows: SCALAR_BITS.div_ceil(bits) as usize,
                stretch,
            })
        });
        let fastest = plans.min_by(|a, b| a.time(shape).total_cmp(&b.time(shape)));
        fastest.unwrap_or(Self {
            bits: 8,
            windows: 32,
            stretch: 8,
        })
    }

    /// log2 of the buckets of a window: for digits of 1 to 2^(bits - 1), of either sign.
    pub(super) fn log_buckets(&self) -> u32 {
        self.bits - 1
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
        let (terms, stretch) = (shape.terms as f64, self.stretch as f64);
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
    fn windows_grow_with_the_terms() {
        let plan = |terms| Plan::new(Shape { sums: 1, terms });
        assert!(plan(1).bits <= plan(1 << 10).bits);
        assert!(plan(1 << 10).bits < plan(1 << 20).bits);
        assert!(plan(1 << 20).bits <= plan(1 << 26).bits);
        for log2 in [0, 4, 10, 16, 20, 26] {
            let plan = plan(1 << log2);
            assert!(plan.windows * plan.bits as usize >= 255, "{plan:?}");
        }
    }
}
