//! The table above the plots: this run's figures beside limits and peers.

use std::fmt;

use super::results::{Pair, Points, Results, common, is_host_buffers, is_reused, jobs, memory};
use super::{auto, vectors};
use crate::bench::numbers::{bandwidth, binary, count, milliseconds, percent, rate, times};
use crate::bench::suite_output::{BYTES_PER_ADDITION, Limits};

/// One figure beside what bounds it, or beside what does the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) measure: String,
    /// The figure, with its unit.
    pub(crate) value: String,
    /// The limit or the peer, by name and figure.
    pub(crate) beside: String,
    /// The one over the other.
    pub(crate) ratio: String,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measure, value) = (&self.measure, &self.value);
        write!(f, "{measure}: {value}; {}; {}", self.beside, self.ratio)
    }
}

/// The rows that the measurements give; those not measured are left out.
pub(crate) fn rows(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let memories = [false, true];
    let copied = memories.map(|reused| host_to_host(results, limits, reused));
    let batches = memories.map(|reused| batches(results, reused));
    let checks = ["device", "CPU"].map(|engine| check(results, engine));
    [
        kernels(results, limits),
        copied.concat(),
        host_buffers(results, limits),
        batches.concat(),
        checks.into_iter().flatten().collect(),
        auto::rows(&auto::choices(results)),
        vectors::rows(results, limits),
        against_cpu(results),
        overhead(results),
    ]
    .concat()
}

/// Each kernel at its largest size, beside the device's own copies.
fn kernels(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let row = |function: &str| {
        let (elements, rate) = *results.rates("kernel", function).last()?;
        let measure = format!("{function}, {} elements in device memory", binary(elements));
        Some(beside_copy(measure, rate, BYTES_PER_ADDITION, limits))
    };
    results
        .functions("kernel")
        .into_iter()
        .filter_map(row)
        .collect()
}

/// What moves `bytes` for each element, beside copies in the device's memory.
pub(crate) fn beside_copy(measure: String, elements: f64, bytes: f64, limits: &Limits) -> Row {
    let moved = elements * bytes;
    Row {
        measure,
        value: format!("{}, {}", bandwidth(moved), rate(elements)),
        beside: format!("copy in device memory: {}", bandwidth(limits.device_copy)),
        ratio: percent(moved / limits.device_copy),
    }
}

fn beside_bound(measure: String, elements: f64, (name, bound): (&str, f64)) -> Row {
    Row {
        measure,
        value: rate(elements),
        beside: format!("{name}: {}", rate(bound)),
        ratio: percent(elements / bound),
    }
}

/// Two times of the same work, in milliseconds.
fn beside_time(measure: String, time: f64, (name, other): (&str, f64)) -> Row {
    Row {
        measure,
        value: milliseconds(time),
        beside: format!("{name}: {}", milliseconds(other)),
        ratio: times(other / time),
    }
}

/// The times of a pair of calls that write to fresh or reused `memory`.
pub(crate) fn beside_other(what: &str, pair: &Pair<'_>, memory: &str) -> Row {
    let (jobs, size) = (count(pair.jobs, "job"), binary(pair.elements as f64));
    let measure = format!("{what}{jobs} of {size}, {memory} results");
    beside_time(measure, pair.ns, (pair.other, pair.other_ns))
}

/// The fastest path at the largest size, beside what carries its bytes.
fn host_to_host(results: &Results<'_>, limits: &Limits, reused: bool) -> Vec<Row> {
    let Some((elements, rate)) = results.fastest_path(reused).last().copied() else {
        return Vec::new();
    };
    let bounds = [
        ("copies both ways at once", limits.staged_additions()),
        ("host memcpy, all threads", limits.copied_additions()),
    ];
    bounds
        .map(|bound| beside_bound(one_job(elements, reused), rate, bound))
        .into()
}

