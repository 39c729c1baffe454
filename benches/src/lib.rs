//! What the benchmarks share: random inputs with their sums, the sizes, and
//! the machine's description.
//!
//! The suite itself is `suite/`; `cargo xtask bench` runs it and keeps a
//! dated record.

mod jobs;
pub mod machine;
mod plan;

pub use jobs::Jobs;
pub use plan::Plan;
