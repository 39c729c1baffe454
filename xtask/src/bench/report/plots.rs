//! The charts of the groups of jobs and kernels.

use super::crossover::{Crossover, crossover};
use super::headline::gains;
use super::results::{
    ALL_THREADS, Pair, Results, is_reused, memory, numbers_of_jobs, without_reused,
};
use crate::bench::chart::{Axis, Chart, Limit, Line, Mark};
use crate::bench::numbers::{binary, count, decimal, plain};
use crate::bench::suite_output::{BYTES_PER_ADDITION, Limits};

/// Throughput over size, per path, below what carries the bytes; `None` where
/// no path was measured.
pub(crate) fn paths(results: &Results<'_>, limits: &Limits) -> Option<Chart> {
    let mut lines = lines_of(results, "paths", |_| true);
    for line in &mut lines {
        line.label = line.label.replace('_', "-");
    }
    let limits = [
        ("limit: bus, each way by itself", limits.bus_additions()),
        ("limit: copies both ways at once", limits.staged_additions()),
        ("limit: host memcpy, all threads", limits.copied_additions()),
    ];
    let limits = limits.map(|(label, y)| Limit::new(label, y));
    throughput("elements in the job", lines, limits.into())
}

/// Pipelined over sequential calls, per number of jobs, over their size.
pub(crate) fn batches(results: &Results<'_>) -> Option<Chart> {
    let gains = [false, true].map(|reused| gains(results, reused));
    let counts = numbers_of_jobs(gains.iter().flatten());
    let mut lines = lines_by_jobs(&gains[0], &counts, "", Pair::gain);
    let mut reused = lines_by_jobs(&gains[1], &counts, ", reused", Pair::gain);
    reused.iter_mut().for_each(|line| line.dashed = true);
    lines.extend(reused);
    let even = vec![Limit::new("as fast as sequential", 1.0)];
    over_sizes("elements in each job", lines, even, |ratios| {
        Axis::from_zero("sequential time / pipelined time", ratios)
    })
}

/// A line for each of `counts` numbers of jobs, of `ratio` over the size of a job.
pub(crate) fn lines_by_jobs<'a>(
    pairs: &[Pair<'a>],
    counts: &[u64],
    memory: &str,
    ratio: fn(&Pair<'a>) -> f64,
) -> Vec<Line> {
    let line = |(colour, jobs): (usize, &u64)| {
        let of_count = pairs.iter().filter(|pair| pair.jobs == *jobs);
        let points = of_count.map(|pair| (pair.elements as f64, ratio(pair)));
        Line::new(count(*jobs, "job") + memory, colour, points.collect())
    };
    counts.iter().enumerate().map(line).collect()
}

/// Bytes that each kernel moves per second over size, below what the device
/// copies.
pub(crate) fn kernels(results: &Results<'_>, limits: &Limits) -> Option<Chart> {
    let mut lines = lines_of(results, "kernel", |_| true);
    for (_, y) in lines.iter_mut().flat_map(|line| &mut line.points) {
        *y *= BYTES_PER_ADDITION / 1e9;
    }
    let limit = Limit::new("limit: copy in device memory", limits.device_copy / 1e9);
    over_sizes("elements of each operand", lines, vec![limit], |rates| {
        Axis::rates("GB/s moved (144 bytes per element)", rates, plain)
    })
}

/// The fastest path beside the CPU's libraries with all threads, and from
/// which size on it is ahead of all of them.
pub(crate) fn against_cpu(results: &Results<'_>) -> Option<Chart> {
    let mut lines = vec![
        Line::new("device, fastest path", 0, results.fastest_path(false)),
        Line {
            dashed: true,
            ..Line::new(
                "device, fastest path, reused",
                0,
                results.fastest_path(true),
            )
        },
        Line::new("device, host buffers", 1, results.host_buffers()),
    ];
    lines.retain(|line| !line.points.is_empty());
    let mut peers = lines_of(results, "cpu", |function| function.contains(ALL_THREADS));
    for peer in &mut peers {
        // The first ones are the device's.
        peer.colour += 2;
        let label = peer.label.replace(ALL_THREADS, "");
        peer.label = label.replace("engine", "this library's CPU engine");
    }
    lines.extend(peers);
    let chart = throughput("elements in the job", lines, Vec::new())?;
    let marks = [false, true].into_iter().filter_map(|reused| {
        let found = crossover(&results.fastest_path(reused), &results.all_threads(reused));
        Some(mark(memory(reused), found?))
    });
    Some(Chart {
        marks: marks.collect(),
        ..chart
    })
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
    let mut functions = results.functions(group);
    functions.retain(|function| which(function));
    let mut names: Vec<_> = functions.iter().map(|name| without_reused(name)).collect();
    names.dedup();
    let line = |function: &&str| {
        let name = without_reused(function);
        let colour = names.iter().position(|other| *other == name);
        Line {
            dashed: is_reused(function),
            ..Line::new(
                *function,
                colour.unwrap_or_default(),
                results.rates(group, function),
            )
        }
    };
    functions.iter().map(line).collect()
}

/// Lines of elements per second over size, with limits; `None` where there are no lines.
pub(crate) fn throughput(x: &str, lines: Vec<Line>, limits: Vec<Limit>) -> Option<Chart> {
    over_sizes(x, lines, limits, |rates| {
        Axis::rates("elements per second", rates, decimal)
    })
}

/// Lines over size, with limits; `y` makes an axis for all values. `None` where there are
/// no lines.
pub(crate) fn over_sizes(
    x: &str,
    lines: Vec<Line>,
    limits: Vec<Limit>,
    y: impl FnOnce(std::vec::IntoIter<f64>) -> Option<Axis>,
) -> Option<Chart> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let limits_y = limits.iter().map(|limit| limit.y);
    let values: Vec<f64> = points().map(|point| point.1).chain(limits_y).collect();
    Some(Chart {
        x: Axis::sizes(x, points().map(|point| point.0))?,
        y: y(values.into_iter())?,
        lines,
        limits,
        marks: Vec::new(),
    })
}
