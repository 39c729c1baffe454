//! The charts of a run.

use super::crossover::{Crossover, crossover};
use super::headline::{ALL_THREADS, all_threads, gains};
use super::results::{Results, is_reused, without_reused};
use crate::bench::chart::{Axis, Chart, Limit, Line, Mark, binary, decimal, plain};
use crate::bench::limits::{BYTES_PER_ADDITION, Limits};

/// Throughput over size, per path, below what carries the bytes; `None` where
/// no path was measured.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn paths(results: &Results<'_>, limits: &Limits) -> anyhow::Result<Option<Chart>> {
    let mut lines = lines_of(results, "paths", |_| true);
    for line in &mut lines {
        line.label = line.label.replace('_', "-");
    }
    let limits = vec![
        Limit {
            label: "limit: bus, each way by itself".to_owned(),
            y: limits.bus_additions(),
        },
        Limit {
            label: "limit: copies both ways at once".to_owned(),
            y: limits.staged_additions(),
        },
        Limit {
            label: "limit: host memcpy, all threads".to_owned(),
            y: limits.copied_additions(),
        },
    ];
    throughput("elements in the job", lines, limits, Vec::new())
}

/// Pipelined over sequential calls, per number of jobs, over their size.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn batches(results: &Results<'_>) -> anyhow::Result<Option<Chart>> {
    let (fresh, reused) = (gains(results, false), gains(results, true));
    let mut counts: Vec<u64> = fresh.iter().chain(&reused).map(|gain| gain.jobs).collect();
    counts.sort_unstable();
    counts.dedup();
    let mut lines: Vec<Line> = Vec::new();
    for (gains, reused) in [(fresh, false), (reused, true)] {
        for (colour, jobs) in counts.iter().enumerate() {
            let of_count = gains.iter().filter(|gain| gain.jobs == *jobs);
            let memory = if reused { ", reused" } else { "" };
            lines.push(Line {
                label: match jobs {
                    1 => format!("1 job{memory}"),
                    _ => format!("{jobs} jobs{memory}"),
                },
                colour,
                dashed: reused,
                points: of_count.map(|gain| (gain.elements, gain.ratio())).collect(),
            });
        }
    }
    let even = Limit {
        label: "as fast as sequential".to_owned(),
        y: 1.0,
    };
    if lines.is_empty() {
        return Ok(None);
    }
    Ok(Some(Chart {
        x: Axis::sizes("elements in each job", xs(&lines))?,
        y: Axis::ratios("sequential time / pipelined time", ys(&lines, &[]))?,
        lines,
        limits: vec![even],
        marks: Vec::new(),
    }))
}

/// Bytes that each kernel moves per second over size, below what the device
/// copies.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn kernels(results: &Results<'_>, limits: &Limits) -> anyhow::Result<Option<Chart>> {
    let mut lines = lines_of(results, "kernel", |_| true);
    for (_, y) in lines.iter_mut().flat_map(|line| &mut line.points) {
        *y *= BYTES_PER_ADDITION / 1e9;
    }
    let limits = vec![Limit {
        label: "limit: copy in device memory".to_owned(),
        y: limits.device_copy / 1e9,
    }];
    if lines.is_empty() {
        return Ok(None);
    }
    Ok(Some(Chart {
        x: Axis::sizes("elements of each operand", xs(&lines))?,
        y: Axis::rates(
            "GB/s moved (144 bytes per element)",
            ys(&lines, &limits),
            plain,
        )?,
        lines,
        limits,
        marks: Vec::new(),
    }))
}

/// The fastest path beside the CPU's libraries with all threads, and from
/// which size on it is ahead of all of them.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn against_cpu(results: &Results<'_>) -> anyhow::Result<Option<Chart>> {
    let mut lines = Vec::new();
    let mut marks = Vec::new();
    for reused in [false, true] {
        let gpu = results.fastest_path(reused);
        let memory = if reused { "reused" } else { "fresh" };
        let found = crossover(&gpu, &all_threads(results, reused));
        marks.extend(found.map(|found| mark(memory, found)));
        if !gpu.is_empty() {
            let label = if reused {
                "device, fastest path, reused"
            } else {
                "device, fastest path"
            };
            lines.push(Line {
                label: label.to_owned(),
                colour: 0,
                dashed: reused,
                points: gpu,
            });
        }
    }
    let shared = results.host_buffers();
    if !shared.is_empty() {
        lines.push(Line {
            label: "device, host buffers".to_owned(),
            colour: 1,
            dashed: false,
            points: shared,
        });
    }
    let mut peers = lines_of(results, "cpu", |function| function.contains(ALL_THREADS));
    for peer in &mut peers {
        // The first ones are the device's.
        peer.colour += 2;
        peer.label = peer
            .label
            .replace(ALL_THREADS, "")
            .replace("engine", "this library's CPU engine");
    }
    lines.extend(peers);
    throughput("elements in the job", lines, Vec::new(), marks)
}

fn mark(memory: &str, found: Crossover) -> Mark {
    let (place, at) = match found {
        Crossover::Always => ("ahead at every size".to_owned(), None),
        Crossover::Never => ("not ahead".to_owned(), None),
        Crossover::From { elements, rate } => (
            format!("ahead from {}", binary(elements)),
            Some((elements, rate)),
        ),
    };
    Mark {
        label: format!("device, {memory}: {place}"),
        at,
    }
}

/// The lines of a group, with one colour for each function, and for the same
/// one into reused memory.
fn lines_of(results: &Results<'_>, group: &str, which: impl Fn(&str) -> bool) -> Vec<Line> {
    let functions: Vec<_> = results
        .functions(group)
        .into_iter()
        .filter(|function| which(function))
        .collect();
    let mut names: Vec<_> = functions.iter().map(|name| without_reused(name)).collect();
    names.dedup();
    functions
        .into_iter()
        .map(|function| {
            let name = without_reused(function);
            Line {
                label: function.to_owned(),
                colour: names
                    .iter()
                    .position(|other| *other == name)
                    .unwrap_or_default(),
                dashed: is_reused(function),
                points: results.rates(group, function),
            }
        })
        .collect()
}

/// Lines of elements per second over size, with limits and marks; `None`
/// where there are no lines.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn throughput(
    x: &str,
    lines: Vec<Line>,
    limits: Vec<Limit>,
    marks: Vec<Mark>,
) -> anyhow::Result<Option<Chart>> {
    if lines.is_empty() {
        return Ok(None);
    }
    Ok(Some(Chart {
        x: Axis::sizes(x, xs(&lines))?,
        y: Axis::rates("elements per second", ys(&lines, &limits), decimal)?,
        lines,
        limits,
        marks,
    }))
}

fn points(lines: &[Line]) -> impl Iterator<Item = &(f64, f64)> {
    lines.iter().flat_map(|line| &line.points)
}

fn xs(lines: &[Line]) -> impl Iterator<Item = f64> {
    points(lines).map(|point| point.0)
}

fn ys(lines: &[Line], limits: &[Limit]) -> impl Iterator<Item = f64> {
    let limits = limits.iter().map(|limit| limit.y);
    points(lines).map(|point| point.1).chain(limits)
}
