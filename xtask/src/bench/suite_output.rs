//! What the suite left in its output folder: Criterion's results, and files of its own
//! beside them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Bytes that an addition reads.
const BYTES_IN: f64 = 96.0;
/// Bytes that an addition writes.
const BYTES_OUT: f64 = 48.0;
/// Bytes that an addition moves.
pub(crate) const BYTES_PER_ADDITION: f64 = BYTES_IN + BYTES_OUT;

pub(crate) struct SuiteOutput {
    pub(crate) heading: Heading,
    pub(crate) limits: Limits,
    /// By group, function and size.
    pub(crate) measurements: Vec<Measurement>,
    /// None where it was a suite that wrote none down.
    pub(crate) runs: Vec<Run>,
}

/// `device.json`, what the suite ran on and when, and what the record adds to it.
#[derive(Debug, Deserialize)]
pub(crate) struct Heading {
    /// The day of the run, `YYYY-MM-DD`.
    pub(crate) date: String,
    /// The commit that was measured.
    #[serde(skip)]
    pub(crate) revision: String,
    #[serde(rename = "name")]
    pub(crate) device: String,
    /// The driver's name and version.
    pub(crate) driver: String,
    /// The CPU's name and threads.
    pub(crate) cpu: String,
    /// The command that measures this again.
    #[serde(skip)]
    pub(crate) command: String,
    /// Whether it was the quick plan, which is not for publishing.
    pub(crate) quick: bool,
}

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

/// `limits.json`: bandwidths in bytes per second.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Limits {
    /// Bytes of each copy on the device.
    pub(crate) copy_bytes: u64,
    /// Inside the device's memory, bytes read plus bytes written.
    pub(crate) device_copy: f64,
    /// From the host's memory to the device's.
    pub(crate) host_to_device: f64,
    /// From the device's memory to the host's.
    pub(crate) device_to_host: f64,
    /// Both directions at once, the bytes of both together.
    pub(crate) both_directions: f64,
    /// On the host, bytes copied by one thread.
    pub(crate) memcpy_one_thread: f64,
    /// On the host, bytes copied by all threads together.
    pub(crate) memcpy_all_threads: f64,
    /// How many threads those are.
    pub(crate) threads: usize,
}

/// A run of `timeline.json`, whose stages were timed.
#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) path: String,
    pub(crate) jobs: usize,
    /// Elements of all jobs together.
    pub(crate) elements: usize,
    pub(crate) chunks: usize,
    /// Elements in each, at most.
    pub(crate) chunk: usize,
    /// Whether it was made to overlap where the library would not have.
    pub(crate) forced: bool,
    /// From call to return, in milliseconds.
    pub(crate) total_ms: f64,
    /// How many kinds of stages were at work at once.
    pub(crate) overlap: Option<f64>,
    pub(crate) spans: Vec<Span>,
}

/// When one chunk was in one stage, in milliseconds since the start of the run.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Span {
    /// The slot that it was in.
    pub(crate) slot: usize,
    pub(crate) stage: String,
    pub(crate) start_ms: f64,
    pub(crate) end_ms: f64,
}

impl SuiteOutput {
    /// What lies in `folder`, which was the suite's `CRITERION_HOME`.
    ///
    /// # Errors
    /// When a file is missing or not as expected, or when there are no measurements.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let timeline = folder.join("timeline.json");
        Ok(Self {
            heading: json(&folder.join("device.json"))?,
            limits: json(&folder.join("limits.json"))?,
            measurements: measurements(folder)?,
            runs: match timeline.try_exists()? {
                true => json(&timeline)?,
                false => Vec::new(),
            },
        })
    }
}

impl Limits {
    /// Additions per second whose operands and results the device's copies
    /// could carry between host and device.
    pub(crate) fn staged_additions(&self) -> f64 {
        (self.both_directions / BYTES_PER_ADDITION).min(self.bus_additions())
    }

    /// Additions per second whose operands and results the bus could carry if
    /// neither direction slowed the other down.
    pub(crate) fn bus_additions(&self) -> f64 {
        (self.host_to_device / BYTES_IN).min(self.device_to_host / BYTES_OUT)
    }

    /// Additions per second whose operands and results the host could copy
    /// into and out of staging memory.
    pub(crate) fn copied_additions(&self) -> f64 {
        self.memcpy_all_threads / BYTES_PER_ADDITION
    }

