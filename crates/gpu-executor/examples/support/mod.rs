//! What examples share: random elements, medians, tables.
#![allow(dead_code, reason = "each example uses a part of it")]

use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use field_kernels::{PrimeField, edge};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// `count` random canonical elements.
pub(crate) fn random<F: PrimeField>(count: usize, seed: u64) -> Vec<F::Limbs> {
    let mut random = SmallRng::seed_from_u64(seed);
    let elements = std::iter::repeat_with(|| edge::random::<F>(|| random.next_u64()));
    elements.take(count).collect()
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

/// Milliseconds, for a table.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.4}", time.as_secs_f64() * 1e3)
}
