//! Faults injected into the driver, and what the library makes of them.
//!
//! The library of this crate is a Vulkan layer ([`LAYER_NAME`]): between a
//! program and the driver it makes the Nth call of an entry point return a
//! result that the specification allows, counts calls, and counts the objects
//! that are alive. It sees every call of the unmodified `gpu-executor`, those
//! of its memory allocator included. `Control` steers it.
//!
//! [`sweep`] runs `gpu-executor` under one fault after the other, in child
//! processes, and judges what becomes of each. For tests only; not published.

mod control;
mod layer;
pub mod manifest;
mod state;
pub mod sweep;

pub use layer::{LAYER_NAME, vk_faults_negotiate};
pub use state::{Counts, Fault, Mode, Pretence};
