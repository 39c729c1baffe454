//! Axes: where a value lies, and which values are labelled.

use anyhow::Context;

/// One axis of a chart.
pub(crate) struct Axis {
    /// What it shows, with the unit.
    pub(crate) title: String,
    scale: Scale,
    /// The range, and the labelled values, as they are placed.
    range: (f64, f64),
    ticks: Vec<f64>,
    format: fn(f64) -> String,
}

#[derive(Clone, Copy)]
enum Scale {
    Linear,
    Logarithmic,
}

/// Labels that fit below a chart.
const MOST_SIZES: usize = 12;

impl Axis {
    /// Numbers of elements, labelled where something was measured: at the
    /// powers of two, if any of them is one.
    ///
    /// # Errors
    /// When no value is positive.
    pub(crate) fn sizes(title: &str, values: impl Iterator<Item = f64>) -> anyhow::Result<Self> {
        let mut values: Vec<f64> = values.filter(positive).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        // Sizes beside a power of two would have their labels beside its own.
        let powers = values.iter().filter(|value| value.log2().fract() == 0.0);
        let mut labelled: Vec<&f64> = powers.collect();
        if labelled.is_empty() {
            labelled = values.iter().collect();
        }
        let step = labelled.len().div_ceil(MOST_SIZES).max(1);
        let ticks = labelled.iter().step_by(step).map(|value| value.log2());
        Ok(Self {
            title: title.to_owned(),
            scale: Scale::Logarithmic,
            ticks: ticks.collect(),
            range: range(&values, f64::log2, 0.3)?,
            format: binary,
        })
    }

    /// A quantity over decades, such as a rate, labelled by `format`.
    ///
    /// # Errors
    /// When no value is positive.
    pub(crate) fn rates(
        title: &str,
        values: impl Iterator<Item = f64>,
        format: fn(f64) -> String,
    ) -> anyhow::Result<Self> {
        let values: Vec<f64> = values.filter(positive).collect();
        let (low, high) = range(&values, f64::log2, 0.5)?;
        // Where there is room for more than the powers of ten.
        let factors: &[f64] = match high - low {
            0.0..4.0 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            4.0..10.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let powers = (-3..16).map(|power| 10_f64.powi(power));
        let ticks = powers
            .flat_map(|power| factors.iter().map(move |factor| (factor * power).log2()))
            .filter(|tick| (low..=high).contains(tick));
        Ok(Self {
            title: title.to_owned(),
            scale: Scale::Logarithmic,
            ticks: ticks.collect(),
            range: (low, high),
            format,
        })
    }

    /// Ratios from 0 on.
    ///
    /// # Errors
    /// When no value is positive.
    pub(crate) fn ratios(title: &str, values: impl Iterator<Item = f64>) -> anyhow::Result<Self> {
        let values: Vec<f64> = values.filter(positive).collect();
        let (_, high) = range(&values, |value| value, 0.2)?;
        let step = match high {
            0.0..3.0 => 0.25,
            3.0..6.0 => 0.5,
            6.0..12.0 => 1.0,
            _ => 10_f64.powf((high / 6.0).log10().ceil()),
        };
        let ticks = (0..100_u8).map(|count| f64::from(count) * step);
        Ok(Self {
            title: title.to_owned(),
            scale: Scale::Linear,
            ticks: ticks.take_while(|tick| *tick <= high).collect(),
            range: (0.0, high),
            format: plain,
        })
    }

    /// Times from 0 until `longest`.
    ///
    /// # Errors
    /// When `longest` is not positive.
    pub(crate) fn times(title: &str, longest: f64) -> anyhow::Result<Self> {
        let high = Some(longest).filter(positive).context("no time passed")?;
        let power = 10_f64.powf((high / 10.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = steps.into_iter().find(|step| high / step <= 12.0);
        let step = step.unwrap_or(10.0 * power);
        let ticks = (0..100_u8).map(|count| f64::from(count) * step);
        Ok(Self {
            title: title.to_owned(),
            scale: Scale::Linear,
            ticks: ticks.take_while(|tick| *tick <= high).collect(),
            range: (0.0, high),
            format: plain,
        })
    }

    /// Ratios on both sides of 1, close enough to tell small differences.
    ///
    /// # Errors
    /// When no value is positive.
    pub(crate) fn near_one(title: &str, values: impl Iterator<Item = f64>) -> anyhow::Result<Self> {
        let values: Vec<f64> = values.filter(positive).chain([1.0]).collect();
        let (low, high) = range(&values, |value| value, 0.0)?;
        let room = (high - low) / 16.0;
        let step = match high - low {
            0.0..0.2 => 0.02,
            0.2..0.6 => 0.05,
            0.6..1.2 => 0.1,
            1.2..3.0 => 0.25,
            3.0..10.0 => 1.0,
            _ => 10_f64.powf((high / 10.0).log10().ceil()),
        };
        let (low, high) = (low - room, high + room);
        // In whole steps from 0, so that 1 is among them.
        let first = (low / step).ceil();
        let ticks = (0..100_u8).map(|count| (first + f64::from(count)) * step);
        Ok(Self {
            title: title.to_owned(),
            scale: Scale::Linear,
            ticks: ticks.take_while(|tick| *tick <= high).collect(),
            range: (low, high),
            format: plain,
        })
    }

    /// Where `value` lies, in the units of the range.
    pub(crate) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.log2(),
        }
    }

    /// The label of the value at `place`.
    pub(crate) fn label(&self, place: f64) -> String {
        (self.format)(match self.scale {
            Scale::Linear => place,
            Scale::Logarithmic => place.exp2(),
        })
    }

    /// The ends of the axis, as places.
    pub(crate) fn range(&self) -> std::ops::Range<f64> {
        self.range.0..self.range.1
    }

    /// The places that are labelled.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        self.ticks.clone()
    }
}

