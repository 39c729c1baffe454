//! Bytes of a block, and what is done with them.

use std::ops::Range;
use std::sync::Arc;

use super::Block;
use crate::Error;

/// How a step uses a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads it.
    Read,
    /// Writes it, or reads and writes it.
    Write,
}

/// Bytes of a block, and how a step uses them.
#[derive(Clone)]
pub struct Region {
    /// The block.
    pub block: Arc<Block>,
    /// The bytes, counted from the block's start.
    pub range: Range<usize>,
    /// Read or written.
    pub access: Access,
}

impl Region {
    /// `range` of `block`, for a step that uses it as `access` says.
    pub(crate) fn new(block: &Arc<Block>, range: Range<usize>, access: Access) -> Self {
        Self {
            block: Arc::clone(block),
            range,
            access,
        }
    }

    pub(crate) fn expect_inside(&self) -> Result<(), Error> {
        let (range, bytes) = (&self.range, self.block.bytes());
        match range.start < range.end && range.end <= bytes {
            true => Ok(()),
            false => Err(Error::Internal {
                what: format!("expected a region inside a block of {bytes} bytes, found {range:?}"),
            }),
        }
    }
}
