//! The table above the plots: this run's figures beside limits and peers.

use std::fmt;

use super::results::{Points, Results, is_host_buffers, is_reused};
use super::{auto, vectors};
use crate::bench::chart::{binary, decimal};
use crate::bench::limits::{BYTES_PER_ADDITION, Limits};

/// What names the CPU's benchmarks on all threads.
pub(crate) const ALL_THREADS: &str = ", all threads";

/// One figure beside what bounds it, or beside what does the same.
#[derive(Debug, PartialEq)]
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
        let Self {
            measure,
            value,
            beside,
            ratio,
        } = self;
        write!(f, "{measure}: {value}; {beside}; {ratio}")
    }
}

/// The rows that the measurements give; those not measured are left out.
pub(crate) fn rows(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let mut rows = kernels(results, limits);
    rows.extend(host_to_host(results, limits, false));
    rows.extend(host_to_host(results, limits, true));
    rows.extend(host_buffers(results, limits));
    rows.extend(batches(results));
    rows.extend(auto::rows(&auto::choices(results)));
    rows.extend(vectors::rows(results, limits));
    rows.extend(against_cpu(results));
    rows.extend(overhead(results));
    rows
}

/// Each kernel at its largest size, beside the device's own copies.
fn kernels(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let kernel = |function: &&str| {
        let (elements, rate) = *results.rates("kernel", function).last()?;
        let moved = rate * BYTES_PER_ADDITION;
        Some(Row {
            measure: format!("{function}, {} elements in device memory", binary(elements)),
            value: format!("{}, {}", bandwidth(moved), additions(rate)),
            beside: format!("copy in device memory: {}", bandwidth(limits.device_copy)),
            ratio: percent(moved / limits.device_copy),
        })
    };
    results
        .functions("kernel")
        .iter()
        .filter_map(kernel)
        .collect()
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
    let row = |(name, bound): (&str, f64)| Row {
        measure: format!("{}, {}", one_job(elements), memory(reused)),
        value: additions(rate),
        beside: format!("{name}: {}", additions(bound)),
        ratio: percent(rate / bound),
    };
    bounds.map(row).into()
}

/// Each path over host buffers at its largest size, beside the bus.
fn host_buffers(results: &Results<'_>, limits: &Limits) -> Vec<Row> {
    let bound = limits.bus_additions();
    let row = |function: &str| {
        let (elements, rate) = *results.rates("paths", function).last()?;
        Some(Row {
            measure: format!("{function}, one job of {}", binary(elements)),
            value: additions(rate),
            beside: format!("bus, each way by itself: {}", additions(bound)),
            ratio: percent(rate / bound),
        })
    };
    let functions = results.functions("paths").into_iter();
    let functions = functions.filter(|function| is_host_buffers(function));
    functions.filter_map(row).collect()
}

/// Where pipelining gained most and least over several jobs.
fn batches(results: &Results<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for reused in [false, true] {
        let mut gains: Vec<_> = gains(results, reused)
            .into_iter()
            .filter(|gain| gain.jobs > 1)
            .collect();
        gains.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        let ends = [("best", gains.last()), ("worst", gains.first())];
        for (which, gain) in ends {
            rows.extend(gain.map(|gain| Row {
                measure: format!(
                    "pipelining at its {which}, {} jobs of {}, {}",
                    gain.jobs,
                    binary(gain.elements),
                    memory(reused)
                ),
                value: milliseconds(gain.pipelined_ns),
                beside: format!("sequential: {}", milliseconds(gain.sequential_ns)),
                ratio: times(gain.ratio()),
            }));
        }
    }
    rows
}

/// Sequential and pipelined calls of the same jobs.
pub(crate) struct Gain {
    /// Jobs in one call.
    pub(crate) jobs: u64,
    /// Elements in each.
    pub(crate) elements: f64,
    sequential_ns: f64,
    pipelined_ns: f64,
}

impl Gain {
    /// How many times faster pipelined was.
    pub(crate) fn ratio(&self) -> f64 {
        self.sequential_ns / self.pipelined_ns
    }
}

