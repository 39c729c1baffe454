//! What examples share: random elements, medians, tables.
#![allow(dead_code, unused_imports, reason = "each example uses a part of it")]

use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
/// Canonical ones, for a count and a seed.
pub(crate) use field_kernels::edge::random_elements as random;

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

/// Milliseconds, for a table.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.4}", time.as_secs_f64() * 1e3)
}