/// Each path over host buffers at its largest size, beside the bus.
fn host_buffers(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let bound = ("bus, each way by itself", limits.bus_additions());
    let row = |function: &str| {
        let (elements, rate) = *results.rates("paths", function).last()?;
        let measure = format!("{function}, one job of {}", binary(elements));
        Some(beside_bound(measure, rate, bound))
    };
    let functions = results.functions("paths").into_iter();
    let functions = functions.filter(|function| is_host_buffers(function));
    functions.filter_map(row).collect()
}

/// Where pipelining gained most and least over several jobs.
fn batches(results: &Results<'_>, reused: bool) -> Vec<Row> {
    let mut gains = gains(results, reused);
    gains.retain(|gain| gain.jobs > 1);
    gains.sort_by(|a, b| a.gain().total_cmp(&b.gain()));
    let row = |(which, gain): (&str, Option<&Pair<'_>>)| {
        let what = format!("pipelining at its {which}, ");
        Some(beside_other(&what, gain?, memory(reused)))
    };
    let ends = [("best", gains.last()), ("worst", gains.first())];
    ends.into_iter().filter_map(row).collect()
}

/// What checking the inputs costs, where it costs most.
fn check(results: &Results<'_>, engine: &str) -> Option<Row> {
    let unchecked = format!("{engine}, unchecked, reused");
    let checked = format!("{engine}, checked, reused");
    let pairs = results.of("check", &checked).filter_map(|one| {
        let other = results.get("check", &unchecked, one.elements)?;
        Some((one.elements as f64, one.median_ns, other.median_ns))
    });
    let ratio = |(_, time, other): &(f64, f64, f64)| time / other;
    let (elements, time, other) = pairs.max_by(|a, b| ratio(a).total_cmp(&ratio(b)))?;
    let size = binary(elements);
    let measure = format!("inputs checked on the {engine} at its worst, 4 jobs of {size}");
    Some(beside_time(measure, time, ("unchecked", other)))
}

/// Every pipelined call of the group `batch` beside the sequential one of the same jobs, by
/// size.
pub(crate) fn gains<'a>(results: &Results<'a>, reused: bool) -> Vec<Pair<'a>> {
    let of_memory = results
        .group("batch")
        .filter(|one| is_reused(&one.function) == reused);
    let gains = of_memory.filter_map(|one| {
        let batch = one.function.strip_prefix("pipelined, ")?;
        let other = results.get("batch", &format!("sequential, {batch}"), one.elements)?;
        Some(Pair {
            jobs: jobs(batch)?,
            elements: one.elements,
            ns: one.median_ns,
            other: "sequential",
            other_ns: other.median_ns,
        })
    });
    gains.collect()
}

/// The device and the fastest CPU peer at the largest common size.
fn against_cpu(results: &Results<'_>) -> Vec<Row> {
    let row = |device: Points, reused: bool, measure: &dyn Fn(f64) -> String| {
        let (elements, found, peer) = *common(&device, &results.all_threads(reused)).last()?;
        Some(Row {
            measure: measure(elements),
            value: rate(found),
            beside: format!("fastest on the CPU, all threads: {}", rate(peer)),
            ratio: times(found / peer),
        })
    };
    let copied = [false, true].map(|reused| {
        row(results.fastest_path(reused), reused, &|elements| {
            one_job(elements, reused)
        })
    });
    let shared = |elements| format!("host buffers, one job of {}", binary(elements));
    let shared = row(results.host_buffers(), true, &shared);
    copied.into_iter().chain([shared]).flatten().collect()
}

fn overhead(results: &Results<'_>) -> Vec<Row> {
    let kept = results.of("overhead", "persistent");
    let rows = kept.filter_map(|kept| {
        let one_shot = results.get("overhead", "one_shot", kept.elements)?;
        let measure = format!(
            "call on a kept backend, {} elements",
            binary(kept.elements as f64)
        );
        let one_shot = ("with a new backend", one_shot.median_ns);
        Some(beside_time(measure, kept.median_ns, one_shot))
    });
    rows.collect()
}

fn one_job(elements: f64, reused: bool) -> String {
    let (size, memory) = (binary(elements), memory(reused));
    format!("fastest path, one job of {size}, {memory} results")
}
