//! Axes: where a value lies, and which values are labelled.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

use crate::bench::numbers::{binary, plain};

/// One axis of a chart.
#[derive(Clone)]
pub(crate) struct Axis {
    /// What it shows, with the unit.
    pub(crate) title: String,
    is_logarithmic: bool,
    range: Range<f64>,
    /// The values that are labelled.
    ticks: Vec<f64>,
    format: fn(f64) -> String,
}

/// Labels that fit along a chart.
const MOST_LABELS: usize = 12;

impl Axis {
    /// Numbers of elements, labelled where something was measured: at the
    /// powers of two, if any of them is one.
    pub(crate) fn sizes(title: &str, values: impl Iterator<Item = f64>) -> Option<Self> {
        let (mut values, range) = between(values, |end, out| end * (0.3 * out).exp2())?;
        values.sort_by(f64::total_cmp);
        values.dedup();
        // Sizes beside a power of two would have their labels beside its own.
        let powers = values.iter().copied();
        let powers: Vec<f64> = powers.filter(|size| size.log2().fract() == 0.0).collect();
        let labelled = if powers.is_empty() { &values } else { &powers };
        let step = labelled.len().div_ceil(MOST_LABELS).max(1);
        Some(Self {
            title: title.to_owned(),
            is_logarithmic: true,
            range,
            ticks: labelled.iter().copied().step_by(step).collect(),
            format: binary,
        })
    }

    /// A quantity over decades, such as a rate, labelled by `format`.
    pub(crate) fn rates(
        title: &str,
        values: impl Iterator<Item = f64>,
        format: fn(f64) -> String,
    ) -> Option<Self> {
        let (_, range) = between(values, |end, out| end * (0.5 * out).exp2())?;
        // Where there is room for more than the powers of ten.
        let factors: &[f64] = match (range.end / range.start).log2() {
            0.0..4.0 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            4.0..10.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let powers = (-3..16).map(|power| 10_f64.powi(power));
        let ticks = powers.flat_map(|power| factors.iter().map(move |factor| factor * power));
        Some(Self {
            title: title.to_owned(),
            is_logarithmic: true,
            ticks: ticks.filter(|tick| range.contains(tick)).collect(),
            range,
            format,
        })
    }

    /// A quantity from 0 on.
    pub(crate) fn from_zero(title: &str, values: impl Iterator<Item = f64>) -> Option<Self> {
        let (_, range) = between(values, |end, _| end)?;
        Some(Self::linear(title, 0.0..range.end * 1.02))
    }

    /// A quantity whose values differ little.
    pub(crate) fn close(title: &str, values: impl Iterator<Item = f64>) -> Option<Self> {
        let (_, Range { start, end }) = between(values, |end, _| end)?;
        let room = (end - start) / 16.0;
        Some(Self::linear(title, start - room..end + room))
    }

    /// Rows below each other, from 0 on, a unit each.
    pub(super) fn rows(count: u32) -> Self {
        Self {
            ticks: (0..count).map(|row| f64::from(row) + 0.5).collect(),
            ..Self::linear("", f64::from(count)..0.0)
        }
    }

    fn linear(title: &str, range: Range<f64>) -> Self {
        Self {
            title: title.to_owned(),
            is_logarithmic: false,
            ticks: RangedCoordf64::from(range.clone()).key_points(MOST_LABELS),
            range,
            format: plain,
        }
    }

    fn place(&self, value: f64) -> f64 {
        if self.is_logarithmic {
            value.log2()
        } else {
            value
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let ends = self.place(self.range.start)..self.place(self.range.end);
        RangedCoordf64::from(ends).map(&self.place(*value), limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light lines are those between labels: there are none.
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        (self.format)(*value)
    }
}

/// Those of `values` that can be drawn, and their range, whose ends `room` moves: down by
/// -1, up by 1. `None` where no value is positive.
fn between(
    values: impl Iterator<Item = f64>,
    room: fn(f64, f64) -> f64,
) -> Option<(Vec<f64>, Range<f64>)> {
    let values: Vec<f64> = values.filter(|it| it.is_finite() && *it > 0.0).collect();
    let ends = |(low, high): (f64, f64), value: &f64| (low.min(*value), high.max(*value));
    let first = *values.first()?;
    let (low, high) = values.iter().fold((first, first), ends);
    Some((values, room(low, -1.0)..room(high, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::numbers::decimal;

    #[test]
    fn sizes_are_labelled_where_they_were_measured() {
        let sizes = |values: &[f64]| Axis::sizes("elements", values.iter().copied());
        let axis = sizes(&[4096.0, 64.0, 64.0, 0.0]).unwrap();
        let labels: Vec<_> = axis
            .ticks
            .iter()
            .map(|tick| axis.format_ext(tick))
            .collect();
        assert_eq!(labels, ["64", "4K"]);
        assert!(axis.range.contains(&64.0));
        assert_eq!(sizes(&[1000.0, 1023.0, 1024.0]).unwrap().ticks, [1024.0]);
        assert_eq!(sizes(&[1000.0, 3000.0]).unwrap().ticks.len(), 2);
        assert!(sizes(&[0.0, f64::NAN]).is_none());
        let many: Vec<_> = (0..30).map(|log| f64::exp2(f64::from(log))).collect();
        assert!(sizes(&many).unwrap().ticks.len() <= MOST_LABELS);
    }

    #[test]
    fn every_axis_holds_its_values_and_has_some_labels_whatever_their_range() {
        let expect_good = |axis: Axis, values: &[f64]| {
            let holds = |value: &f64| axis.range.contains(value);
            assert!(values.iter().all(holds), "{values:?}: {:?}", axis.range);
            assert!(
                (2..16).contains(&axis.ticks.len()),
                "{values:?}: {:?}",
                axis.ticks
            );
        };
        for values in [[1e6, 1.1e6], [1e6, 1e7], [1e6, 1e12]] {
            let axis = Axis::rates("rate", values.into_iter(), decimal);
            expect_good(axis.unwrap(), &values);
        }
        for high in [0.013, 0.9, 4.3, 10.0, 113.9, 7_000.0] {
            let axis = Axis::from_zero("ms", [high].into_iter()).unwrap();
            assert_eq!((axis.range.start, axis.ticks[0]), (0.0, 0.0));
            expect_good(axis, &[high]);
        }
        for values in [
            [1.0, 1.05],
            [0.97, 1.3],
            [0.4, 1.9],
            [1.0, 7.0],
            [0.5, 300.0],
        ] {
            expect_good(Axis::close("ratio", values.into_iter()).unwrap(), &values);
        }
        assert!(Axis::from_zero("ms", [0.0].into_iter()).is_none());
    }
}
