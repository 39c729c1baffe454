//! Rows of text in columns.

use std::time::Duration;

use gpu_executor::{Engine, TransferPath};

/// What was computed, where, how long it took, elements per second, what was compared.
pub(crate) type Row = [String; 5];

/// The row of something that read vectors of `elements` and took `time`; `compared`
/// elements came of it, and were right.
#[expect(clippy::cast_precision_loss, reason = "figures for people to read")]
pub(crate) fn row(
    what: &str,
    place: &str,
    elements: usize,
    time: Duration,
    compared: usize,
) -> Row {
    let seconds = time.as_secs_f64();
    let s = if compared == 1 { "" } else { "s" };
    [
        what.to_owned(),
        place.to_owned(),
        format!("{:.2} ms", seconds * 1e3),
        format!("{:.2} M/s", elements as f64 / seconds * 1e-6),
        format!("{compared} element{s}"),
    ]
}

/// Where something was computed.
pub(crate) fn place(engine: &Engine, path: Option<TransferPath>) -> String {
    match (engine, path) {
        (Engine::Vulkan { .. }, Some(path)) => format!("Vulkan, {path}"),
        (Engine::Vulkan { .. }, None) => "Vulkan".to_owned(),
        (other, _) => other.to_string(),
    }
}

/// Prints a heading and the rows, each column as wide as its widest cell.
#[allow(clippy::print_stdout, reason = "a command-line program")]
pub(crate) fn print(rows: &[Row]) {
    for line in lines(rows) {
        println!("  {line}");
    }
}

fn lines(rows: &[Row]) -> Vec<String> {
    let heading = ["", "where", "time", "elements", "found right"].map(str::to_owned);
    let all: Vec<&Row> = std::iter::once(&heading).chain(rows).collect();
    let width = |column: usize| {
        let cells = all.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &&Row| {
        let [what, place, numbers @ ..] = *row;
        let mut line = format!("{what:<0$}  {place:<1$}", widths[0], widths[1]);
        for (cell, width) in numbers.iter().zip(&widths[2..]) {
            line.push_str(&format!("  {cell:>width$}"));
        }
        line
    };
    all.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cells() {
        let time = Duration::from_millis(2);
        let rows = [
            row("a sum", "Vulkan", 1000, time, 1),
            row("everything", "CPU, 2 threads", 20_000, time, 20_000),
        ];
        assert_eq!(
            lines(&rows),
            [
                "            where              time   elements     found right",
                "a sum       Vulkan          2.00 ms   0.50 M/s       1 element",
                "everything  CPU, 2 threads  2.00 ms  10.00 M/s  20000 elements",
            ]
        );
    }
}
