//! Looks measurements up.

use super::super::measurements::Measurement;

/// What is appended to the name of a benchmark that writes to the same
/// memory every time.
const REUSED: &str = ", reused";

/// What the benchmarks over memory that host and device share begin with.
const HOST_BUFFERS: &str = "host buffers, ";

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
        let mut of_group = self.group(group);
        of_group.find(|one| one.function == function && one.elements == elements)
    }

    /// The measurements of a group.
    pub(crate) fn group(&self, group: &str) -> impl Iterator<Item = &'a Measurement> {
        self.0.iter().filter(move |one| one.group == group)
    }

    /// The functions of a group, each once.
    pub(crate) fn functions(&self, group: &str) -> Vec<&'a str> {
        let mut functions: Vec<_> = self.group(group).map(|one| one.function.as_str()).collect();
        functions.dedup();
        functions
    }

    /// The rates of one function, over size.
    pub(crate) fn rates(&self, group: &str, function: &str) -> Points {
        let of_function = self.group(group).filter(|one| one.function == function);
        of_function
            .map(|one| (one.elements as f64, one.elements_per_second))
            .collect()
    }

    /// At each size the rate of the fastest function that `which` names.
    pub(crate) fn best(&self, group: &str, which: impl Fn(&str) -> bool) -> Points {
        let mut points: Points = self
            .group(group)
            .filter(|one| which(&one.function))
            .map(|one| (one.elements as f64, one.elements_per_second))
            .collect();
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn measurement(
        group: &str,
        function: &str,
        elements: u64,
        rate: f64,
    ) -> Measurement {
        let median_ns = elements as f64 * 1e9 / rate;
        Measurement {
            group: group.to_owned(),
            function: function.to_owned(),
            elements,
            median_ns,
            mean_ns: median_ns,
            elements_per_second: rate,
        }
    }

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
        let best = results.best("cpu", |function| function.ends_with("all threads"));
        assert_eq!(best, [(64.0, 2.0), (1024.0, 5.0)]);
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
    }

    #[test]
    fn reuse_is_read_from_the_name() {
        assert!(is_reused("blst, 1 thread, reused") && !is_reused("blst, 1 thread"));
        assert_eq!(without_reused("pipelined, reused"), "pipelined");
    }
}
