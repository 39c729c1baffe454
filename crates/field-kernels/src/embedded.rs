//! How modules get into the crate.

/// The module's bytes in a folder that the build script chose; the parts of its name are
/// put together.
macro_rules! module {
    ($folder:literal, $($name:expr),+) => {
        include_bytes!(concat!(env!($folder), "/", $($name,)+ ".spv")) // missing: cargo xtask shaders
    };
}
