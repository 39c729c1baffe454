//! The record as a picture: throughput over size, one line per path.

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::axes::{bounds, short};
use super::measurements::Measurement;
use super::record::Heading;

/// The groups with one line per function; the others are tables by nature.
const PLOTTED: [&str; 2] = ["paths", "cpu"];
const SIZE: (u32, u32) = (1040, 600);
const LEGEND_WIDTH: u32 = 220;
const TITLE_HEIGHT: u32 = 64;
/// Told apart in print and by colour-blind readers too (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One line of the plot: sizes and rates, by size.
struct Series {
    label: String,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// The plot as SVG.
///
/// # Errors
/// When drawing fails.
pub(crate) fn svg(heading: &Heading, measurements: &[Measurement]) -> anyhow::Result<String> {
    let series = series(measurements);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        draw(&root, heading, &series).map_err(|error| anyhow!("the plot failed: {error}"))?;
    }
    Ok(text)
}

fn series(measurements: &[Measurement]) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    // Sorted by group, function and size: a line's points are neighbours.
    for one in measurements {
        if !PLOTTED.contains(&one.group.as_str()) {
            continue;
        }
        let label = format!("{}: {}", one.group, one.function);
        if series.last().is_none_or(|last| last.label != label) {
            series.push(Series {
                label,
                colour: COLOURS[series.len() % COLOURS.len()],
                points: Vec::new(),
            });
        }
        if let Some(last) = series.last_mut() {
            last.points
                .push((one.elements as f64, one.elements_per_second));
        }
    }
    series
}

type DrawResult = Result<(), Box<dyn std::error::Error>>;

fn draw(root: &Area<'_>, heading: &Heading, series: &[Series]) -> DrawResult {
    root.fill(&WHITE)?;
    let (title, below) = root.split_vertically(TITLE_HEIGHT);
    let (plot, legend) = below.split_horizontally(SIZE.0 - LEGEND_WIDTH);
    let small = ("sans-serif", 13).into_font().color(&BLACK);
    let large = ("sans-serif", 20).into_font().color(&BLACK);
    title.draw_text(
        &format!("BLS12-381 field additions on {}", heading.device),
        &large,
        (16, 12),
    )?;
    let source = format!(
        "{}, revision {}, driver {}, CPU {}",
        heading.date, heading.revision, heading.driver, heading.cpu
    );
    title.draw_text(&source, &small, (16, 40))?;
    if series.is_empty() {
        plot.draw_text("none of the plotted groups was measured", &small, (80, 40))?;
    } else {
        draw_lines(&plot, series)?;
        draw_legend(&legend, series)?;
    }
    root.present()?;
    Ok(())
}

fn draw_lines(area: &Area<'_>, series: &[Series]) -> DrawResult {
    let points = || series.iter().flat_map(|one| one.points.iter());
    let (x_low, x_high) = bounds(points().map(|point| point.0))?;
    let (y_low, y_high) = bounds(points().map(|point| point.1))?;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d((x_low..x_high).log_scale(), (y_low..y_high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("elements in one job")
        .y_desc("elements per second")
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .label_style(("sans-serif", 13).into_font().color(&BLACK))
        .axis_desc_style(("sans-serif", 15).into_font().color(&BLACK))
        .bold_line_style(RGBColor(205, 205, 205))
        .max_light_lines(1)
        .light_line_style(RGBColor(238, 238, 238))
        .draw()?;
    for one in series {
        let line = one.points.iter().copied();
        chart.draw_series(LineSeries::new(line.clone(), one.colour.stroke_width(2)))?;
        chart.draw_series(line.map(|point| Circle::new(point, 3, one.colour.filled())))?;
    }
    Ok(())
}

fn draw_legend(area: &Area<'_>, series: &[Series]) -> DrawResult {
    let style = ("sans-serif", 14).into_font().color(&BLACK);
    let mut y = 24;
    for one in series {
        area.draw(&PathElement::new(
            vec![(4, y), (28, y)],
            one.colour.stroke_width(2),
        ))?;
        area.draw(&Circle::new((16, y), 3, one.colour.filled()))?;
        area.draw_text(&one.label, &style, (36, y - 7))?;
        y += 24;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(group: &str, function: &str, elements: u64, rate: f64) -> Measurement {
        Measurement {
            group: group.to_owned(),
            function: function.to_owned(),
            elements,
            median_ns: 1.0,
            mean_ns: 1.0,
            elements_per_second: rate,
        }
    }

    #[test]
    fn the_plot_names_its_lines_and_its_source() {
        let heading = Heading {
            date: "2026-01-02".to_owned(),
            revision: "abc123".to_owned(),
            device: "a device".to_owned(),
            driver: "a driver".to_owned(),
            cpu: "a cpu".to_owned(),
        };
        let measurements = [
            measurement("batch", "pipelined, 4 jobs", 64, 1e6),
            measurement("paths", "device_local", 64, 1e6),
            measurement("paths", "device_local", 4096, 4e7),
            measurement("paths", "pipelined", 64, 2e6),
        ];
        let text = svg(&heading, &measurements).unwrap();
        for wanted in [
            "paths: device_local",
            "paths: pipelined",
            "abc123",
            "a device",
            "elements per second",
        ] {
            assert!(text.contains(wanted), "{wanted}");
        }
        assert!(!text.contains("4 jobs"));
        svg(&heading, &measurements[..1]).unwrap();
    }
}
