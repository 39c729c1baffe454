//! Into which stages a transform over points is cut. Pure.

/// About what an NVIDIA H200 makes of additions of two sums and of those of affine points: how
/// many a microsecond where the device is full of them, and how many microseconds one takes
/// that others wait for.
const FULL: (f64, f64) = (1_300.0, 13.0);
const AFFINE: (f64, f64) = (2_000.0, 8.0);
/// Additions for the multiples of an input and for making them affine, and the microseconds
/// that this takes at least.
const MULTIPLES: (f64, f64) = (24.0, 300.0);
/// Additions of the windows of a term: both halves, most digits.
const WINDOWS: f64 = 52.0;
/// What it takes to join the windows of an output, in additions: 125 doublings and 26 additions
/// by four invocations together; and how many times an addition it takes at least.
const JOIN: (f64, f64) = (136.0, 44.0);
/// Levels of a stage at most: it has as many words as this has for all points of a row.
const MOST_LEVELS: u32 = 6;
/// Levels of a row past which stages are short, so that their words stay few.
const LONG: u32 = 12;

/// The levels of each stage, of so many rows of 2^log2 points.
pub(super) fn stages(log2: u32, rows: usize) -> Vec<u32> {
    let most = if log2 > LONG { 3 } else { MOST_LEVELS };
    let all = (log2.div_ceil(most).max(1)..=log2).map(|number| {
        let end = |stage| stage * log2 / number;
        let stages = (0..number).map(|stage| end(stage + 1) - end(stage));
        stages.collect::<Vec<_>>()
    });
    let points = (rows << log2) as f64;
    let all_of = |stages: &[u32]| stages.iter().map(|it| time(*it, points)).sum::<f64>();
    let fastest = all.min_by(|a, b| all_of(a).total_cmp(&all_of(b)));
    fastest.unwrap_or_default()
}

/// Microseconds of a stage, about.
fn time(levels: u32, points: f64) -> f64 {
    let terms = f64::from(1_u32 << levels);
    let multiples = (points * MULTIPLES.0 / FULL.0).max(MULTIPLES.1);
    let sums = (points * WINDOWS * terms / AFFINE.0).max(2.0 * terms * AFFINE.1);
    multiples + sums + (points * JOIN.0 / FULL.0).max(JOIN.1 * FULL.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_do_all_levels_and_few_rows_take_longer_ones() {
        for log2 in 0..=20 {
            for rows in [1, 64, 4096] {
                let stages = stages(log2, rows);
                assert_eq!(stages.iter().sum::<u32>(), log2);
                assert!(stages.iter().all(|it| (1..=MOST_LEVELS).contains(it)));
            }
        }
        assert_eq!(stages(7, 1), [3, 4]);
        assert!(stages(7, 4096).len() > 2);
    }
}
