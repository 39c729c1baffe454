//! Operations on vectors that stay on the device.

use super::headline::{Row, beside_copy};
use super::html;
use super::plots::throughput;
use super::results::Results;
use crate::bench::chart::{Chart, Limit, Line};
use crate::bench::numbers::{binary, microseconds, percent, rate, times};
use crate::bench::suite_output::{Limits, Measurement};

const GROUP: &str = "vectors";
/// By the device's own clock.
const BY_DEVICE: &str = "device";
/// On the host's cores.
const PEERS: &str = "peers";

/// What memory limits, or nearly: an element of the result for each of the
/// operands.
const ELEMENT_WISE: [&str; 5] = ["copy", "add", "mul", "square", "axpy"];

/// What goes over the bus.
const TRANSFERS: [&str; 2] = ["upload", "download"];

/// What a field's benchmarks begin with, and the bytes that an addition in it moves.
const FIELDS: [(&str, f64); 2] = [("fp", 3.0 * 48.0), ("fr", 3.0 * 32.0)];

/// How many elements an operation reads and writes for each of its operands', where that
/// is what bounds it or nearly so.
const MOVED: [(&str, f64); 12] = [
    ("copy", 2.0),
    ("add", 3.0),
    ("sub", 3.0),
    ("neg", 2.0),
    ("double", 2.0),
    ("mul", 3.0),
    ("square", 2.0),
    ("axpy", 3.0),
    ("sum", 1.0),
    ("inner product", 2.0),
    ("bit reversal", 2.0),
    ("product", 1.0),
];

/// Additions of the longest vectors beside the device's own copies, and what
/// fusing a chain gains where it is all overhead and where memory limits it.
pub(crate) fn rows(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let addition = |(field, bytes): &(&str, f64)| {
        let function = format!("{field} add");
        let (elements, rate) = *results.rates(GROUP, &function).last()?;
        let size = binary(elements);
        let measure =
            format!("{function} of vectors that stay, {size} elements, submission and wait");
        Some(beside_copy(measure, rate, *bytes, limits))
    };
    let mut rows: Vec<_> = FIELDS.iter().filter_map(addition).collect();
    rows.extend(FIELDS.iter().flat_map(|(field, _)| chains(field, results)));
    rows
}

/// The chain on the shortest and on the longest vectors.
fn chains(field: &str, results: &Results<'_>) -> Vec<Row> {
    let (fused, apart) = (
        format!("{field} chain of 5"),
        format!("{field} chain of 5, not fused"),
    );
    let row = |one: &Measurement| {
        let apart = results.get(GROUP, &apart, one.elements)?;
        let size = binary(one.elements as f64);
        Some(Row {
            measure: format!("{fused}, {size} elements, one submission"),
            value: microseconds(one.median_ns),
            beside: format!("not fused: {}", microseconds(apart.median_ns)),
            ratio: times(apart.median_ns / one.median_ns),
        })
    };
    let rows: Vec<_> = results.of(GROUP, &fused).filter_map(row).collect();
    let mut rows = rows.into_iter();
    let ends = [rows.next(), rows.next_back()];
    ends.into_iter().flatten().collect()
}

/// Elements per second over length of what memory limits, below additions at
/// the speed of the device's copies; `None` where none was measured.
pub(crate) fn element_wise(results: &Results<'_>, limits: &Limits) -> Option<Chart> {
    let bounds = FIELDS.iter().map(|(field, bytes)| {
        let label = format!("limit: {field} add, copy in device memory");
        Limit::new(label, limits.device_copy / bytes)
    });
    let lines = lines(results, |operation| ELEMENT_WISE.contains(&operation));
    throughput("elements of each operand", lines, bounds.collect())
}

/// Elements per second over length of all others; `None` where none was
/// measured.
pub(crate) fn others(results: &Results<'_>) -> Option<Chart> {
    let lines = lines(results, |operation| {
        !ELEMENT_WISE.contains(&operation) && !TRANSFERS.contains(&operation)
    });
    throughput("elements of each operand", lines, vec![])
}

/// Each operation on the longest vectors by the device's own clock, beside a copy and
/// beside this library's engine on the CPU, in HTML; nothing where none was measured.
pub(crate) fn table(results: &Results<'_>, limits: &Limits) -> String {
    let rows = results.functions(BY_DEVICE).into_iter().filter_map(|name| {
        let (elements, found) = *results.rates(BY_DEVICE, name).last()?;
        let of_copy = moved(name).map(|bytes| percent(found * bytes / limits.device_copy));
        let on_cpu = results
            .rates(PEERS, name)
            .last()
            .map(|(_, found)| rate(*found));
        Some([
            name.to_owned(),
            binary(elements),
            rate(found),
            of_copy.unwrap_or_default(),
            on_cpu.unwrap_or_default(),
        ])
    });
    let columns = [
        "operation",
        "#elements",
        "#on the device",
        "#bytes moved, of a copy's",
        "#CPU engine",
    ];
    let mut rows = rows.peekable();
    match rows.peek() {
        None => String::new(),
        Some(_) => html::details(
            "Show each by the device's own clock",
            &html::table(columns, rows),
        ),
    }
}

