//! The tests of this crate's public interface, in one executable.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod fixture;
#[cfg(feature = "shaderc")]
mod module;

mod check;
#[cfg(feature = "shaderc")]
mod compile;
#[cfg(feature = "shaderc")]
mod variants;
