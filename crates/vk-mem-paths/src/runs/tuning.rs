//! What was measured on a device, and what it says of a run.

use serde::{Deserialize, Serialize};

use crate::{PathChoice, TransferPath};

/// How runs are fastest on one device with one host, as
/// [`Transfer::calibrate`](crate::Transfer::calibrate) measured it. The
/// default knows nothing, and leaves every choice to the planner's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuning {
    /// The fastest strategy of each path, for each size that was measured.
    pub measured: Vec<Measured>,
}

/// One measured run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Elements of all jobs together.
    pub elements: usize,
    /// How they were run.
    #[serde(flatten)]
    pub strategy: Strategy,
    /// How long one run took, in nanoseconds.
    pub nanoseconds: u64,
}

/// One way to run jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// Where the kernel reads and writes.
    pub path: TransferPath,
    /// Chunks in flight.
    pub depth: usize,
    /// Elements of one chunk.
    pub chunk: usize,
}

impl Tuning {
    /// The fastest run of about `elements` elements on `path`, among the paths
    /// that `usable` allows; `None` where nothing was measured for it.
    #[must_use]
    pub fn fastest(
        &self,
        elements: usize,
        path: PathChoice,
        usable: impl Fn(TransferPath) -> bool,
    ) -> Option<&Measured> {
        let asked = |found: TransferPath| match path {
            PathChoice::Auto => usable(found),
            PathChoice::Fixed(path) => path == found,
        };
        let rows = self.measured.iter().filter(|row| asked(row.strategy.path));
        // The larger and the smaller of two sizes.
        let ratio = |row: &Measured| {
            let (one, other) = (row.elements.max(1) as u128, elements.max(1) as u128);
            (one.max(other), one.min(other))
        };
        rows.min_by(|one, other| {
            let (a, b) = (ratio(one), ratio(other));
            let nearer = (a.0 * b.1).cmp(&(b.0 * a.1));
            nearer.then(one.nanoseconds.cmp(&other.nanoseconds))
        })
    }
}

impl Measured {
    /// A run that was not timed yet.
    pub(crate) fn of(elements: usize, strategy: Strategy) -> Self {
        Self {
            elements,
            strategy,
            nanoseconds: u64::MAX,
        }
    }

    /// Whether a run of `total` elements is near enough to this one to be cut
    /// and driven like it: far above the largest size measured it is not.
    pub(crate) fn is_near(&self, total: usize) -> bool {
        total / NEAR <= self.elements
    }

    /// Whether the path of this run is that of one of `total` elements:
    /// where it is near, and where it is so long that more elements only take
    /// more of the same time.
    pub(crate) fn decides_path(&self, total: usize) -> bool {
        self.is_near(total) || self.elements >= STEADY
    }

    /// The chunk for a run of `total` elements, in pieces of equal size: one
    /// where that was the fastest, else about as large ones as were measured.
    pub(crate) fn chunk_for(&self, total: usize) -> usize {
        let chunk = self.strategy.chunk.max(1);
        let pieces = match chunk >= self.elements {
            true => 1,
            false => (total.saturating_add(chunk / 2) / chunk).max(1),
        };
        total.div_ceil(pieces).max(1)
    }
}

/// Up to this many times the elements of a measured run, others are like it.
const NEAR: usize = 4;
/// From this many elements on, a run's time is that of moving its data.
const STEADY: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(elements: usize, path: TransferPath, nanoseconds: u64) -> Measured {
        let strategy = Strategy {
            path,
            depth: 1,
            chunk: elements,
        };
        Measured {
            elements,
            strategy,
            nanoseconds,
        }
    }

    fn tuning() -> Tuning {
        Tuning {
            measured: vec![
                row(64, TransferPath::HostVisible, 10),
                row(64, TransferPath::Bar, 9),
                row(1 << 16, TransferPath::HostVisible, 800),
                row(1 << 16, TransferPath::DeviceLocal, 700),
            ],
        }
    }

    #[test]
    fn the_nearest_size_decides_and_there_the_fastest_path() {
        let fastest = |elements, choice| {
            let tuning = tuning();
            let found = tuning.fastest(elements, choice, |path| path != TransferPath::Bar);
            found.map(|row| (row.elements, row.strategy.path))
        };
        // 2,048 is as far from 64 as from 65,536: the faster of the two.
        for (elements, expected) in [
            (0, (64, TransferPath::HostVisible)),
            (2_047, (64, TransferPath::HostVisible)),
            (2_049, (1 << 16, TransferPath::DeviceLocal)),
            (usize::MAX, (1 << 16, TransferPath::DeviceLocal)),
        ] {
            assert_eq!(fastest(elements, PathChoice::Auto), Some(expected));
        }
        // A path that is asked for is taken where it was measured, usable or not.
        let bar = fastest(1 << 20, PathChoice::Fixed(TransferPath::Bar));
        assert_eq!(bar, Some((64, TransferPath::Bar)));
        assert_eq!(
            Tuning::default().fastest(1, PathChoice::Auto, |_| true),
            None
        );
    }

    #[test]
    fn one_piece_stays_one_and_several_keep_their_size() {
        let mut row = row(4000, TransferPath::Bar, 0);
        for (measured, total, chunk) in [
            (4000, 0, 1),
            (4000, 100, 100),
            (4000, 9000, 9000),
            (1000, 0, 1),
            (1000, 1100, 1100),
            (1000, 1600, 800),
            (1000, 10_001, 1001),
        ] {
            row.strategy.chunk = measured;
            assert_eq!(row.chunk_for(total), chunk, "{measured}, {total}");
        }
        assert!(row.is_near(16_000) && !row.is_near(20_000));
        assert!(row.decides_path(16_000) && !row.decides_path(20_000));
        row.elements = 1 << 18;
        assert!(row.decides_path(usize::MAX));
    }

    #[test]
    fn it_is_readable_when_written_down() {
        let json = serde_json::to_string(&tuning()).unwrap();
        assert!(json.contains(r#""path":"host-visible""#), "{json}");
        assert_eq!(serde_json::from_str::<Tuning>(&json).unwrap(), tuning());
    }
}
