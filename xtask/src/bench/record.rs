//! The record as text: one CSV row per measurement.

use super::suite_output::SuiteOutput;

/// The record as CSV (RFC 4180, but lines end in a line feed alone).
pub(crate) fn csv(output: &SuiteOutput) -> String {
    let columns = "group,function,elements,median_ns,mean_ns,elements_per_second";
    let rows = output.measurements.iter().map(|one| {
        format!(
            "{},{},{},{:.1},{:.1},{:.0}",
            quote(&one.group),
            quote(&one.function),
            one.elements,
            one.median_ns,
            one.mean_ns,
            one.elements_per_second
        )
    });
    under_heading(output, columns, rows)
}

/// The limits of the same run as CSV.
pub(crate) fn limits_csv(output: &SuiteOutput) -> String {
    let rows = output.limits.rows().into_iter();
    let rows = rows.map(|(name, rate)| format!("{name},{rate:.0}"));
    under_heading(output, "limit,bytes_per_second", rows)
}

fn under_heading(
    output: &SuiteOutput,
    columns: &str,
    rows: impl Iterator<Item = String>,
) -> String {
    let heading = &output.heading;
    let common = [
        &heading.date,
        &heading.revision,
        &heading.device,
        &heading.driver,
        &heading.cpu,
    ];
    let common = common.map(|value| quote(value)).join(",");
    let rows = rows.map(|row| format!("{common},{row}\n"));
    format!("date,revision,device,driver,cpu,{columns}\n") + &rows.collect::<String>()
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
    use crate::bench::suite_output::tests::{measurement, output};

    const HEADING: &str =
        "2026-01-02,abc123,\"soft (LLVM 15, 256 bits)\",a <driver>,\"a \"\"cpu\"\"\"";

    #[test]
    fn every_row_holds_the_heading() {
        let mut measurement = measurement("paths", "pipelined, reused", 64, 64e6);
        (measurement.median_ns, measurement.mean_ns) = (1000.04, 1001.0);
        let output = output(vec![measurement]);
        let text = csv(&output);
        let lines: Vec<_> = text.lines().collect();
        let row = "paths,\"pipelined, reused\",64,1000.0,1001.0,64000000";
        assert_eq!(lines[1], format!("{HEADING},{row}"));
        assert_eq!((lines[0].matches(',').count(), lines.len()), (10, 2));
        let text = limits_csv(&output);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], format!("{HEADING},device_copy,4000000000000"));
        assert_eq!((lines[0].matches(',').count(), lines.len()), (6, 7));
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
