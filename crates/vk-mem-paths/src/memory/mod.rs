//! Memory that a device reaches, by what it is used for.
//!
//! A [`Block`] is a buffer with its memory, wherever that is. The host reaches it through
//! `UploadBuffer`, `ReadbackBuffer` or [`HostBuffer`](crate::HostBuffer) alone. Vectors
//! live in [`Storage`], whose blocks come from a [`StoragePool`].

mod block;
mod host;
mod placement;
mod pool;

pub(crate) use block::Memory;
pub use block::{Access, AllocatedMemory, Block, Region};
pub(crate) use host::{ReadbackBuffer, UploadBuffer};
pub use placement::{MemoryUse, rank_memory_types};
pub use pool::{BatchMemory, Storage, StoragePool};
