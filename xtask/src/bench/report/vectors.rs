//! Operations on vectors that stay on the device.

use super::headline::{Row, additions, bandwidth, microseconds, percent, times};
use super::plots::throughput;
use super::results::Results;
use crate::bench::chart::{Chart, Limit, Line, binary};
use crate::bench::limits::Limits;
use crate::bench::measurements::Measurement;

const GROUP: &str = "vectors";
const CHAIN: &str = "chain of 5";
const NOT_FUSED: &str = "chain of 5, not fused";

/// What memory limits, or nearly: an element of the result for each of the
/// operands.
const ELEMENT_WISE: [&str; 5] = ["copy", "add", "mul", "square", "axpy"];

/// A field by what its benchmarks begin with.
struct Field {
    name: &'static str,
    /// Bytes that an addition reads and writes.
    bytes_per_addition: f64,
}

const FIELDS: [Field; 2] = [
    Field {
        name: "fp",
        bytes_per_addition: 3.0 * 48.0,
    },
    Field {
        name: "fr",
        bytes_per_addition: 3.0 * 32.0,
    },
];

impl Field {
    fn function(&self, operation: &str) -> String {
        format!("{} {operation}", self.name)
    }

    /// Additions per second whose bytes the device's copies could carry.
    fn bound(&self, limits: &Limits) -> f64 {
        limits.device_copy / self.bytes_per_addition
    }

    /// `mul` of `fp mul`.
    fn operation<'a>(&self, function: &'a str) -> Option<&'a str> {
        function.strip_prefix(self.name)?.strip_prefix(' ')
    }
}

/// Additions of the longest vectors beside the device's own copies, and what
/// fusing a chain gains where it is all overhead and where memory limits it.
pub(crate) fn rows(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let mut rows: Vec<_> = FIELDS
        .iter()
        .filter_map(|field| addition(field, results, limits))
        .collect();
    rows.extend(FIELDS.iter().flat_map(|field| chains(field, results)));
    rows
}

fn addition(field: &Field, results: &Results<'_>, limits: &Limits) -> Option<Row> {
    let function = field.function("add");
    let (elements, rate) = *results.rates(GROUP, &function).last()?;
    let moved = rate * field.bytes_per_addition;
    Some(Row {
        measure: format!(
            "{function} of vectors that stay, {} elements, submission and wait",
            binary(elements)
        ),
        value: format!("{}, {}", bandwidth(moved), additions(rate)),
        beside: format!("copy in device memory: {}", bandwidth(limits.device_copy)),
        ratio: percent(moved / limits.device_copy),
    })
}

/// The chain on the shortest and on the longest vectors.
fn chains(field: &Field, results: &Results<'_>) -> Vec<Row> {
    let (fused, apart) = (field.function(CHAIN), field.function(NOT_FUSED));
    let row = |one: &Measurement| {
        let apart = results.get(GROUP, &apart, one.elements)?;
        Some(Row {
            measure: format!(
                "{fused}, {} elements, one submission",
                binary(one.elements as f64)
            ),
            value: microseconds(one.median_ns),
            beside: format!("not fused: {}", microseconds(apart.median_ns)),
            ratio: times(apart.median_ns / one.median_ns),
        })
    };
    let of_chain = results.group(GROUP).filter(|one| one.function == fused);
    let mut rows = of_chain.filter_map(row).collect::<Vec<_>>().into_iter();
    let ends = [rows.next(), rows.next_back()];
    ends.into_iter().flatten().collect()
}

/// Elements per second over length of what memory limits, below additions at
/// the speed of the device's copies; `None` where none was measured.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn element_wise(
    results: &Results<'_>,
    limits: &Limits,
) -> anyhow::Result<Option<Chart>> {
    let bounds = FIELDS.iter().map(|field| Limit {
        label: format!("limit: {} add, copy in device memory", field.name),
        y: field.bound(limits),
    });
    let lines = lines(results, |operation| ELEMENT_WISE.contains(&operation));
    throughput("elements of each operand", lines, bounds.collect(), vec![])
}

/// Elements per second over length of all others; `None` where none was
/// measured.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn others(results: &Results<'_>) -> anyhow::Result<Option<Chart>> {
    let lines = lines(results, |operation| !ELEMENT_WISE.contains(&operation));
    throughput("elements of each operand", lines, vec![], vec![])
}

/// A colour for each operation, and dashes for the second field.
fn lines(results: &Results<'_>, which: impl Fn(&str) -> bool) -> Vec<Line> {
    let functions = results.functions(GROUP);
    let of_field = |(number, field): (usize, &Field)| {
        let operations = functions.iter().filter_map(|it| field.operation(it));
        let operations = operations.filter(|operation| which(operation));
        let line = |(colour, operation): (usize, &str)| Line {
            label: field.function(operation),
            colour,
            dashed: number > 0,
            points: results.rates(GROUP, &field.function(operation)),
        };
        operations.enumerate().map(line).collect::<Vec<_>>()
    };
    FIELDS.iter().enumerate().flat_map(of_field).collect()
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::measurement;
    use super::*;
    use crate::bench::limits::tests::limits;

    /// Rates in elements per second.
    fn measured(rates: &[(&str, u64, f64)]) -> Vec<Measurement> {
        let one = |(function, elements, rate): &(&str, u64, f64)| {
            measurement(GROUP, function, *elements, *rate)
        };
        rates.iter().map(one).collect()
    }

    fn told(all: &[Measurement]) -> Vec<String> {
        let rows = rows(&Results(all), &limits());
        rows.iter().map(Row::to_string).collect()
    }

    #[test]
    fn additions_are_set_beside_the_copy_by_the_bytes_of_their_field() {
        let all = measured(&[
            ("fp add", 64, 1e6),
            ("fp add", 4096, 25e9),
            ("fr add", 4096, 25e9),
            ("fr mul", 4096, 1e9),
        ]);
        let expected = [
            "fp add of vectors that stay, 4K elements, submission and wait: 3600 GB/s, \
             25G elements/s; copy in device memory: 4000 GB/s; 90.0 %",
            "fr add of vectors that stay, 4K elements, submission and wait: 2400 GB/s, \
             25G elements/s; copy in device memory: 4000 GB/s; 60.0 %",
        ];
        assert_eq!(told(&all), expected);
    }

    #[test]
    fn the_shortest_and_the_longest_chain_are_set_beside_the_same_not_fused() {
        let all = measured(&[
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
            "fp chain of 5, 1K elements, one submission: 32.0 us; not fused: 64.0 us; 2.00 x",
            "fp chain of 5, 16K elements, one submission: 128 us; not fused: 1024 us; 8.00 x",
            "fr chain of 5, 1K elements, one submission: 32.0 us; not fused: 64.0 us; 2.00 x",
        ];
        assert_eq!(told(&all), expected);
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
        let of = |chart: anyhow::Result<Option<Chart>>| -> Vec<_> {
            let lines = chart.unwrap().unwrap().lines.into_iter();
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
        assert!(others(&Results(&[])).unwrap().is_none());
    }
}