fn positive(value: &f64) -> bool {
    value.is_finite() && *value > 0.0
}

/// The range of the placed `values`, with `room` at both ends.
fn range(values: &[f64], place: fn(f64) -> f64, room: f64) -> anyhow::Result<(f64, f64)> {
    let ends = values
        .iter()
        .map(|value| (place(*value), place(*value)))
        .reduce(|(low, high), (one, other)| (low.min(one), high.max(other)));
    let (low, high) = ends.context("no measurement is positive")?;
    Ok((low - room, high + room))
}

/// `1500` as it is, without what logarithms leave behind the point.
pub(crate) fn plain(value: f64) -> String {
    format!("{}", rounded(value))
}

/// `1536000` as `1.5M`.
pub(crate) fn decimal(value: f64) -> String {
    shortened(value, [(1e9, "G"), (1e6, "M"), (1e3, "K")])
}

/// `65536` as `64K`: sizes are powers of two.
pub(crate) fn binary(value: f64) -> String {
    let kilo = 1024.0;
    let units = [(kilo * kilo * kilo, "G"), (kilo * kilo, "M"), (kilo, "K")];
    shortened(value, units)
}

fn shortened(value: f64, units: [(f64, &str); 3]) -> String {
    let (unit, letter) = units
        .into_iter()
        .find(|(unit, _)| value >= unit * 0.9995)
        .unwrap_or((1.0, ""));
    format!("{}{letter}", rounded(value / unit))
}

/// To three digits, as far as they are behind the point.
fn rounded(value: f64) -> f64 {
    match value {
        100.0.. => value.round(),
        10.0.. => (value * 10.0).round() / 10.0,
        1.0.. => (value * 100.0).round() / 100.0,
        _ => (value * 1000.0).round() / 1000.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (64.0, "64"),
            (1024.0, "1K"),
            (65_536.0, "64K"),
            (1_048_576.0, "1M"),
            (33_554_432.0, "32M"),
        ] {
            assert_eq!(binary(value), text);
        }
        assert_eq!(decimal(1.5e6), "1.5M");
        assert_eq!(decimal(1e9), "1G");
        assert_eq!(decimal(0.0312), "0.031");
        assert_eq!(decimal(123_456.0), "123K");
        assert_eq!(plain(5e3_f64.log2().exp2()), "5000");
        // What exp2 and log2 leave of a power of ten.
        assert_eq!(decimal(1e6_f64.log2().exp2()), "1M");
    }

    #[test]
    fn sizes_are_labelled_where_they_were_measured() {
        let axis = Axis::sizes("elements", [4096.0, 64.0, 64.0, 0.0].into_iter()).unwrap();
        let labels: Vec<_> = axis.ticks().iter().map(|tick| axis.label(*tick)).collect();
        assert_eq!(labels, ["64", "4K"]);
        let close = [1000.0, 1023.0, 1024.0].into_iter();
        assert_eq!(Axis::sizes("elements", close).unwrap().ticks(), [10.0]);
        let odd = [1000.0, 3000.0].into_iter();
        assert_eq!(Axis::sizes("elements", odd).unwrap().ticks().len(), 2);
        assert!(axis.range().contains(&axis.place(64.0)));
        assert!(Axis::sizes("elements", [0.0, f64::NAN].into_iter()).is_err());
        let many = (0..30).map(|log| f64::exp2(f64::from(log)));
        assert!(Axis::sizes("elements", many).unwrap().ticks().len() <= MOST_SIZES);
    }

    #[test]
    fn times_begin_at_0_and_have_some_labels() {
        for longest in [0.013, 0.9, 4.3, 10.0, 113.9, 7_000.0] {
            let axis = Axis::times("ms", longest).unwrap();
            assert_eq!(axis.range(), 0.0..longest);
            let ticks = axis.ticks();
            assert!(
                ticks[0] == 0.0 && (5..14).contains(&ticks.len()),
                "{ticks:?}"
            );
        }
        assert!(Axis::times("ms", 0.0).is_err());
    }

    #[test]
    fn near_one_shows_small_differences_and_takes_large_ones() {
        for values in [
            vec![],
            vec![1.05],
            vec![0.97, 1.3],
            vec![0.4, 1.9],
            vec![7.0],
            vec![0.5, 300.0],
        ] {
            let axis = Axis::near_one("ratio", values.iter().copied().chain([1.05])).unwrap();
            let (range, ticks) = (axis.range(), axis.ticks());
            assert!(
                values.iter().all(|value| range.contains(value)),
                "{range:?}"
            );
            assert!(range.contains(&1.0), "{range:?}");
            assert!((3..16).contains(&ticks.len()), "{values:?}: {ticks:?}");
        }
    }

    #[test]
    fn rates_and_ratios_have_some_labels_whatever_their_range() {
        for high in [1.1e6, 1e7, 1e12] {
            let axis = Axis::rates("rate", [1e6, high].into_iter(), decimal).unwrap();
            assert!((2..16).contains(&axis.ticks().len()), "{high}");
        }
        for high in [1.0, 4.0, 10.0, 5_000.0] {
            let axis = Axis::ratios("ratio", [high].into_iter()).unwrap();
            assert!((4..16).contains(&axis.ticks().len()), "{high}");
        }
    }
}
