//! The tests of this crate's public interface, in one executable: each is linked with
//! all of arkworks, which takes longer than any of them runs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod arithmetic;
mod ark;
mod chain;
mod curve;
mod extension;
mod linked;
mod modules;
mod oracles;
