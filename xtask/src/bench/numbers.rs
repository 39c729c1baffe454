//! Numbers for people.

/// Three digits or more, with those behind the point.
fn digits(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The same without zeros at the end.
pub(crate) fn plain(value: f64) -> String {
    let text = digits(value);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `1536000` as `1.54M`.
pub(crate) fn decimal(value: f64) -> String {
    shortened(value, 1e3)
}

/// `65536` as `64K`: sizes are powers of two.
pub(crate) fn binary(value: f64) -> String {
    shortened(value, 1024.0)
}

fn shortened(value: f64, kilo: f64) -> String {
    let units = [(kilo.powi(3), "G"), (kilo.powi(2), "M"), (kilo, "K")];
    // A little below, which is rounded to it.
    let unit = units.into_iter().find(|(unit, _)| value >= unit * 0.9995);
    let (unit, letter) = unit.unwrap_or((1.0, ""));
    plain(value / unit) + letter
}

/// Elements that are computed per second.
pub(crate) fn rate(elements: f64) -> String {
    format!("{} elements/s", decimal(elements))
}

/// Bytes per second.
pub(crate) fn bandwidth(bytes: f64) -> String {
    format!("{} GB/s", digits(bytes / 1e9))
}

/// A time in nanoseconds, in microseconds.
pub(crate) fn microseconds(nanoseconds: f64) -> String {
    format!("{} us", digits(nanoseconds / 1e3))
}

/// A time in nanoseconds, in milliseconds.
pub(crate) fn milliseconds(nanoseconds: f64) -> String {
    format!("{} ms", digits(nanoseconds / 1e6))
}

/// A share of a whole.
pub(crate) fn percent(ratio: f64) -> String {
    format!("{} %", digits(ratio * 100.0))
}

/// How many times faster something is.
pub(crate) fn times(ratio: f64) -> String {
    format!("{} x", digits(ratio))
}

/// `1 job`, `4 jobs`.
pub(crate) fn count(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
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
        for (value, text) in [
            (1.5e6, "1.5M"),
            (1e9, "1G"),
            (0.0312, "0.031"),
            (123_456.0, "123K"),
            // What exp2 and log2 leave of a power of ten.
            (1e6_f64.log2().exp2(), "1M"),
        ] {
            assert_eq!(decimal(value), text);
        }
        assert_eq!(plain(5e3_f64.log2().exp2()), "5000");
        assert_eq!(
            (count(1_u64, "job"), count(2_u64, "job")),
            ("1 job".into(), "2 jobs".into())
        );
    }
}
