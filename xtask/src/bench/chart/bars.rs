//! Bars over time: what was at work when, row by row.

use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;

use super::{Axis, COLOURS, WIDTH, axes, font, svg};

/// Rows below each other, over one axis.
pub(crate) struct Bars {
    pub(crate) x: Axis,
    pub(crate) rows: Vec<Row>,
}

/// A row of a chart.
pub(crate) enum Row {
    /// What the rows after it show.
    Title(String),
    /// What stands beside the bars, and the bars.
    Bars(String, Vec<Bar>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) colour: usize,
}

const LABELS_WIDTH: u32 = 90;
/// Height of a row.
const STEP: u32 = 21;
/// Height of everything but rows.
const AROUND: u32 = 82;

impl Bars {
    /// The chart as SVG.
    pub(crate) fn svg(&self) -> anyhow::Result<String> {
        let rows = u32::try_from(self.rows.len())?;
        let ends = self.x.range();
        // A bar is a pixel wide at least.
        let pixel = (ends.end - ends.start) / f64::from(WIDTH - LABELS_WIDTH);
        svg(rows * STEP + AROUND, |root| {
            let label = |y: &f64| {
                let mut bottoms = (1_u32..).zip(&self.rows);
                match bottoms.find(|(bottom, _)| *y < f64::from(*bottom)) {
                    Some((_, Row::Bars(label, _))) => label.clone(),
                    _ => String::new(),
                }
            };
            let mut context = axes(root, LABELS_WIDTH, &self.x, &Axis::rows(rows), &label)?;
            for (number, row) in (0..).zip(&self.rows) {
                let middle = f64::from(number) + 0.5;
                let between = |from, to, half: f64| [(from, middle - half), (to, middle + half)];
                match row {
                    Row::Title(title) => {
                        let place = (ends.start + 4.0 * pixel, middle);
                        let text = Text::new(title.clone(), place, font(14));
                        context.draw_series([text])?;
                    }
                    Row::Bars(_, bars) => {
                        // Every second row: the lines at the labels show through the others.
                        let grey = RGBColor(243, 243, 243).filled();
                        let band = Rectangle::new(between(ends.start, ends.end, 0.5), grey);
                        let band = (number % 2 == 1).then_some(band);
                        let bars = bars.iter().map(|bar| {
                            let to = bar.to.max(bar.from + pixel);
                            let colour = COLOURS[bar.colour % COLOURS.len()].filled();
                            Rectangle::new(between(bar.from, to, 0.42), colour)
                        });
                        context.draw_series(band.into_iter().chain(bars))?;
                    }
                }
            }
            Ok(())
        })
    }
}