/// The bytes that an operation moves for each element of its operands.
fn moved(function: &str) -> Option<f64> {
    let (field, operation) = function.split_once(' ')?;
    let (_, addition) = FIELDS.iter().find(|(name, _)| *name == field)?;
    let (_, elements) = MOVED.iter().find(|(name, _)| *name == operation)?;
    Some(elements * addition / 3.0)
}

/// A colour for each operation, and dashes for the second field.
fn lines(results: &Results<'_>, which: impl Fn(&str) -> bool) -> Vec<Line> {
    let functions = results.functions(GROUP);
    let mut lines = Vec::new();
    for (number, (field, _)) in FIELDS.iter().enumerate() {
        let of_field = functions.iter().filter(|function| {
            let operation = function.strip_prefix(field);
            let operation = operation.and_then(|rest| rest.strip_prefix(' '));
            operation.is_some_and(&which)
        });
        lines.extend(of_field.enumerate().map(|(colour, function)| Line {
            dashed: number > 0,
            ..Line::new(*function, colour, results.rates(GROUP, function))
        }));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::suite_output::tests::{limits, measurement};

    /// Rates in elements per second.
    fn measured(rates: &[(&str, u64, f64)]) -> Vec<Measurement> {
        let one = |(function, elements, rate): &(&str, u64, f64)| {
            measurement(GROUP, function, *elements, *rate)
        };
        rates.iter().map(one).collect()
    }

    #[test]
    fn additions_are_set_beside_the_copy_by_the_bytes_of_their_field_and_chains_beside_the_same_not_fused()
     {
        let all = measured(&[
            ("fp add", 64, 1e6),
            ("fp add", 4096, 25e9),
            ("fr add", 4096, 25e9),
            ("fr mul", 4096, 1e9),
            ("fp chain of 5", 1024, 32e6),
            ("fp chain of 5", 4096, 64e6),
            ("fp chain of 5", 16384, 128e6),
            ("fp chain of 5, not fused", 1024, 16e6),
            ("fp chain of 5, not fused", 4096, 32e6),
            ("fp chain of 5, not fused", 16384, 16e6),
            ("fr chain of 5", 1024, 32e6),
            ("fr chain of 5, not fused", 1024, 16e6),
            ("fr chain of 5, not fused", 4096, 16e6),
        ]);
        let expected = [
            "fp add of vectors that stay, 4K elements, submission and wait: 3600 GB/s, \
             25G elements/s; copy in device memory: 4000 GB/s; 90.0 %",
            "fr add of vectors that stay, 4K elements, submission and wait: 2400 GB/s, \
             25G elements/s; copy in device memory: 4000 GB/s; 60.0 %",
            "fp chain of 5, 1K elements, one submission: 32.0 us; not fused: 64.0 us; 2.00 x",
            "fp chain of 5, 16K elements, one submission: 128 us; not fused: 1024 us; 8.00 x",
            "fr chain of 5, 1K elements, one submission: 32.0 us; not fused: 64.0 us; 2.00 x",
        ];
        let found: Vec<_> = rows(&Results(&all), &limits())
            .iter()
            .map(Row::to_string)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_operation_has_a_line_in_one_of_the_charts() {
        let all = measured(&[
            ("fp add", 64, 1e6),
            ("fp mul", 64, 1e6),
            ("fp sum", 64, 1e6),
            ("fr mul", 64, 1e6),
        ]);
        let results = Results(&all);
        let of = |chart: Option<Chart>| -> Vec<_> {
            let lines = chart.unwrap().lines.into_iter();
            lines.map(|it| (it.label, it.dashed)).collect()
        };
        let line = |label: &str, dashed| (label.to_owned(), dashed);
        let expected = [
            line("fp add", false),
            line("fp mul", false),
            line("fr mul", true),
        ];
        assert_eq!(of(element_wise(&results, &limits())), expected);
        assert_eq!(of(others(&results)), [line("fp sum", false)]);
        assert_eq!(table(&results, &limits()), "");
        assert!(others(&Results(&[])).is_none());
    }

    #[test]
    fn the_table_has_the_longest_vectors_beside_a_copy_and_the_cpu() {
        let of = |group, function, elements, rate| measurement(group, function, elements, rate);
        let all = [
            of(BY_DEVICE, "fr 4 products", 4096, 5e9),
            of(BY_DEVICE, "fr square", 64, 1e9),
            of(BY_DEVICE, "fr square", 4096, 50e9),
            of(PEERS, "blst fr mul", 4096, 2e9),
            of(PEERS, "fr square", 4096, 1e9),
        ];
        let html = table(&Results(&all), &limits());
        let row = |cells: [&str; 4]| {
            let cells = cells.map(|cell| format!("<td class=\"number\">{cell}</td>"));
            cells.concat()
        };
        let products = row(["4K", "5G elements/s", "", ""]);
        assert!(
            html.contains(&format!("<td>fr 4 products</td>{products}")),
            "{html}"
        );
        let square = row(["4K", "50G elements/s", "80.0 %", "1G elements/s"]);
        assert!(
            html.contains(&format!("<td>fr square</td>{square}")),
            "{html}"
        );
    }
}
