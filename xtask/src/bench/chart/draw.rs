//! Draws a chart with plotters.

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Axis, Chart, Line, Mark};

pub(super) const WIDTH: u32 = 1040;
const PLOT_HEIGHT: u32 = 500;
const LEGEND_WIDTH: u32 = 290;
const HEADING_HEIGHT: u32 = 32;
const LEGEND_STEP: i32 = 25;
pub(super) const FONT: &str = "sans-serif";
/// Told apart in print and by colour-blind readers too (Okabe and Ito).
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];
/// One for each limit, all told from the lines by their dashes: a colour, a
/// dash and the gap after it.
const LIMIT_STYLES: [(RGBColor, (u32, u32)); 3] = [
    (RGBColor(40, 40, 40), (10, 5)),
    (RGBColor(140, 140, 140), (10, 5)),
    (RGBColor(90, 90, 90), (3, 4)),
];

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Context<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Places, Places>>;
pub(super) type DrawResult = Result<(), Box<dyn std::error::Error>>;

/// An axis as plotters takes it: places along it, labelled at the ticks.
pub(super) struct Places {
    places: RangedCoordf64,
    ticks: Vec<f64>,
}

impl Places {
    pub(super) fn new(axis: &Axis) -> Self {
        Self {
            places: axis.range().into(),
            ticks: axis.ticks(),
        }
    }
}

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.places.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light lines are those between labels: there are none.
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.places.range()
    }
}

pub(super) fn svg(chart: &Chart, heading: &[String]) -> anyhow::Result<String> {
    let lines = u32::try_from(heading.len()).unwrap_or(u32::MAX);
    let above = lines.saturating_mul(HEADING_HEIGHT);
    let mut text = String::new();
    {
        let size = (WIDTH, PLOT_HEIGHT.saturating_add(above));
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&root, chart, heading, above).map_err(|error| anyhow!("a plot failed: {error}"))?;
    }
    Ok(text)
}

fn draw(root: &Area<'_>, chart: &Chart, heading: &[String], above: u32) -> DrawResult {
    root.fill(&WHITE)?;
    let (top, below) = root.split_vertically(above);
    let mut y = 10;
    for (position, line) in heading.iter().enumerate() {
        let size = if position == 0 { 20 } else { 14 };
        top.draw_text(line, &(FONT, size).into_font().color(&BLACK), (16, y))?;
        y += 30;
    }
    let (plot, legend) = below.split_horizontally(WIDTH - LEGEND_WIDTH);
    draw_plot(&plot, chart)?;
    draw_legend(&legend, chart)?;
    root.present()?;
    Ok(())
}

fn draw_plot(area: &Area<'_>, chart: &Chart) -> DrawResult {
    let mut context = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(54)
        .y_label_area_size(80)
        .build_cartesian_2d(Places::new(&chart.x), Places::new(&chart.y))?;
    context
        .configure_mesh()
        .x_desc(&chart.x.title)
        .y_desc(&chart.y.title)
        .x_label_formatter(&|place| chart.x.label(*place))
        .y_label_formatter(&|place| chart.y.label(*place))
        .label_style((FONT, 14).into_font().color(&BLACK))
        .axis_desc_style((FONT, 16).into_font().color(&BLACK))
        .bold_line_style(RGBColor(222, 222, 222))
        .axis_style(RGBColor(90, 90, 90))
        .draw()?;
    draw_limits(&mut context, chart)?;
    for line in &chart.lines {
        draw_line(&mut context, chart, line)?;
    }
    let marks = chart.marks.iter().filter_map(|mark| mark.at);
    let marks = marks.map(|(x, y)| (chart.x.place(x), chart.y.place(y)));
    context.draw_series(marks.map(|at| Circle::new(at, 9, BLACK.stroke_width(2))))?;
    Ok(())
}

fn draw_limits(context: &mut Context<'_, '_>, chart: &Chart) -> DrawResult {
    let ends = chart.x.range();
    for (limit, (colour, (dash, gap))) in chart.limits.iter().zip(LIMIT_STYLES.iter().cycle()) {
        let y = chart.y.place(limit.y);
        let points = [(ends.start, y), (ends.end, y)];
        let style = colour.stroke_width(2);
        context.draw_series(DashedLineSeries::new(points, *dash, *gap, style))?;
    }
    Ok(())
}

fn draw_line(context: &mut Context<'_, '_>, chart: &Chart, line: &Line) -> DrawResult {
    let colour = colour(line);
    let points: Vec<_> = line
        .points
        .iter()
        .map(|(x, y)| (chart.x.place(*x), chart.y.place(*y)))
        .collect();
    let style = colour.stroke_width(2);
    let ends = points.iter().copied();
    if line.dashed {
        context.draw_series(DashedLineSeries::new(ends.clone(), 4, 3, style))?;
    } else {
        context.draw_series(LineSeries::new(ends.clone(), style))?;
    }
    // What is behind a hollow point must not show through it.
    let hollow = |at| Circle::new(at, 4, WHITE.filled());
    context.draw_series(ends.clone().filter(|_| line.dashed).map(hollow))?;
    context.draw_series(ends.map(|at| Circle::new(at, 4, point_style(line))))?;
    Ok(())
}

fn draw_legend(area: &Area<'_>, chart: &Chart) -> DrawResult {
    let mut y = 24;
    for line in &chart.lines {
        dashes(
            area,
            y,
            if line.dashed { (4, 3) } else { (28, 1) },
            colour(line),
        )?;
        if line.dashed {
            area.draw(&Circle::new((18, y), 4, WHITE.filled()))?;
        }
        area.draw(&Circle::new((18, y), 4, point_style(line)))?;
        label(area, y, &line.label)?;
        y += LEGEND_STEP;
    }
    for (limit, (colour, dash)) in chart.limits.iter().zip(LIMIT_STYLES.iter().cycle()) {
        dashes(area, y, *dash, *colour)?;
        label(area, y, &limit.label)?;
        y += LEGEND_STEP;
    }
    for mark in &chart.marks {
        draw_mark_entry(area, y, mark)?;
        y += LEGEND_STEP;
    }
    Ok(())
}

fn draw_mark_entry(area: &Area<'_>, y: i32, mark: &Mark) -> DrawResult {
    if mark.at.is_some() {
        area.draw(&Circle::new((18, y), 8, BLACK.stroke_width(2)))?;
    }
    label(area, y, &mark.label)
}

/// A sample of a line, from 4 to 32 across.
fn dashes(area: &Area<'_>, y: i32, (dash, gap): (u32, u32), colour: RGBColor) -> DrawResult {
    let step = usize::try_from(dash + gap)?;
    for x in (4_i32..32).step_by(step) {
        let end = x.saturating_add_unsigned(dash).min(32);
        area.draw(&PathElement::new(
            vec![(x, y), (end, y)],
            colour.stroke_width(2),
        ))?;
    }
    Ok(())
}

fn label(area: &Area<'_>, y: i32, text: &str) -> DrawResult {
    let middle = Pos::new(HPos::Left, VPos::Center);
    let style = (FONT, 14).into_font().color(&BLACK).pos(middle);
    area.draw_text(text, &style, (40, y))?;
    Ok(())
}

fn colour(line: &Line) -> RGBColor {
    COLOURS[line.colour % COLOURS.len()]
}

fn point_style(line: &Line) -> ShapeStyle {
    if line.dashed {
        colour(line).stroke_width(2)
    } else {
        colour(line).filled()
    }
}
