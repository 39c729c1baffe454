//! Charts as SVG: lines with limits and their legend, and bars over time.

mod axis;
mod bars;
mod draw;

pub(crate) use axis::{Axis, binary, decimal, plain};
pub(crate) use bars::{Band, Bar, Bars, Panel};

/// One line: points by ascending x.
pub(crate) struct Line {
    /// What the legend calls it.
    pub(crate) label: String,
    /// Which colour; lines of one number have the same.
    pub(crate) colour: usize,
    /// Whether it is dashed, with hollow points.
    pub(crate) dashed: bool,
    /// The points.
    pub(crate) points: Vec<(f64, f64)>,
}

/// A horizontal line over the whole width: what nothing can be above, or what
/// others are compared with.
pub(crate) struct Limit {
    /// What the legend calls it.
    pub(crate) label: String,
    /// Where it lies.
    pub(crate) y: f64,
}

/// A point that stands out, such as a crossover.
pub(crate) struct Mark {
    /// What the legend calls it.
    pub(crate) label: String,
    /// Where it lies; in the legend alone where there is no such point.
    pub(crate) at: Option<(f64, f64)>,
}

/// A chart.
pub(crate) struct Chart {
    /// The horizontal axis.
    pub(crate) x: Axis,
    /// The vertical axis.
    pub(crate) y: Axis,
    /// The lines.
    pub(crate) lines: Vec<Line>,
    /// The limits.
    pub(crate) limits: Vec<Limit>,
    /// The marks.
    pub(crate) marks: Vec<Mark>,
}

impl Chart {
    /// The chart as SVG, with `heading` above: the title, then what it was
    /// made from.
    ///
    /// # Errors
    /// When drawing fails.
    pub(crate) fn svg(&self, heading: &[String]) -> anyhow::Result<String> {
        draw::svg(self, heading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_names_its_lines_limits_marks_and_axes() {
        let values = || [1e6, 4e7].into_iter();
        let chart = Chart {
            x: Axis::sizes("elements in one job", [64.0, 4096.0].into_iter()).unwrap(),
            y: Axis::rates("elements per second", values(), decimal).unwrap(),
            lines: vec![Line {
                label: "pipelined & reused".to_owned(),
                colour: 9,
                dashed: true,
                points: vec![(64.0, 1e6), (4096.0, 4e7)],
            }],
            limits: vec![Limit {
                label: "host memcpy".to_owned(),
                y: 3e7,
            }],
            marks: vec![Mark {
                label: "crossover: none".to_owned(),
                at: None,
            }],
        };
        let text = chart.svg(&["a title".to_owned()]).unwrap();
        for wanted in [
            "a title",
            "pipelined &amp; reused",
            "host memcpy",
            "crossover: none",
            "elements in one job",
            "elements per second",
            "4K",
        ] {
            assert!(text.contains(wanted), "{wanted}");
        }
    }
}
