//! The host's threads, and what they copy.

mod fresh;
pub(crate) mod host_copy;
mod thread_pool;

pub(crate) use fresh::Ahead;
pub use fresh::advise_huge_pages;
pub use host_copy::{CheckedCopy, ElementFormat, Least, Refused};
pub use thread_pool::ThreadPool;
