//! Ranges and labels of logarithmic axes.

use anyhow::Context;

/// The range of `values` with some room, as a logarithmic axis needs it.
///
/// # Errors
/// When no value is positive and finite.
pub(crate) fn bounds(values: impl Iterator<Item = f64>) -> anyhow::Result<(f64, f64)> {
    let (low, high) = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    (high > 0.0)
        .then_some((low / 1.5, high * 1.5))
        .context("no measurement is positive")
}

/// `1500000` as `1.5M`.
pub(crate) fn short(value: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "K")];
    match units.iter().find(|(unit, _)| value >= *unit) {
        Some((unit, letter)) => format!("{}{letter}", round(value / unit)),
        None => round(value).to_string(),
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_room_and_needs_a_positive_value() {
        assert_eq!(bounds([3.0, 6.0].into_iter()).unwrap(), (2.0, 9.0));
        assert!(bounds([0.0, f64::INFINITY].into_iter()).is_err());
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(64.0), "64");
        assert_eq!(short(1.5e6), "1.5M");
        assert_eq!(short(1e9), "1G");
    }
}
