//! Charts as SVG: lines with limits and their legend, and bars over time.

mod axis;
mod bars;
mod lines;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(crate) use axis::Axis;
pub(crate) use bars::{Bar, Bars, Row};
pub(crate) use lines::{Chart, Limit, Line, Mark};

const WIDTH: u32 = 1040;
const FONT: &str = "sans-serif";
/// Told apart in print and by colour-blind readers too (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Context<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What `draw` draws on an area of `height`, as SVG.
fn svg(height: u32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        let drawn = root.fill(&WHITE).map_err(Into::into);
        let drawn = drawn.and_then(|()| draw(&root));
        let drawn = drawn.and_then(|()| Ok(root.present()?));
        drawn.map_err(|error| anyhow!("a plot failed: {error}"))?;
    }
    Ok(text)
}

/// Axes, with light lines at their labels: those of y, which `y_label` makes, only where
/// it has a title.
fn axes<'a, 'b>(
    area: &'a Area<'b>,
    labels_width: u32,
    x: &Axis,
    y: &Axis,
    y_label: &dyn Fn(&f64) -> String,
) -> Drawn<Context<'a, 'b>> {
    let mut context = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(54)
        .y_label_area_size(labels_width)
        .build_cartesian_2d(x.clone(), y.clone())?;
    let mut mesh = context.configure_mesh();
    if y.title.is_empty() {
        mesh.disable_y_mesh();
    }
    mesh.x_desc(&x.title)
        .y_desc(&y.title)
        .y_label_formatter(&y_label)
        .label_style(font(14))
        .axis_desc_style(font(16))
        .bold_line_style(RGBColor(222, 222, 222))
        .axis_style(RGBColor(90, 90, 90))
        .draw()?;
    Ok(context)
}

fn font(size: u32) -> TextStyle<'static> {
    let from_middle = Pos::new(HPos::Left, VPos::Center);
    (FONT, size).into_font().color(&BLACK).pos(from_middle)
}
