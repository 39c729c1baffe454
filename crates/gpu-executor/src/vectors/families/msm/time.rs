//! How long a plan takes: a model of an NVIDIA H200, fitted to 100 plans of 2^6 to 2^24 terms
//! (docs/kernels.md). Other devices differ by a factor, mostly. Pure.

use super::plan::{FEW_SUMS, LANES, MOST_HEADS, Plan, Shape};

/// How many times as many invocations as it computes it has under way: those wait for one another,
/// all for the last of them.
const RESIDENT: f64 = 5.0;
/// About how many microseconds an addition of an affine point takes, and one of two sums: waiting
/// for itself, and computing while others wait. And one of two sums that four invocations share.
const AFFINE: (f64, f64) = (3.6, 6.6);
const FULL: (f64, f64) = (14.6, 17.2);
const SHARED: (f64, f64) = (10.6, 3.4);
/// By how much additions take longer where some lane always comes to its bucket's end.
const ENDS: f64 = 0.04;
/// Entries that are sorted in a microsecond.
const SORTED: f64 = 19_000.0;
/// By how many times the root of its entries the fullest of a few buckets has more than all have on
/// average.
const SPREAD: f64 = 2.5;
/// Microseconds of a round of products that joins points, and of the host to double a point and add
/// another.
const ROUND: f64 = 2.0;
const DOUBLING_OF_HOST: f64 = 1.5;

#[allow(clippy::cast_precision_loss)] // estimates
impl Plan {
    /// Microseconds, about.
    pub(super) fn time(&self, shape: Shape) -> f64 {
        self.time_of_additions(shape) + self.time_of_folds(shape)
    }

    /// Until the sum of each bucket is there.
    pub(super) fn time_of_additions(&self, shape: Shape) -> f64 {
        let columns = shape.sums * self.columns;
        let entries = (shape.terms * self.entries_of_term(shape)) as f64;
        let stretch = self.stretch as f64;
        let buckets = self.filled_columns(shape) * f64::from(1_u32 << self.log_buckets());
        let of_bucket = columns as f64 * entries / buckets;

        let stretches = columns as f64 * (entries / stretch).ceil();
        let ends = ENDS * (32.0 / of_bucket).min(1.0);
        let mut time = (1.0 + ends) * additions(AFFINE, stretches, stretch.min(entries));
        time += columns as f64 * entries / SORTED;
        let heads = (of_bucket + SPREAD * of_bucket.sqrt()) / stretch;
        let heads = heads.min(MOST_HEADS as f64);
        time += sums(buckets, columns << self.log_buckets(), heads);
        let fullest = of_bucket.max(self.entries_of_last_bucket(shape)) / stretch;
        if fullest > MOST_HEADS as f64 {
            // By 32 invocations, whose sums are then added in five rounds.
            time += additions(FULL, 1.0, 6.0 + fullest / 32.0);
        }
        time
    }

    /// From there to the sum.
    pub(super) fn time_of_folds(&self, shape: Shape) -> f64 {
        let filled = self.filled_columns(shape);
        let rounds = (0..self.log_buckets()).map(|round| {
            let pairs = 1_usize << (self.log_buckets() - round - 1);
            let lists = round as usize + 1;
            let at_once = shape.sums * self.columns * (lists + 1) * pairs;
            sums(filled * (lists * pairs) as f64, at_once, 1.0)
        });
        let (bits, columns) = (f64::from(self.bits), self.columns as f64);
        let joined = match shape.sums {
            1 => bits * columns * DOUBLING_OF_HOST,
            _ => bits * ROUND * (7.0 + 3.0 * columns) + columns * 4.0 * ROUND,
        };
        rounds.sum::<f64>() + joined
    }

    /// Columns of all sums. Half of the buckets of a narrow one stay empty.
    fn filled_columns(&self, shape: Shape) -> f64 {
        (shape.sums * (2 * self.columns - self.narrow)) as f64 / 2.0
    }

    /// Entries of each bucket of the last window, which may have a few bits alone.
    fn entries_of_last_bucket(&self, shape: Shape) -> f64 {
        let bits = |columns: usize| columns * self.bits as usize - columns.min(self.narrow);
        let before = self.windows - 1;
        let before = before / self.columns * bits(self.columns) + bits(before % self.columns);
        let last = (shape.scalar_bits as usize).saturating_sub(before + 1);
        let entries = if shape.halves { 2 } else { 1 } * shape.terms;
        entries as f64 / (last as f64).exp2()
    }
}

/// So many invocations, each of which adds so many points one after the other.
#[allow(clippy::cast_precision_loss)] // an estimate
fn additions((waiting, computing): (f64, f64), invocations: f64, chain: f64) -> f64 {
    let turns = invocations / LANES as f64;
    let waves = (turns / RESIDENT).floor();
    let rest = (turns - waves * RESIDENT).ceil();
    let of_rest = if rest > 0.0 { waiting } else { 0.0 };
    chain * (waves * (waiting + RESIDENT * computing) + of_rest + rest * computing)
}

/// So many sums, to each of which so many are added, among `at_once`.
#[allow(clippy::cast_precision_loss)] // an estimate
fn sums(sums: f64, at_once: usize, chain: f64) -> f64 {
    let (waiting, computing) = SHARED;
    match at_once <= FEW_SUMS {
        true => chain * (waiting + (4 * at_once).div_ceil(LANES) as f64 * computing),
        false => additions(FULL, sums, chain),
    }
}
