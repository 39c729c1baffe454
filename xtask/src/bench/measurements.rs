//! Reads what Criterion left behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One benchmark's outcome.
#[derive(Debug, PartialEq)]
pub(crate) struct Measurement {
    /// The benchmark group, such as `paths`.
    pub(crate) group: String,
    /// What was measured, such as `pipelined`.
    pub(crate) function: String,
    /// Field elements in one job; 0 where it has none.
    pub(crate) elements: u64,
    /// Median time of one call, in nanoseconds.
    pub(crate) median_ns: f64,
    /// Mean time of one call, in nanoseconds.
    pub(crate) mean_ns: f64,
    /// Elements computed per second over all jobs of a call, from the median.
    pub(crate) elements_per_second: f64,
}

/// What the suite ran on, and when, as the suite wrote it down.
#[derive(Debug, Deserialize)]
pub(crate) struct Device {
    /// The device's own name.
    pub(crate) name: String,
    /// The driver's name and version.
    pub(crate) driver: String,
    /// The CPU's name and threads.
    pub(crate) cpu: String,
    /// The day of the run, `YYYY-MM-DD`.
    pub(crate) date: String,
    /// Whether it was the quick plan.
    pub(crate) quick: bool,
}

/// The device of the run whose results lie in `criterion`.
///
/// # Errors
/// When the suite left no such file, or it cannot be read.
pub(crate) fn device(criterion: &Path) -> anyhow::Result<Device> {
    json(&criterion.join("device.json"))
}

/// Every measurement under `criterion`, by group, function and size.
///
/// # Errors
/// When a file cannot be read, or when there are no measurements at all.
pub(crate) fn read(criterion: &Path) -> anyhow::Result<Vec<Measurement>> {
    let mut folders = Vec::new();
    find_results(criterion, &mut folders)?;
    let mut measurements = folders
        .iter()
        .map(|folder| read_one(folder))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if measurements.is_empty() {
        bail!("the suite measured nothing: does the filter match?");
    }
    measurements.sort_by(|a, b| {
        (&a.group, &a.function, a.elements).cmp(&(&b.group, &b.function, b.elements))
    });
    Ok(measurements)
}

/// `benchmark.json`, as far as it is used.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<BTreeMap<String, u64>>,
}

/// `estimates.json`, as far as it is used; in nanoseconds.
#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

fn read_one(folder: &Path) -> anyhow::Result<Measurement> {
    let benchmark: Benchmark = json(&folder.join("benchmark.json"))?;
    let estimates: Estimates = json(&folder.join("estimates.json"))?;
    let incomplete = || format!("{} is not from this suite", folder.display());
    let elements = benchmark
        .value_str
        .and_then(|value| value.parse().ok())
        .with_context(incomplete)?;
    let added = benchmark
        .throughput
        .and_then(|throughput| throughput.get("Elements").copied())
        .with_context(incomplete)?;
    let median_ns = estimates.median.point_estimate;
    Ok(Measurement {
        group: benchmark.group_id,
        function: benchmark.function_id.with_context(incomplete)?,
        elements,
        median_ns,
        mean_ns: estimates.mean.point_estimate,
        elements_per_second: added as f64 * 1e9 / median_ns,
    })
}

/// Collects every folder `new`, where Criterion keeps the latest run.
fn find_results(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let unreadable = || format!("{} cannot be read", folder.display());
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.join("benchmark.json").is_file() && path.ends_with("new") {
            found.push(path);
        } else if path.is_dir() {
            find_results(&path, found)?;
        }
    }
    Ok(())
}

/// Reads one of the suite's or Criterion's files.
///
/// # Errors
/// When it cannot be read, or holds something else.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criterions_files_are_read() {
        let root = std::env::temp_dir().join(format!("criterion-{}", std::process::id()));
        let folder = root.join("batch/pipelined/1024/new");
        std::fs::create_dir_all(&folder).unwrap();
        assert!(read(&root).is_err());
        std::fs::write(
            folder.join("benchmark.json"),
            r#"{"group_id":"batch","function_id":"pipelined, 4 jobs","value_str":"1024",
                "throughput":{"Elements":4096},"full_id":"x"}"#,
        )
        .unwrap();
        std::fs::write(
            folder.join("estimates.json"),
            r#"{"mean":{"point_estimate":3000.0},"median":{"point_estimate":2048.0}}"#,
        )
        .unwrap();
        let read = read(&root).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        let expected = Measurement {
            group: "batch".to_owned(),
            function: "pipelined, 4 jobs".to_owned(),
            elements: 1024,
            median_ns: 2048.0,
            mean_ns: 3000.0,
            elements_per_second: 2e9,
        };
        assert_eq!(read, [expected]);
    }
}
