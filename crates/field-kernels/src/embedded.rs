//! How modules get into the crate.

/// The module's bytes in a folder that the build script chose.
macro_rules! module {
    ($folder:literal, $name:literal) => {
        include_bytes!(concat!(env!($folder), "/", $name, ".spv"))
    };
}
