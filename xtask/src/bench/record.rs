//! The record as text: one CSV row per measurement.

use std::fmt::Write as _;

use super::measurements::Measurement;

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
}

const COLUMNS: &str = "date,revision,device,driver,cpu,group,function,elements,\
                       median_ns,mean_ns,elements_per_second\n";

/// The record as CSV (RFC 4180, but lines end in a line feed alone).
pub(crate) fn csv(heading: &Heading, measurements: &[Measurement]) -> String {
    let mut text = COLUMNS.to_owned();
    let common = [
        &heading.date,
        &heading.revision,
        &heading.device,
        &heading.driver,
        &heading.cpu,
    ]
    .map(|value| quote(value))
    .join(",");
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
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_the_heading_and_the_measurement() {
        let heading = Heading {
            date: "2026-01-02".to_owned(),
            revision: "abc".to_owned(),
            device: "soft (LLVM 15, 256 bits)".to_owned(),
            driver: "a \"driver\"".to_owned(),
            cpu: "cpu".to_owned(),
        };
        let measurement = Measurement {
            group: "paths".to_owned(),
            function: "pipelined".to_owned(),
            elements: 64,
            median_ns: 1000.04,
            mean_ns: 1001.0,
            elements_per_second: 64e6,
        };
        let text = csv(&heading, &[measurement]);
        assert_eq!(
            text.lines().nth(1).unwrap(),
            "2026-01-02,abc,\"soft (LLVM 15, 256 bits)\",\"a \"\"driver\"\"\",cpu,\
             paths,pipelined,64,1000.0,1001.0,64000000"
        );
        assert_eq!(COLUMNS.matches(',').count(), 10);
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
