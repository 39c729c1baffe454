//! Which process something was made in.
//!
//! A forked child inherits handles and locks but no threads, neither ours nor the
//! driver's: nothing that a driver handed out may be called there, not even to destroy
//! it. What belongs to a device therefore looks here before it calls, several times in
//! every submission: so a fork is counted when it happens, and looking costs no system
//! call.

/// The process that made something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// This process.
    #[must_use]
    pub fn current() -> Self {
        Self(forks::so_far())
    }

    /// Whether this is still that process, and no child that was forked from it.
    #[must_use]
    pub fn is_current(self) -> bool {
        self == Self::current()
    }
}

#[cfg(unix)]
mod forks {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Forks between the process that looked first and this one.
    static COUNT: AtomicU32 = AtomicU32::new(0);

    /// Called in the child, between `fork` and its return.
    extern "C" fn count() {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }

    /// A number that differs between a process and its forked children; where forks
    /// cannot be counted, the process's id.
    pub(super) fn so_far() -> u32 {
        static COUNTED: OnceLock<bool> = OnceLock::new();
        let counted = *COUNTED.get_or_init(|| {
            // SAFETY: `count` only adds to an atomic, which may be done after a fork.
            unsafe { libc::pthread_atfork(None, None, Some(count)) == 0 }
        });
        match counted {
            true => COUNT.load(Ordering::Relaxed),
            false => std::process::id(),
        }
    }
}

/// Where there is no fork.
#[cfg(not(unix))]
mod forks {
    pub(super) fn so_far() -> u32 {
        0
    }
}