/// Every pair of sequential and pipelined calls of the group `batch`, by size.
pub(crate) fn gains(results: &Results<'_>, reused: bool) -> Vec<Gain> {
    let pipelined = results
        .group("batch")
        .filter(|one| is_reused(&one.function) == reused);
    pipelined
        .filter_map(|one| {
            let jobs = one.function.strip_prefix("pipelined, ")?;
            let sequential = format!("sequential, {jobs}");
            let other = results.get("batch", &sequential, one.elements)?;
            Some(Gain {
                jobs: jobs.split(' ').next()?.parse().ok()?,
                elements: one.elements as f64,
                sequential_ns: other.median_ns,
                pipelined_ns: one.median_ns,
            })
        })
        .collect()
}

/// The device and the fastest CPU peer at the largest common size.
fn against_cpu(results: &Results<'_>) -> Vec<Row> {
    let row = |device: &Points, reused: bool, what: &dyn Fn(f64) -> String| {
        let (elements, rate, peer) = last_common(device, &all_threads(results, reused))?;
        Some(Row {
            measure: what(elements),
            value: additions(rate),
            beside: format!("fastest on the CPU, all threads: {}", additions(peer)),
            ratio: times(rate / peer),
        })
    };
    let copied = [false, true].map(|reused| {
        row(&results.fastest_path(reused), reused, &|elements| {
            format!("{}, {}", one_job(elements), memory(reused))
        })
    });
    let shared = row(&results.host_buffers(), true, &|elements| {
        format!("host buffers, one job of {}", binary(elements))
    });
    copied.into_iter().chain([shared]).flatten().collect()
}

/// The largest size that is in both, with the rates there.
fn last_common(one: &Points, other: &Points) -> Option<(f64, f64, f64)> {
    one.iter().rev().find_map(|(elements, rate)| {
        let (_, peer) = other.iter().find(|(at, _)| at == elements)?;
        Some((*elements, *rate, *peer))
    })
}

/// The fastest of the CPU's libraries with all threads, over size.
pub(crate) fn all_threads(results: &Results<'_>, reused: bool) -> Points {
    results.best("cpu", |function| {
        function.contains(ALL_THREADS) && is_reused(function) == reused
    })
}

fn overhead(results: &Results<'_>) -> Vec<Row> {
    let row = |persistent: &crate::bench::measurements::Measurement| {
        let one_shot = results.get("overhead", "one_shot", persistent.elements)?;
        Some(Row {
            measure: format!(
                "call on a kept backend, {} elements",
                binary(persistent.elements as f64)
            ),
            value: milliseconds(persistent.median_ns),
            beside: format!("with a new backend: {}", milliseconds(one_shot.median_ns)),
            ratio: times(one_shot.median_ns / persistent.median_ns),
        })
    };
    let kept = results
        .group("overhead")
        .filter(|one| one.function == "persistent");
    kept.filter_map(row).collect()
}

fn one_job(elements: f64) -> String {
    format!("fastest path, one job of {}", binary(elements))
}

fn memory(reused: bool) -> &'static str {
    if reused {
        "reused results"
    } else {
        "fresh results"
    }
}

/// Elements that are computed per second, for people.
pub(crate) fn additions(rate: f64) -> String {
    format!("{} elements/s", decimal(rate))
}

/// Bytes per second, for people.
pub(crate) fn bandwidth(bytes: f64) -> String {
    format!("{} GB/s", digits(bytes / 1e9))
}

/// A short time, for people.
pub(crate) fn microseconds(nanoseconds: f64) -> String {
    format!("{} us", digits(nanoseconds / 1e3))
}

/// A time, for people.
pub(crate) fn milliseconds(nanoseconds: f64) -> String {
    format!("{} ms", digits(nanoseconds / 1e6))
}

/// A share of a whole, for people.
pub(crate) fn percent(ratio: f64) -> String {
    format!("{} %", digits(ratio * 100.0))
}

/// How many times faster something is, for people.
pub(crate) fn times(ratio: f64) -> String {
    format!("{} x", digits(ratio))
}

/// Three digits or more.
fn digits(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
