//! Looks measurements up.

use std::collections::BTreeSet;

use crate::bench::suite_output::Measurement;

/// What is appended to the name of a benchmark that writes to the same
/// memory every time.
const REUSED: &str = ", reused";
/// What the benchmarks over memory that host and device share begin with.
const HOST_BUFFERS: &str = "host buffers, ";
/// What names the CPU's benchmarks on all threads.
pub(crate) const ALL_THREADS: &str = ", all threads";

/// The measurements of one run.
pub(crate) struct Results<'a>(pub(crate) &'a [Measurement]);

/// Elements and elements per second, by ascending elements.
pub(crate) type Points = Vec<(f64, f64)>;

impl<'a> Results<'a> {
    /// One measurement.
    pub(crate) fn get(
        &self,
        group: &str,
        function: &str,
        elements: u64,
    ) -> Option<&'a Measurement> {
        let mut of_function = self.of(group, function);
        of_function.find(|one| one.elements == elements)
    }

    /// The measurements of a group.
    pub(crate) fn group(&self, group: &str) -> impl Iterator<Item = &'a Measurement> {
        self.0.iter().filter(move |one| one.group == group)
    }

    /// The measurements of one function, by size.
    pub(crate) fn of(&self, group: &str, function: &str) -> impl Iterator<Item = &'a Measurement> {
        self.group(group)
            .filter(move |one| one.function == function)
    }

    /// The functions of a group, each once.
    pub(crate) fn functions(&self, group: &str) -> Vec<&'a str> {
        let mut functions: Vec<_> = self.group(group).map(|one| one.function.as_str()).collect();
        functions.dedup();
        functions
    }

    /// The rates of one function, over size.
    pub(crate) fn rates(&self, group: &str, function: &str) -> Points {
        self.best(group, |other| other == function)
    }

    /// At each size the rate of the fastest function that `which` names.
    pub(crate) fn best(&self, group: &str, which: impl Fn(&str) -> bool) -> Points {
        let of_group = self.group(group).filter(|one| which(&one.function));
        let points = of_group.map(|one| (one.elements as f64, one.elements_per_second));
        let mut points: Points = points.collect();
        // The fastest of a size first, which is the one that stays.
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        points.dedup_by_key(|point| point.0);
        points
    }

    /// At each size the rate of the fastest path from slices of the caller to
    /// slices of the caller.
    pub(crate) fn fastest_path(&self, reused: bool) -> Points {
        self.best("paths", |function| {
            is_reused(function) == reused && !is_host_buffers(function)
        })
    }

    /// At each size the rate of the fastest path over host buffers.
    pub(crate) fn host_buffers(&self) -> Points {
        self.best("paths", is_host_buffers)
    }

    /// The fastest of the CPU's libraries with all threads, over size.
    pub(crate) fn all_threads(&self, reused: bool) -> Points {
        self.best("cpu", |function| {
            function.contains(ALL_THREADS) && is_reused(function) == reused
        })
    }
}

/// Whether `function` works in memory that host and device share.
pub(crate) fn is_host_buffers(function: &str) -> bool {
    function.starts_with(HOST_BUFFERS)
}

/// Whether `function` writes to the same memory every time.
pub(crate) fn is_reused(function: &str) -> bool {
    function.ends_with(REUSED)
}

/// `function` without the remark that it reuses memory.
pub(crate) fn without_reused(function: &str) -> &str {
    function.strip_suffix(REUSED).unwrap_or(function)
}

/// Which results a benchmark writes.
pub(crate) fn memory(reused: bool) -> &'static str {
    if reused { "reused" } else { "fresh" }
}

/// How many jobs `4 jobs` or `4 jobs, reused` are.
pub(crate) fn jobs(batch: &str) -> Option<u64> {
    batch.split(' ').next()?.parse().ok()
}

/// A call of several jobs, beside another way to run the same ones.
pub(crate) struct Pair<'a> {
    /// Jobs in one call.
    pub(crate) jobs: u64,
    /// Elements in each.
    pub(crate) elements: u64,
    /// How long it takes, in nanoseconds.
    pub(crate) ns: f64,
    /// The other way, by its name in the benchmarks.
    pub(crate) other: &'a str,
    /// How long that takes.
    pub(crate) other_ns: f64,
}

impl Pair<'_> {
    /// How many times faster it is than the other.
    pub(crate) fn gain(&self) -> f64 {
        self.other_ns / self.ns
    }
}

/// How many jobs the calls of `pairs` have, each number once.
pub(crate) fn numbers_of_jobs<'a, 'b: 'a>(
    pairs: impl IntoIterator<Item = &'a Pair<'b>>,
) -> Vec<u64> {
    let counts: BTreeSet<u64> = pairs.into_iter().map(|pair| pair.jobs).collect();
    counts.into_iter().collect()
}

/// The sizes that are in both, with both rates.
pub(crate) fn common(one: &Points, other: &Points) -> Vec<(f64, f64, f64)> {
    let both = one.iter().filter_map(|(elements, rate)| {
        let (_, peer) = other.iter().find(|(at, _)| at == elements)?;
        Some((*elements, *rate, *peer))
    });
    both.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::suite_output::tests::measurement;

    #[test]
    fn the_fastest_of_each_size_is_found() {
        let measured = [
            measurement("cpu", "a, all threads", 64, 1.0),
            measurement("cpu", "a, all threads", 1024, 5.0),
            measurement("cpu", "b, all threads", 64, 2.0),
            measurement("cpu", "b, all threads", 1024, 4.0),
            measurement("cpu", "b, 1 thread", 64, 9.0),
            measurement("paths", "b, all threads", 64, 9.0),
        ];
        let results = Results(&measured);
        assert_eq!(results.all_threads(false), [(64.0, 2.0), (1024.0, 5.0)]);
        assert_eq!(results.functions("cpu").len(), 3);
        assert_eq!(results.rates("cpu", "b, 1 thread"), [(64.0, 9.0)]);
        assert!(results.get("cpu", "b, 1 thread", 64).is_some());
        assert!(results.get("cpu", "b, 1 thread", 1024).is_none());
    }

    #[test]
    fn host_buffers_are_no_path_from_slices_to_slices() {
        let measured = [
            measurement("paths", "host buffers, direct", 64, 9.0),
            measurement("paths", "pipelined", 64, 1.0),
            measurement("paths", "pipelined, reused", 64, 2.0),
        ];
        let results = Results(&measured);
        assert_eq!(results.fastest_path(false), [(64.0, 1.0)]);
        assert_eq!(results.fastest_path(true), [(64.0, 2.0)]);
        assert_eq!(results.host_buffers(), [(64.0, 9.0)]);
        assert_eq!(without_reused("pipelined, reused"), "pipelined");
    }
}
