//! What a batch is made of.

use std::sync::Arc;

use vk_core::{ComputePipeline, DeviceCaps};

use crate::Error;
use crate::memory::Region;

/// The most elements of `element_bytes` bytes that one dispatch takes on a device with `caps`
/// by a kernel with `group` invocations in a workgroup, one for each element: by the range of
/// a binding, with room for its alignment, by the workgroups, and by the 32 bits in which
/// kernels count elements and parts of 16 bytes.
#[must_use]
pub fn most_dispatched(caps: &DeviceCaps, element_bytes: usize, group: usize) -> usize {
    let limits = &caps.limits;
    let range = limits.max_storage_buffer_range.min(1 << 35);
    let room = range.saturating_sub(limits.storage_buffer_alignment);
    let bound = room / element_bytes.max(1) as u64;
    let dispatched = u64::from(limits.max_workgroups_x).saturating_mul(group as u64);
    usize::try_from(bound.min(dispatched).min(1 << 31)).unwrap_or(usize::MAX)
}

/// One thing for the device to do.
pub enum Step {
    /// Runs a kernel.
    Dispatch {
        /// The pipeline.
        pipeline: Arc<ComputePipeline>,
        /// What is bound at 0, 1, 2 and so on. The offsets of the ranges are
        /// multiples of the device's alignment for storage buffers.
        buffers: Vec<Region>,
        /// The push constants: as many words as the module declares.
        constants: Vec<u32>,
        /// Workgroups along x.
        workgroups: u32,
    },
    /// Copies between two regions of equal length that do not overlap.
    Copy {
        /// Read.
        from: Region,
        /// Written.
        to: Region,
    },
    /// Writes a few bytes that the host knows: at most 65,536, a multiple of 4.
    Write {
        /// Written; as long as `bytes`.
        to: Region,
        /// What is written.
        bytes: Vec<u8>,
    },
    /// Writes zeros.
    Zero {
        /// Written; a multiple of 4 bytes, at a multiple of 4.
        to: Region,
    },
}

impl Step {
    /// Bytes of one [`Step::Write`] at most, by the specification.
    pub const MOST_WRITTEN: usize = 65_536;

    pub(super) fn regions(&self) -> impl Iterator<Item = &Region> {
        let (many, some): (&[Region], [Option<&Region>; 2]) = match self {
            Self::Dispatch { buffers, .. } => (buffers, [None, None]),
            Self::Copy { from, to } => (&[], [Some(from), Some(to)]),
            Self::Write { to, .. } | Self::Zero { to } => (&[], [Some(to), None]),
        };
        many.iter().chain(some.into_iter().flatten())
    }

    /// The pipeline that it runs, with what it binds.
    pub(super) fn dispatch(&self) -> Option<(&Arc<ComputePipeline>, &[Region])> {
        match self {
            Self::Dispatch {
                pipeline, buffers, ..
            } => Some((pipeline, buffers)),
            Self::Copy { .. } | Self::Write { .. } | Self::Zero { .. } => None,
        }
    }

    pub(super) fn expect_sound(&self) -> Result<(), Error> {
        self.regions().try_for_each(Region::expect_inside)?;
        match self {
            Self::Dispatch {
                pipeline,
                buffers,
                constants,
                workgroups,
            } => {
                let (shape, limits) = (pipeline.shape(), &pipeline.device().caps().limits);
                expect("buffers of a dispatch", shape.bindings, buffers.len())?;
                for buffer in buffers {
                    let alignment = limits.storage_buffer_alignment;
                    expect_multiple("a binding's first byte", alignment, buffer.range.start)?;
                }
                let (most, found) = (limits.max_workgroups_x as usize, *workgroups as usize);
                expect("workgroups of a dispatch at most", found.min(most), found)?;
                let bytes = shape.push_constant_bytes as usize;
                expect("bytes of push constants", bytes, 4 * constants.len())
            }
            Self::Copy { from, to } => {
                expect_apart(from, to)?;
                expect("bytes to copy to", from.range.len(), to.range.len())
            }
            Self::Write { to, bytes } => {
                let found = bytes.len();
                expect_multiple("a write's first byte", 4, to.range.start)?;
                expect_multiple("the bytes of a write", 4, found)?;
                expect(
                    "bytes to write at most",
                    found.min(Self::MOST_WRITTEN),
                    found,
                )?;
                expect("bytes to write", to.range.len(), found)
            }
            Self::Zero { to } => {
                expect_multiple("the first byte of zeros", 4, to.range.start)?;
                expect_multiple("the bytes of zeros", 4, to.range.len())
            }
        }
    }
}

/// Of one block, what is read and what is written.
fn expect_apart(from: &Region, to: &Region) -> Result<(), Error> {
    let (a, b) = (&from.range, &to.range);
    let overlap = a.start < b.end && b.start < a.end;
    match Arc::ptr_eq(&from.block, &to.block) && overlap {
        false => Ok(()),
        true => {
            let found = format_args!("{a:?} and {b:?}");
            Err(Error::internal(
                "a copy between regions that are apart",
                found,
            ))
        }
    }
}

fn expect_multiple(what: &str, of: u64, found: usize) -> Result<(), Error> {
    match (found as u64).is_multiple_of(of.max(1)) {
        true => Ok(()),
        false => {
            let expected = format_args!("{what} to be a multiple of {of}");
            Err(Error::internal(expected, found))
        }
    }
}

fn expect(what: &str, expected: usize, found: usize) -> Result<(), Error> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::internal(format_args!("{expected} {what}"), found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::recorded;

    #[test]
    fn the_tightest_limit_counts() {
        let mut caps = recorded::h200();
        assert_eq!(most_dispatched(&caps, 48, 128), 89_478_484);
        caps = recorded::llvmpipe();
        assert_eq!(most_dispatched(&caps, 48, 128), 2_796_202);
        caps.limits.max_workgroups_x = 100;
        assert_eq!(most_dispatched(&caps, 32, 128), 12_800);
    }
}
