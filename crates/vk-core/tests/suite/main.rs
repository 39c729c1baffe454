//! The tests of this crate's public interface, in one executable. What needs a process
//! of its own (an environment, switches of the validation layer) is an ignored test,
//! which another one runs in a child.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

mod device;
mod library_modules;
mod planted;
