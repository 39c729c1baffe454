//! What the benchmarks share: random inputs, jobs with what must come of them, the
//! sizes, and the machine's description.
//!
//! The suite itself is `suite/`; `cargo xtask bench` runs it and keeps a
//! dated record.

mod elements;
mod jobs;
pub mod machine;
mod plan;

pub use elements::random;
pub use jobs::Jobs;
pub use plan::Plan;
