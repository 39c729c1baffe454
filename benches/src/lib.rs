//! What the benchmarks share: random inputs with their sums, and the sizes.
//!
//! The suite itself is `suite/`; `cargo xtask bench` runs it and keeps a
//! dated record.

mod jobs;
mod plan;

pub use jobs::Jobs;
pub use plan::Plan;
