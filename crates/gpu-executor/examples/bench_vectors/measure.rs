//! Figures: how they are taken, compared and written.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use field_kernels::PrimeField;
use gpu_executor::vectors::{FieldVec, Queue, VectorEngine};

pub(crate) use crate::support::{median, random};

/// How long a device is at work before it is timed: its clocks rise slowly.
pub(crate) const WARM_UP: Duration = Duration::from_millis(700);

/// One figure.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) elements: usize,
    pub(crate) time: Duration,
    /// Bytes that it reads and writes, where that bounds it.
    pub(crate) bytes: usize,
}

impl Row {
    /// One that memory does not bound.
    pub(crate) fn new(name: impl Into<String>, elements: usize, time: Duration) -> Self {
        Self {
            name: name.into(),
            elements,
            time,
            bytes: 0,
        }
    }

    /// One that reads and writes `moved` elements of a field for each of its own.
    pub(crate) fn moving<F: PrimeField>(self, moved: usize) -> Self {
        let bytes = moved * self.elements * F::BYTES;
        Self { bytes, ..self }
    }
}

/// The median time of a submission by the device's clock, and the last result.
pub(crate) fn device_time<F: PrimeField>(
    engine: &VectorEngine,
    rounds: usize,
    record: impl Fn(&Queue) -> gpu_executor::Result<FieldVec<F>>,
) -> Result<(Duration, FieldVec<F>)> {
    let run = || {
        let queue = engine.queue();
        let result = record(&queue)?;
        let done = queue.submit()?.wait()?;
        let report = done.report();
        anyhow::Ok((report.device_time.unwrap_or(report.total), result))
    };
    // A device rests, and its clocks fall, while the driver compiles for the first one.
    let (_, mut last) = run()?;
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < rounds {
        let (time, result) = run()?;
        if begun.elapsed() > WARM_UP {
            times.push(time);
        }
        last = result;
    }
    Ok((median(times), last))
}

/// The median time of a call by the host's clock.
pub(crate) fn host_time(rounds: usize, call: impl Fn() -> Result<()>) -> Result<Duration> {
    call()?;
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < rounds {
        let start = Instant::now();
        call()?;
        if begun.elapsed() > WARM_UP {
            times.push(start.elapsed());
        }
    }
    Ok(median(times))
}

/// The elements of a vector of either field.
pub(crate) fn downloaded<F: PrimeField>(vector: &FieldVec<F>) -> Result<Vec<F::Limbs>> {
    Ok(F::elements(&vector.download::<u64>()?)?.to_vec())
}

/// The most that moves in a second, by copy commands or by the copying kernel.
pub(crate) fn best_copy(commands: f64, rows: &[Row]) -> f64 {
    let copies = rows.iter().filter(|row| row.name.ends_with(" copy"));
    copies.map(|row| rates(row).1).fold(commands, f64::max)
}

pub(crate) fn report(rows: &[Row], copy: f64) {
    println!("device copy: {:.0} GB/s", copy / 1e9);
    for row in rows {
        let (rate, bandwidth) = rates(row);
        print!(
            "{:42} {:>10} {:>12.3?} {rate:9.3} G/s",
            row.name, row.elements, row.time
        );
        match row.bytes {
            0 => println!(),
            _ => println!(
                " {:8.0} GB/s {:6.3} of copy",
                bandwidth / 1e9,
                bandwidth / copy
            ),
        }
    }
}

/// 10^9 elements per second, and bytes per second.
#[expect(clippy::cast_precision_loss, reason = "rates for people to read")]
fn rates(row: &Row) -> (f64, f64) {
    let seconds = row.time.as_secs_f64();
    (
        row.elements as f64 / seconds / 1e9,
        row.bytes as f64 / seconds,
    )
}

pub(crate) fn write_csv(path: &Path, rows: &[Row], copy: f64) -> Result<()> {
    let mut text = String::from(
        "name,elements,nanoseconds,elements_per_second,bytes_per_second,of_device_copy\n",
    );
    for row in rows {
        let (rate, bandwidth) = rates(row);
        let name = row.name.replace(',', ";");
        writeln!(
            text,
            "{name},{},{},{:.0},{bandwidth:.0},{:.4}",
            row.elements,
            row.time.as_nanos(),
            rate * 1e9,
            bandwidth / copy
        )?;
    }
    writeln!(text, "device copy,0,0,0,{copy:.0},1")?;
    Ok(std::fs::write(path, text)?)
}
