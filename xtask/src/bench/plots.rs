//! `cargo xtask bench --transforms` and `--msm`: plots of records beside each other.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::chart::{Axis, Chart, Line};
use super::numbers::plain;

const NOTHING: &str = "no measurement is positive";

/// What is plotted of records.
pub(super) struct Plot {
    heading: &'static str,
    x: &'static str,
    y: &'static str,
    /// The least size in each plot, as a power of two, and what its name ends with.
    plots: &'static [(f64, &'static str)],
    /// What the columns of a row show.
    shows: for<'r> fn(&[&'r str]) -> Vec<Shown<'r>>,
    /// From log2 of the size and milliseconds.
    value: fn(f64, f64) -> f64,
}

/// A line's name, log2 of the size, and milliseconds.
type Shown<'r> = (String, &'r str, &'r str);

/// Of CSVs as the example `ntt` writes them, up to the column of times: forward transforms of
/// one row in natural order, for each engine and order of the result.
pub(super) const TRANSFORMS: Plot = Plot {
    heading: "Forward transforms over Fr: time over n log2 n",
    x: "n, elements of a transform",
    y: "ns / (n log2 n)",
    plots: &[(0.0, "svg"), (16.0, "long.svg")],
    shows: |columns| match *columns {
        [engine, log2, "1", "forward", "natural", to, ms, ..] => {
            vec![(format!("{}, {to}", short(engine)), log2, ms)]
        }
        _ => Vec::new(),
    },
    value: |log2, ms| ms * 1e6 / (log2.exp2() * log2),
};

/// Of CSVs as the example `msm` writes them: single sums of uniform scalars that are there, for
/// each engine, with multiples of points and without, and blst's beside it.
pub(super) const MSM: Plot = Plot {
    heading: "Multi-scalar multiplications over G1, points and scalars in place: time",
    x: "n, points of a sum",
    y: "ms",
    plots: &[(0.0, "svg")],
    shows: |columns| match *columns {
        [
            engine,
            log2,
            "1",
            _,
            multiples,
            prepared,
            "Uniform",
            _,
            _,
            _,
            ms,
            _,
            blst,
            ..,
        ] => {
            let with = match (multiples, prepared) {
                ("1", "-") => "",
                _ => ", multiples of points",
            };
            let of_engine = (format!("{}{with}", short(engine)), log2, ms);
            let of_blst = ("blst, all cores beside it".to_owned(), log2, blst);
            let lines = [of_engine, of_blst].into_iter();
            lines.filter(|(_, _, ms)| *ms != "-").collect()
        }
        _ => Vec::new(),
    },
    value: |_, ms| ms,
};

/// The driver's name behind it has no room.
fn short(engine: &str) -> &str {
    engine.split(" (").next().unwrap_or(engine)
}

impl Plot {
    /// Writes plots beside the first of `files`. The lines of the other files, which need not
    /// be of this library, are dashed.
    pub(super) fn write(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for (number, path) in files.iter().enumerate() {
            self.add_lines(&mut lines, path, number > 0)?;
        }
        for &(least, ending) in self.plots {
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
            let x = Axis::sizes(self.x, points().map(|it| it.0));
            let y = Axis::rates(self.y, points().map(|it| it.1), plain);
            let chart = Chart {
                x: x.context(NOTHING)?,
                y: y.context(NOTHING)?,
                lines,
                limits: Vec::new(),
                marks: Vec::new(),
            };
            let path = files[0].with_extension(ending);
            super::write(&path, &chart.svg(&[self.heading.to_owned()])?)?;
            println!("plot: {}", path.display());
        }
        Ok(())
    }

    /// Adds the lines of a file.
    fn add_lines(&self, lines: &mut Vec<Line>, path: &Path, dashed: bool) -> anyhow::Result<()> {
        let name = path.display();
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("{name} cannot be read"))?;
        let before = lines.len();
        for row in text.lines() {
            let columns: Vec<_> = row.split(',').collect();
            for (label, log2, ms) in (self.shows)(&columns) {
                let found =
                    || format!("{name}: expected log2 of a size and milliseconds, found {row}");
                let log2: f64 = log2.parse().with_context(found)?;
                let ms: f64 = ms.parse().with_context(found)?;
                let point = (log2.exp2(), (self.value)(log2, ms));
                match lines[before..].iter_mut().find(|line| line.label == label) {
                    Some(line) => line.points.push(point),
                    None => lines.push(Line {
                        dashed,
                        ..Line::new(label, lines.len(), vec![point])
                    }),
                }
            }
        }
        let heading = self.heading;
        ensure!(
            lines.len() > before,
            "{name}: expected rows of \"{heading}\", found none"
        );
        Ok(())
    }
}
