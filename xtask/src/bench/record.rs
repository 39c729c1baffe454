//! The record as text: one CSV row per measurement.

use std::fmt::Write as _;

use super::left::{Limits, Measurement};

/// What every row of one record has in common.
pub(crate) struct Heading {
    /// The day of the run, `YYYY-MM-DD`.
    pub(crate) date: String,
    /// The commit that was measured.
    pub(crate) revision: String,
    /// The Vulkan device's name.
    pub(crate) device: String,
    /// The driver's name and version.
    pub(crate) driver: String,
    /// The CPU's name and threads.
    pub(crate) cpu: String,
    /// The command that measures this again.
    pub(crate) command: String,
    /// Whether it was the quick plan, which is not for publishing.
    pub(crate) quick: bool,
}

const COMMON: &str = "date,revision,device,driver,cpu";
const COLUMNS: &str = "group,function,elements,median_ns,mean_ns,elements_per_second";
const LIMIT_COLUMNS: &str = "limit,bytes_per_second";

/// The record as CSV (RFC 4180, but lines end in a line feed alone).
pub(crate) fn csv(heading: &Heading, measurements: &[Measurement]) -> String {
    let mut text = format!("{COMMON},{COLUMNS}\n");
    let common = common(heading);
    for one in measurements {
        // Writing to a `String` does not fail.
        let _ = writeln!(
            text,
            "{common},{},{},{},{:.1},{:.1},{:.0}",
            quote(&one.group),
            quote(&one.function),
            one.elements,
            one.median_ns,
            one.mean_ns,
            one.elements_per_second
        );
    }
    text
}

/// The limits of the same run as CSV.
pub(crate) fn limits_csv(heading: &Heading, limits: &Limits) -> String {
    let mut text = format!("{COMMON},{LIMIT_COLUMNS}\n");
    let common = common(heading);
    for (name, rate) in limits.rows() {
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "{common},{name},{rate:.0}");
    }
    text
}

fn common(heading: &Heading) -> String {
    let values = [
        &heading.date,
        &heading.revision,
        &heading.device,
        &heading.driver,
        &heading.cpu,
    ];
    values.map(|value| quote(value)).join(",")
}

/// A device's name as a folder name: `llvmpipe (LLVM 15)` is `llvmpipe-llvm-15`.
pub(crate) fn slug(name: &str) -> String {
    let parts: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if parts.is_empty() {
        "unnamed-device".to_owned()
    } else {
        parts.join("-")
    }
}

fn quote(value: &str) -> String {
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::bench::left::tests::{limits, measurement};

    pub(crate) fn heading() -> Heading {
        Heading {
            date: "2026-01-02".to_owned(),
            revision: "abc123".to_owned(),
            device: "soft (LLVM 15, 256 bits)".to_owned(),
            driver: "a <driver>".to_owned(),
            cpu: "a \"cpu\"".to_owned(),
            command: "cargo xtask bench --quick".to_owned(),
            quick: true,
        }
    }

    const HEADING: &str =
        "2026-01-02,abc123,\"soft (LLVM 15, 256 bits)\",a <driver>,\"a \"\"cpu\"\"\"";

    #[test]
    fn a_row_holds_the_heading_and_the_measurement() {
        let mut measurement = measurement("paths", "pipelined, reused", 64, 64e6);
        (measurement.median_ns, measurement.mean_ns) = (1000.04, 1001.0);
        let text = csv(&heading(), &[measurement]);
        let lines: Vec<_> = text.lines().collect();
        let row = "paths,\"pipelined, reused\",64,1000.0,1001.0,64000000";
        assert_eq!(lines[1], format!("{HEADING},{row}"));
        assert_eq!(lines[0].matches(',').count(), 10);
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn every_limit_is_a_row() {
        let text = limits_csv(&heading(), &limits());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], format!("{HEADING},device_copy,4000000000000"));
        assert_eq!(lines[0].matches(',').count(), 6);
        assert_eq!(lines.len(), 7);
    }

    #[test]
    fn device_names_become_folder_names() {
        assert_eq!(
            slug("llvmpipe (LLVM 15.0.6, 256 bits)"),
            "llvmpipe-llvm-15-0-6-256-bits"
        );
        assert_eq!(slug("NVIDIA H200"), "nvidia-h200");
        assert_eq!(slug("../.."), "unnamed-device");
    }
}
