//! What examples share: options, random elements, medians, tables.
#![allow(dead_code, unused_imports, reason = "each example uses a part of it")]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
/// Canonical ones, for a count and a seed.
pub(crate) use field_kernels::edge::random_elements as random;
use gpu_executor::Engine;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{VectorEngine, VectorReport};

/// How long a device is at work before it is timed: its clocks rise slowly.
const WARM_UP: Duration = Duration::from_millis(400);
/// How long samples are taken at most.
const MOST_SAMPLING: Duration = Duration::from_secs(2);

/// Where and how often it is measured.
#[derive(clap::Args)]
pub(crate) struct Measured {
    /// Compute on the CPU engine instead of a Vulkan device.
    #[arg(long)]
    pub(crate) cpu: bool,
    /// Timed runs of each; the median is shown. Fewer where they take more than two seconds.
    #[arg(long, default_value_t = 9)]
    pub(crate) samples: usize,
    /// Appends the rows of the table to this file.
    #[arg(long)]
    csv: Option<PathBuf>,
}

impl Measured {
    /// The CPU's engine, or a device's with timestamps, to tell the kernels' own time.
    pub(crate) fn engine(&self) -> Result<VectorEngine> {
        match self.cpu {
            true => Ok(VectorEngine::cpu()?),
            false => {
                let builder = PersistentVulkanBackend::builder().timestamps(true);
                Ok(builder.build()?.vectors()?)
            }
        }
    }

    /// Prints a table of `rows`, whose last cells are [`equal`]'s, and appends each to the file
    /// that was asked for as soon as it is there.
    ///
    /// # Errors
    /// What a row fails with; and, after the table, where one is not equal.
    pub(crate) fn table<const N: usize>(
        &self,
        engine: &VectorEngine,
        columns: [&str; N],
        rows: impl IntoIterator<Item = Result<[String; N]>>,
    ) -> Result<()> {
        let mut table = table(columns);
        let mut all_equal = true;
        for row in rows {
            let row = row?;
            all_equal &= row[N - 1] == EQUAL;
            if let Some(path) = &self.csv {
                append(path, &columns, engine, &row)?;
            }
            table.add_row(row);
        }
        println!("{table}");
        ensure!(all_equal, "expected equal results, found others");
        println!("{EQUAL}");
        Ok(())
    }
}

const EQUAL: &str = "equal";

/// Whether results are what they should be, for a table.
pub(crate) fn equal(is_so: bool) -> String {
    if is_so { EQUAL } else { "DIFFERENT" }.to_owned()
}

/// Runs for [`WARM_UP`] on a device, once at least on the CPU.
pub(crate) fn warm_up(engine: &VectorEngine, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    let begin = Instant::now();
    run()?;
    while !matches!(engine.engine(), Engine::Cpu { .. }) && begin.elapsed() < WARM_UP {
        run()?;
    }
    Ok(())
}

/// What `run` returned the last time, and the median of its times: once to warm up, and then
/// `samples` times or for [`MOST_SAMPLING`], once at least.
pub(crate) fn sampled<T>(
    samples: usize,
    mut run: impl FnMut() -> Result<(T, Duration)>,
) -> Result<(T, Duration)> {
    let mut result = run()?.0;
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || (times.len() < samples && begin.elapsed() <= MOST_SAMPLING) {
        let (next, time) = run()?;
        result = next;
        times.push(time);
    }
    Ok((result, median(times)))
}

/// Medians of what a submission took, once the device is warm.
pub(crate) struct Timed {
    /// By the device's clock, where it has one.
    pub(crate) device: Option<Duration>,
    /// As `run` says, by the host's.
    pub(crate) total: Duration,
}

/// Times `run`, which returns what came of a submission, what it took by the host's clock, and
/// its report; of both the last.
pub(crate) fn timed<T>(
    engine: &VectorEngine,
    samples: usize,
    run: impl Fn() -> Result<(T, Duration, VectorReport)>,
) -> Result<(T, Timed, VectorReport)> {
    warm_up(engine, || run().map(drop))?;
    let mut device = Vec::new();
    let ((result, report), total) = sampled(samples, || {
        let (result, time, report) = run()?;
        device.push(report.device_time);
        Ok(((result, report), time))
    })?;
    // The first one warms up.
    let device: Option<Vec<Duration>> = device.drain(1..).collect();
    let device = device.map(median);
    Ok((result, Timed { device, total }, report))
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A table with these columns.
pub(crate) fn table<T: Into<comfy_table::Row>>(columns: T) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(columns);
    table
}

/// Milliseconds, for a table, where they are known.
pub(crate) fn ms_or_dash(time: Option<Duration>) -> String {
    time.map_or("-".to_owned(), ms)
}

/// Milliseconds, for a table.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.4}", time.as_secs_f64() * 1e3)
}

/// Appends a row to a file of comma-separated values, and before the first the columns.
fn append(path: &Path, columns: &[&str], engine: &VectorEngine, row: &[String]) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    if file.metadata()?.len() == 0 {
        writeln!(file, "engine,{}", columns.join(","))?;
    }
    let cells = [engine.engine().to_string()];
    let cells = cells.iter().chain(row).map(|it| it.replace(',', ""));
    writeln!(file, "{}", cells.collect::<Vec<_>>().join(","))?;
    Ok(())
}
