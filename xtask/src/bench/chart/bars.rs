//! Bars over time: what was at work when, row by row.

use anyhow::anyhow;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Axis;
use super::draw::{Area, COLOURS, DrawResult, FONT, Places, WIDTH};

/// Panels below each other, over one axis.
pub(crate) struct Bars {
    /// The horizontal axis.
    pub(crate) x: Axis,
    /// The panels.
    pub(crate) panels: Vec<Panel>,
}

/// Bands below each other.
pub(crate) struct Panel {
    /// What the panel shows.
    pub(crate) title: String,
    /// The bands.
    pub(crate) bands: Vec<Band>,
}

/// Rows that belong together.
pub(crate) struct Band {
    /// What stands beside them.
    pub(crate) label: String,
    /// The bars of each row.
    pub(crate) rows: Vec<Vec<Bar>>,
}

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    /// Where it begins.
    pub(crate) from: f64,
    /// Where it ends.
    pub(crate) to: f64,
    /// Which colour.
    pub(crate) colour: usize,
}

const LABELS_WIDTH: u32 = 90;
const AXIS_HEIGHT: u32 = 54;
const MARGIN: u32 = 14;
/// Height of a panel's title.
const TITLE_HEIGHT: u32 = 26;
/// Height of a panel's rows together, if they are neither too high nor too
/// low then.
const PANEL_HEIGHT: u32 = 420;
const ROW_HEIGHT: (u32, u32) = (7, 20);
/// The least distance from label to label.
const LABEL_STEP: f64 = 14.0;
/// The part of a row's height that its bars take.
const FILLED: f64 = 0.84;

type Context<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Places, RangedCoordf64>>;

impl Bars {
    /// The chart as SVG.
    ///
    /// # Errors
    /// When drawing fails.
    pub(crate) fn svg(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        {
            let size = (WIDTH, self.height() + AXIS_HEIGHT + 2 * MARGIN);
            let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
            self.draw(&root)
                .map_err(|error| anyhow!("a plot failed: {error}"))?;
        }
        Ok(text)
    }

    fn height(&self) -> u32 {
        self.panels.iter().map(Panel::height).sum()
    }

    fn draw(&self, root: &Area<'_>) -> DrawResult {
        root.fill(&WHITE)?;
        // Downwards from 0, a unit a pixel.
        let mut context = ChartBuilder::on(root)
            .margin(MARGIN)
            .x_label_area_size(AXIS_HEIGHT)
            .y_label_area_size(LABELS_WIDTH)
            .build_cartesian_2d(Places::new(&self.x), -f64::from(self.height())..0.0)?;
        context
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_desc(&self.x.title)
            .x_label_formatter(&|place| self.x.label(*place))
            .label_style((FONT, 14).into_font().color(&BLACK))
            .axis_desc_style((FONT, 16).into_font().color(&BLACK))
            .bold_line_style(RGBColor(222, 222, 222))
            .axis_style(RGBColor(90, 90, 90))
            .draw()?;
        let mut top = 0.0;
        for panel in &self.panels {
            self.draw_panel(root, &mut context, panel, top)?;
            top += f64::from(panel.height());
        }
        root.present()?;
        Ok(())
    }

    fn draw_panel(
        &self,
        root: &Area<'_>,
        context: &mut Context<'_, '_>,
        panel: &Panel,
        top: f64,
    ) -> DrawResult {
        let middle = Pos::new(HPos::Left, VPos::Center);
        let style = (FONT, 14).into_font().color(&BLACK).pos(middle);
        let (_, y) = context.backend_coord(&(0.0, -(top + f64::from(TITLE_HEIGHT) / 2.0)));
        root.draw_text(&panel.title, &style, (MARGIN.cast_signed(), y))?;

        let mut top = top + f64::from(TITLE_HEIGHT);
        let height = f64::from(panel.row_height());
        let mut labelled = f64::NEG_INFINITY;
        for (number, band) in panel.bands.iter().enumerate() {
            let bottom = top + height * band.rows.len() as f64;
            if number % 2 == 0 {
                let corners = [(0.0, -top), (self.x.range().end, -bottom)];
                let grey = RGBColor(243, 243, 243).filled();
                context.draw_series([Rectangle::new(corners, grey)])?;
            }
            for (number, row) in band.rows.iter().enumerate() {
                let top = top + height * number as f64;
                let bottom = top + height * FILLED;
                context.draw_series(row.iter().map(|bar| self.rectangle(bar, top, bottom)))?;
            }
            let middle = f64::midpoint(top, bottom);
            if middle - labelled >= LABEL_STEP {
                labelled = middle;
                draw_label(root, context, &band.label, middle)?;
            }
            top = bottom;
        }
        Ok(())
    }

    /// The bar between `top` and `bottom`, a pixel wide at least.
    fn rectangle(&self, bar: &Bar, top: f64, bottom: f64) -> Rectangle<(f64, f64)> {
        let range = self.x.range();
        let pixel = (range.end - range.start) / f64::from(WIDTH - LABELS_WIDTH - 2 * MARGIN);
        let to = bar.to.max(bar.from + pixel);
        let colour = COLOURS[bar.colour % COLOURS.len()].filled();
        Rectangle::new([(bar.from, -top), (to, -bottom)], colour)
    }
}

impl Panel {
    fn height(&self) -> u32 {
        let rows = self.row_height().saturating_mul(self.rows());
        rows.saturating_add(TITLE_HEIGHT)
    }

    fn row_height(&self) -> u32 {
        let fitting = PANEL_HEIGHT / self.rows().max(1);
        fitting.clamp(ROW_HEIGHT.0, ROW_HEIGHT.1)
    }

    fn rows(&self) -> u32 {
        let rows: usize = self.bands.iter().map(|band| band.rows.len()).sum();
        u32::try_from(rows).unwrap_or(u32::MAX)
    }
}

fn draw_label(root: &Area<'_>, context: &Context<'_, '_>, text: &str, y: f64) -> DrawResult {
    let (x, y) = context.backend_coord(&(0.0, -y));
    let beside = Pos::new(HPos::Right, VPos::Center);
    let style = (FONT, 12).into_font().color(&BLACK).pos(beside);
    root.draw_text(text, &style, (x - 8, y))?;
    Ok(())
}
