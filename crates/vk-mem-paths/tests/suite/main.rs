//! The tests of this crate's public interface, in one executable.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod lane_setup;

mod lane;
mod lane_refused;
mod timeline;
mod transfer;
