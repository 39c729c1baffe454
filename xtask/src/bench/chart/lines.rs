//! Lines with limits, marks and their legend.

use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::{Area, Axis, COLOURS, Drawn, WIDTH, axes, font, svg};

pub(crate) struct Chart {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) marks: Vec<Mark>,
}

/// One line: points by ascending x.
pub(crate) struct Line {
    pub(crate) label: String,
    /// Which colour; lines of one number have the same.
    pub(crate) colour: usize,
    /// Whether it is dashed, with hollow points.
    pub(crate) dashed: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A horizontal line over the whole width: what nothing can be above, or what
/// others are compared with.
pub(crate) struct Limit {
    pub(crate) label: String,
    pub(crate) y: f64,
}

/// A point that stands out, such as a crossover.
pub(crate) struct Mark {
    pub(crate) label: String,
    /// Where it lies; in the legend alone where there is no such point.
    pub(crate) at: Option<(f64, f64)>,
}

const PLOT_HEIGHT: u32 = 500;
const LEGEND_WIDTH: u32 = 290;
const LEGEND_STEP: i32 = 25;
const HEADING_HEIGHT: u32 = 32;
/// One for each limit, distinct from the lines by their dashes.
const LIMITS: [Stroke; 3] = [
    (RGBColor(40, 40, 40), Some((10, 5))),
    (RGBColor(140, 140, 140), Some((10, 5))),
    (RGBColor(90, 90, 90), Some((3, 4))),
];

/// A colour, and a dash with the gap after it.
type Stroke = (RGBColor, Option<(u32, u32)>);
/// In pixels.
type Place = (i32, i32);

impl Chart {
    /// The chart as SVG, with `heading` above: the title, then what it was
    /// made from.
    pub(crate) fn svg(&self, heading: &[String]) -> anyhow::Result<String> {
        let lines = u32::try_from(heading.len())?;
        let above = lines * HEADING_HEIGHT;
        svg(PLOT_HEIGHT + above, |root| {
            let (top, below) = root.split_vertically(above);
            let sizes = std::iter::once(20).chain(std::iter::repeat(14));
            for ((line, size), y) in heading.iter().zip(sizes).zip((18..).step_by(30)) {
                top.draw_text(line, &font(size), (16, y))?;
            }
            let (plot, legend) = below.split_horizontally(WIDTH - LEGEND_WIDTH);
            self.plot(root, &plot)?;
            self.legend(&legend)
        })
    }

    fn plot(&self, root: &Area<'_>, area: &Area<'_>) -> Drawn {
        let context = axes(area, 80, &self.x, &self.y, &|y| self.y.format_ext(y))?;
        let place = |point: (f64, f64)| context.backend_coord(&point);
        let ends = self.x.range();
        for (limit, style) in self.limits.iter().zip(LIMITS.iter().cycle()) {
            let points = [ends.start, ends.end].map(|x| place((x, limit.y)));
            stroke(root, *style, &points)?;
        }
        for line in &self.lines {
            let points: Vec<Place> = line.points.iter().copied().map(place).collect();
            stroke(root, line.stroke(), &points)?;
            line.dots(root, &points)?;
        }
        for at in self.marks.iter().filter_map(|mark| mark.at) {
            root.draw(&Circle::new(place(at), 9, BLACK.stroke_width(2)))?;
        }
        Ok(())
    }

    fn legend(&self, area: &Area<'_>) -> Drawn {
        let mut rows = (24..).step_by(usize::try_from(LEGEND_STEP)?);
        let mut entry = |label: &str, sample: &dyn Fn(i32) -> Drawn| -> Drawn {
            let y = rows.next().unwrap_or_default();
            sample(y)?;
            Ok(area.draw_text(label, &font(14), (40, y))?)
        };
        for line in &self.lines {
            entry(&line.label, &|y| {
                stroke(area, line.stroke(), &[(4, y), (32, y)])?;
                line.dots(area, &[(18, y)])
            })?;
        }
        for (limit, style) in self.limits.iter().zip(LIMITS.iter().cycle()) {
            entry(&limit.label, &|y| stroke(area, *style, &[(4, y), (32, y)]))?;
        }
        for mark in &self.marks {
            entry(&mark.label, &|y| match mark.at {
                Some(_) => Ok(area.draw(&Circle::new((18, y), 8, BLACK.stroke_width(2)))?),
                None => Ok(()),
            })?;
        }
        Ok(())
    }
}

impl Limit {
    pub(crate) fn new(label: impl Into<String>, y: f64) -> Self {
        let label = label.into();
        Self { label, y }
    }
}

impl Line {
    /// A line that is not dashed.
    pub(crate) fn new(label: impl Into<String>, colour: usize, points: Vec<(f64, f64)>) -> Self {
        Self {
            label: label.into(),
            colour,
            dashed: false,
            points,
        }
    }

    fn stroke(&self) -> Stroke {
        let dash = self.dashed.then_some((4, 3));
        (COLOURS[self.colour % COLOURS.len()], dash)
    }

    fn dots(&self, area: &Area<'_>, points: &[Place]) -> Drawn {
        let (colour, _) = self.stroke();
        for at in points {
            if self.dashed {
                // What is behind a hollow point must not show through it.
                area.draw(&Circle::new(*at, 4, WHITE.filled()))?;
                area.draw(&Circle::new(*at, 4, colour.stroke_width(2)))?;
            } else {
                area.draw(&Circle::new(*at, 4, colour.filled()))?;
            }
        }
        Ok(())
    }
}

fn stroke(area: &Area<'_>, (colour, dash): Stroke, points: &[Place]) -> Drawn {
    let style = colour.stroke_width(2);
    let points = points.to_vec();
    match dash {
        None => area.draw(&PathElement::new(points, style))?,
        Some((dash, gap)) => area.draw(&DashedPathElement::new(points, dash, gap, style))?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::numbers::decimal;

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
            limits: vec![Limit::new("host memcpy", 3e7)],
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
