//! What the benchmarks share: random inputs with what must come of them, the
//! sizes, and the machine's description.
//!
//! The suite itself is `suite/`; `cargo xtask bench` runs it and keeps a
//! dated record.

mod elements;
mod jobs;
pub mod machine;
mod operands;
mod plan;

pub use jobs::Jobs;
pub use operands::{Expected, Operands};
pub use plan::Plan;
