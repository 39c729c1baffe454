//! Which process something was made in.
//!
//! A forked child inherits handles and locks but no threads, neither ours nor the
//! driver's: nothing that a driver handed out may be called there, not even to destroy
//! it. What belongs to a device therefore looks here before it calls.

/// The process that made something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// This process.
    #[must_use]
    pub fn current() -> Self {
        Self(std::process::id())
    }

    /// Whether this is still that process, and no child that was forked from it.
    #[must_use]
    pub fn is_current(self) -> bool {
        self == Self::current()
    }
}
