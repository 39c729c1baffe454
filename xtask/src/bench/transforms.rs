//! `cargo xtask bench --transforms`: plots of records of transforms beside each other.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::chart::{Axis, Chart, Line};
use super::numbers::plain;

/// The least size in each plot, as a power of two, and what its name ends with.
const PLOTS: [(f64, &str); 2] = [(0.0, "svg"), (16.0, "long.svg")];

const NOTHING: &str = "no measurement is positive";

/// Writes two plots beside the first of `files`, CSVs as the example `ntt` writes them up to
/// the column of times: of forward transforms of one row in natural order. The lines of the
/// other files, which need not be of this library, are dashed.
///
/// # Errors
/// When a file cannot be read or is not such a record, or a plot cannot be written.
pub(super) fn plot(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for (number, path) in files.iter().enumerate() {
        add_lines(&mut lines, path, number > 0)?;
    }
    for (least, ending) in PLOTS {
        let lines = lines.iter().map(|line| {
            let points = line.points.iter().copied();
            Line {
                label: line.label.clone(),
                points: points.filter(|(n, _)| n.log2() >= least).collect(),
                ..*line
            }
        });
        let lines: Vec<_> = lines.collect();
        let points = || lines.iter().flat_map(|line| line.points.iter());
        let x = Axis::sizes("n, elements of a transform", points().map(|it| it.0));
        let y = Axis::rates("ns / (n log2 n)", points().map(|it| it.1), plain);
        let chart = Chart {
            x: x.context(NOTHING)?,
            y: y.context(NOTHING)?,
            lines,
            limits: Vec::new(),
            marks: Vec::new(),
        };
        let heading = "Forward transforms over Fr: time over n log2 n".to_owned();
        let path = files[0].with_extension(ending);
        super::write(&path, &chart.svg(&[heading])?)?;
        println!("plot: {}", path.display());
    }
    Ok(())
}

/// Adds the lines of a file: one for each engine and order of the result.
fn add_lines(lines: &mut Vec<Line>, path: &Path, dashed: bool) -> anyhow::Result<()> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    let before = lines.len();
    for row in text.lines() {
        let columns: Vec<_> = row.split(',').collect();
        let [engine, log2, "1", "forward", "natural", to, ms, ..] = columns[..] else {
            continue;
        };
        let found = || format!("{name}: expected log2 of a size and milliseconds, found {row}");
        let log2: f64 = log2.parse().with_context(found)?;
        let ms: f64 = ms.parse().with_context(found)?;
        let point = (log2.exp2(), ms * 1e6 / (log2.exp2() * log2));
        // The driver's name behind it has no room.
        let engine = engine.split(" (").next().unwrap_or(engine);
        let label = format!("{engine}, {to}");
        match lines[before..].iter_mut().find(|line| line.label == label) {
            Some(line) => line.points.push(point),
            None => lines.push(Line {
                dashed,
                ..Line::new(label, lines.len(), vec![point])
            }),
        }
    }
    ensure!(
        lines.len() > before,
        "{name}: expected forward transforms of one row, found none"
    );
    Ok(())
}
