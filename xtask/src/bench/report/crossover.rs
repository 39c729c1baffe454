//! From which size on one way is faster than another.

use super::results::{Points, common};

/// Where a challenger overtakes for good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Crossover {
    /// Faster at every size that both were measured at.
    Always,
    /// Faster from about this size on, at this rate.
    From { elements: f64, rate: f64 },
    /// Not faster at the largest size.
    Never,
}

/// Where `challenger` becomes faster than `rival` and stays so, between two
/// sizes by a straight line over the logarithms; `None` where no size is
/// common to both.
pub(crate) fn crossover(challenger: &Points, rival: &Points) -> Option<Crossover> {
    let common = common(challenger, rival);
    let last_behind = common.iter().rposition(|(_, rate, other)| rate <= other);
    common.first()?;
    let Some(behind) = last_behind else {
        return Some(Crossover::Always);
    };
    Some(match common.get(behind..behind + 2) {
        Some([before, after]) => between(*before, *after),
        _ => Crossover::Never,
    })
}

/// Where the lines from `before`, behind, to `after`, ahead, meet.
fn between(before: (f64, f64, f64), after: (f64, f64, f64)) -> Crossover {
    let lead = |(_, rate, other): (f64, f64, f64)| (rate / other).ln();
    let share = -lead(before) / (lead(after) - lead(before));
    let along = |from: f64, to: f64| (from.ln() + share * (to.ln() - from.ln())).exp();
    Crossover::From {
        elements: along(before.0, after.0),
        rate: along(before.1, after.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(rates: &[f64]) -> Points {
        let sizes = [64.0, 256.0, 1024.0, 4096.0];
        sizes.into_iter().zip(rates.iter().copied()).collect()
    }

    #[test]
    fn the_lines_meet_between_two_sizes_and_being_ahead_for_a_while_does_not_count() {
        let from =
            |ahead: &[f64], behind: f64| match crossover(&points(ahead), &points(&[behind; 4])) {
                Some(Crossover::From { elements, rate }) => (elements.round(), rate.round()),
                _ => (f64::NAN, f64::NAN),
            };
        // Half as fast at 256, twice as fast at 1024: even in the middle.
        assert_eq!(from(&[1.0, 2.0, 8.0, 8.0], 4.0), (512.0, 4.0));
        assert_eq!(from(&[3.0, 1.0, 1.0, 4.0], 2.0), (2048.0, 2.0));
        let rival = points(&[2.0; 4]);
        let never = crossover(&points(&[3.0, 3.0, 3.0, 1.0]), &rival);
        assert_eq!(never, Some(Crossover::Never));
    }

    #[test]
    fn only_common_sizes_are_compared() {
        assert_eq!(crossover(&points(&[1.0]), &vec![(128.0, 1.0)]), None);
        let found = crossover(&points(&[0.5, 2.0]), &vec![(256.0, 1.0)]);
        assert_eq!(found, Some(Crossover::Always));
    }
}