    /// Each bandwidth with its name in the record.
    pub(crate) fn rows(&self) -> [(&'static str, f64); 6] {
        [
            ("device_copy", self.device_copy),
            ("host_to_device", self.host_to_device),
            ("device_to_host", self.device_to_host),
            ("both_directions", self.both_directions),
            ("memcpy_one_thread", self.memcpy_one_thread),
            ("memcpy_all_threads", self.memcpy_all_threads),
        ]
    }
}

fn measurements(folder: &Path) -> anyhow::Result<Vec<Measurement>> {
    let mut folders = Vec::new();
    find_results(folder, &mut folders)?;
    let read = folders.iter().map(|folder| measurement(folder));
    let mut all = read.collect::<anyhow::Result<Vec<_>>>()?;
    if all.is_empty() {
        bail!("the suite measured nothing: does the filter match?");
    }
    sort(&mut all);
    Ok(all)
}

/// By group, function and size.
pub(crate) fn sort(measurements: &mut [Measurement]) {
    measurements.sort_by(|a, b| {
        (&a.group, &a.function, a.elements).cmp(&(&b.group, &b.function, b.elements))
    });
}

fn measurement(folder: &Path) -> anyhow::Result<Measurement> {
    let benchmark: Value = json(&folder.join("benchmark.json"))?;
    let estimates: Value = json(&folder.join("estimates.json"))?;
    let text = |key: &str| Some(benchmark[key].as_str()?.to_owned());
    let nanoseconds = |which: &str| estimates[which]["point_estimate"].as_f64();
    let found = || {
        let median_ns = nanoseconds("median")?;
        let computed = benchmark["throughput"]["Elements"].as_u64()?;
        Some(Measurement {
            group: text("group_id")?,
            function: text("function_id")?,
            elements: text("value_str")?.parse().ok()?,
            median_ns,
            mean_ns: nanoseconds("mean")?,
            elements_per_second: computed as f64 * 1e9 / median_ns,
        })
    };
    found().with_context(|| format!("{} is not from this suite", folder.display()))
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

fn json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn output(measurements: Vec<Measurement>) -> SuiteOutput {
        SuiteOutput {
            heading: Heading {
                date: "2026-01-02".to_owned(),
                revision: "abc123".to_owned(),
                device: "soft (LLVM 15, 256 bits)".to_owned(),
                driver: "a <driver>".to_owned(),
                cpu: "a \"cpu\"".to_owned(),
                command: "cargo xtask bench --quick".to_owned(),
                quick: true,
            },
            limits: limits(),
            measurements,
            runs: runs(),
        }
    }

    pub(crate) fn limits() -> Limits {
        serde_json::from_str(LIMITS).unwrap()
    }

    pub(crate) fn runs() -> Vec<Run> {
        serde_json::from_str(TIMELINE).unwrap()
    }

    /// `rate` in elements of one job per second.
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

    const LIMITS: &str = r#"{"copy_bytes":1000,"device_copy":4000e9,"device_copy_command":1e9,
        "host_to_device":48e9,"device_to_host":49e9,"both_directions":53e9,
        "memcpy_one_thread":12e9,"memcpy_all_threads":57e9,"threads":16}"#;

    /// Two chunks, in a slot each.
    const TIMELINE: &str = r#"[{
        "path":"host-visible","jobs":4,"elements":32768,"chunks":2,"chunk":16384,
        "forced":false,"total_ms":10.5,"overlap":1.25,"spans":[
        {"slot":0,"chunk":0,"stage":"copy in","start_ms":0.0,"end_ms":2.0},
        {"slot":0,"chunk":0,"stage":"kernel","start_ms":2.0,"end_ms":5.0},
        {"slot":1,"chunk":1,"stage":"copy in","start_ms":2.0,"end_ms":4.0},
        {"slot":1,"chunk":1,"stage":"kernel","start_ms":5.0,"end_ms":8.0},
        {"slot":0,"chunk":0,"stage":"copy out","start_ms":5.0,"end_ms":6.0},
        {"slot":1,"chunk":1,"stage":"copy out","start_ms":8.0,"end_ms":10.0}]}]"#;

    #[test]
    fn the_suites_files_are_read() {
        let root = std::env::temp_dir().join(format!("criterion-{}", std::process::id()));
        let folder = root.join("batch/pipelined/1024/new");
        std::fs::create_dir_all(&folder).unwrap();
        let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
        let device = r#"{"name":"d","driver":"v","cpu":"c","date":"2026-01-02","quick":true}"#;
        write(&root.join("device.json"), device);
        write(&root.join("limits.json"), LIMITS);
        assert!(SuiteOutput::read(&root).is_err(), "nothing was measured");
        let benchmark = r#"{"group_id":"batch","function_id":"pipelined, 4 jobs",
            "value_str":"1024","throughput":{"Elements":4096},"full_id":"x"}"#;
        write(&folder.join("benchmark.json"), benchmark);
        let estimates = r#"{"mean":{"point_estimate":3000},"median":{"point_estimate":2048}}"#;
        write(&folder.join("estimates.json"), estimates);
        assert!(SuiteOutput::read(&root).unwrap().runs.is_empty());
        write(&root.join("timeline.json"), TIMELINE);
        let output = SuiteOutput::read(&root).unwrap();
        write(&root.join("timeline.json"), "{}");
        assert!(SuiteOutput::read(&root).is_err());
        std::fs::remove_dir_all(&root).unwrap();
        let expected = Measurement {
            group: "batch".to_owned(),
            function: "pipelined, 4 jobs".to_owned(),
            elements: 1024,
            median_ns: 2048.0,
            mean_ns: 3000.0,
            elements_per_second: 2e9,
        };
        assert_eq!(output.measurements, [expected]);
        assert_eq!((output.runs.len(), output.runs[0].spans.len()), (1, 6));
    }

    #[test]
    fn the_tightest_of_three_bounds_staged_additions() {
        let mut limits = limits();
        assert_eq!(limits.staged_additions(), 53e9 / 144.0);
        assert_eq!(limits.bus_additions(), 48e9 / 96.0);
        limits.host_to_device = 12e9;
        assert_eq!(limits.staged_additions(), 12e9 / 96.0);
        limits.device_to_host = 1e9;
        assert_eq!(limits.staged_additions(), 1e9 / 48.0);
    }
}
