//! What kernels are bound to, and their dispatches: the other half of what the families of
//! operations are made of on a device.

use std::ops::Range;
use std::sync::Arc;

use field_kernels::chain::{CONSTANT_WORDS, Chain, Input, MAX_INPUTS};
use field_kernels::{Arithmetic, ElementId, ElementOperation, VectorKernel};
use vk_core::{ComputePipeline, DeviceCaps, DeviceKind};
use vk_mem_paths::{Access, Region, Step, Storage, most_dispatched};

use super::pieces::{pieces, window};
use super::steps::{CONSTANT_STRIDE, Steps};
use crate::Error;
use crate::vectors::program::{Argument, Source};
use crate::vectors::runner::internal;

/// Bytes to bind, and where in them the elements begin, in parts of 16 bytes.
#[derive(Clone)]
pub(crate) struct Window {
    pub(crate) region: Region,
    pub(crate) start: u32,
}

impl Window {
    /// All bytes of `storage`, to be written.
    pub(crate) fn on(storage: &Storage) -> Self {
        let region = storage.region(0..storage.bytes(), Access::Write);
        Self { region, start: 0 }
    }

    /// The same, to be read.
    pub(crate) fn to_read(&self) -> Self {
        let mut read = self.clone();
        read.region.access = Access::Read;
        read
    }
}

/// Items that a workgroup takes at the least, where there are enough for all of the device:
/// 16 an invocation.
const ITEMS_OF_A_GROUP: usize = 16 * 128;
/// Workgroups that fill a software device.
const GROUPS_OF_SOFTWARE: usize = 256;

impl Steps<'_> {
    /// `elements` of an argument (of a scalar its one element), to be read.
    pub(crate) fn input(
        &self,
        argument: &Argument,
        elements: &Range<usize>,
    ) -> Result<Window, Error> {
        let storage = self.source(argument.source)?;
        if let Source::Constant(number) = argument.source {
            let first = number * CONSTANT_STRIDE;
            let bytes = first..first + argument.of.bytes();
            return Ok(Window {
                region: storage.region(bytes, Access::Read),
                start: 0,
            });
        }
        let elements = match argument.scalar {
            true => argument.start..argument.start + 1,
            false => argument.start + elements.start..argument.start + elements.end,
        };
        Ok(self.window(storage, argument.of, &elements, Access::Read))
    }

    /// All of `storage`, to be written.
    pub(crate) fn output(&self, of: ElementId, storage: &Storage) -> Window {
        let elements = 0..storage.bytes() / of.bytes();
        self.window(storage, of, &elements, Access::Write)
    }

    pub(crate) fn window(
        &self,
        storage: &Storage,
        of: ElementId,
        elements: &Range<usize>,
        access: Access,
    ) -> Window {
        let alignment = self.kernels.caps().limits.storage_buffer_alignment;
        let (bytes, start) = window(elements, of.bytes(), alignment);
        Window {
            region: storage.region(bytes, access),
            start,
        }
    }

    /// `elements` elements in the ranges that one dispatch takes of which each workgroup has
    /// `group`, or more: as many as it has invocations, where there is one for an element. A piece
    /// may begin anywhere, and be smaller than `group` where dispatches are.
    pub(crate) fn pieces(&self, of: ElementId, elements: usize, group: usize) -> Vec<Range<usize>> {
        pieces(elements, self.most_of_a_dispatch(of, group), group)
    }

    /// Likewise, whole blocks of `block` elements, for each of which there is a workgroup.
    pub(crate) fn blocks(&self, of: ElementId, elements: usize, block: usize) -> Vec<Range<usize>> {
        pieces(
            elements,
            self.most_of_a_dispatch(of, block).max(block),
            block,
        )
    }

    /// The most elements of one dispatch, `group` of them for each workgroup.
    pub(crate) fn most_of_a_dispatch(&self, of: ElementId, group: usize) -> usize {
        let most = self.most_bound(of, group);
        self.chunk(most)
    }

    /// Of so many elements, as many as are to be taken at once.
    pub(crate) fn chunk(&self, most: usize) -> usize {
        self.chunk.map_or(most, |chunk| chunk.min(most))
    }

    /// The most elements of a vector that is bound as a whole, `group` of them for each
    /// workgroup.
    pub(crate) fn most_bound(&self, of: ElementId, group: usize) -> usize {
        most_dispatched(self.kernels.caps(), of.bytes(), group)
    }

    /// The most bytes of one binding that are bound from the start of their memory.
    pub(crate) fn most_bytes(&self) -> usize {
        let most = self.kernels.caps().limits.max_storage_buffer_range;
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// The most workgroups of one dispatch, of `group` elements each.
    pub(crate) fn most_groups(&self, group: usize) -> usize {
        let most = usize::try_from(self.kernels.caps().limits.max_workgroups_x);
        let most = most.unwrap_or(usize::MAX);
        let chunk = self.chunk.map_or(most, |chunk| chunk.div_ceil(group));
        chunk.clamp(1, most)
    }

    pub(crate) fn caps(&self) -> &DeviceCaps {
        self.kernels.caps()
    }

    pub(crate) fn arithmetic(&self, field: ElementId) -> Arithmetic {
        self.kernels.arithmetic(field)
    }

    /// Workgroups that share `items` items, one an invocation and round; `most` at most.
    pub(crate) fn groups(&self, most: usize, items: usize) -> usize {
        let most = match self.kernels.caps().kind {
            DeviceKind::Software => GROUPS_OF_SOFTWARE,
            _ => most,
        };
        items.div_ceil(ITEMS_OF_A_GROUP).clamp(1, most)
    }

    /// A dispatch of a kernel, by the arithmetic that was chosen for `field`, with so many
    /// invocations.
    pub(crate) fn dispatch(
        &mut self,
        kernel: &'static VectorKernel,
        field: ElementId,
        buffers: &[&Window],
        constants: &[u32],
        invocations: usize,
    ) -> Result<(), Error> {
        let groups = invocations.div_ceil(kernel.group_size as usize);
        self.dispatch_groups(kernel, field, buffers, constants, groups)
    }

    /// As [`Self::dispatch`], with so many workgroups.
    pub(crate) fn dispatch_groups(
        &mut self,
        kernel: &'static VectorKernel,
        field: ElementId,
        buffers: &[&Window],
        constants: &[u32],
        groups: usize,
    ) -> Result<(), Error> {
        let size = kernel.group_size;
        self.dispatch_groups_of(size, kernel, field, buffers, constants, groups)
    }

    /// As [`Self::dispatch_groups`], of `size` invocations each, for a kernel that leaves open
    /// how many these are.
    pub(crate) fn dispatch_groups_of(
        &mut self,
        size: u32,
        kernel: &'static VectorKernel,
        field: ElementId,
        buffers: &[&Window],
        constants: &[u32],
        groups: usize,
    ) -> Result<(), Error> {
        let pipeline = self.kernels.whole(kernel, field, size)?;
        let buffers = buffers.iter().map(|it| it.region.clone()).collect();
        self.push(pipeline, buffers, constants.to_vec(), groups)
    }

    /// Runs an operation on elements by itself, over all of a window, in place.
    pub(crate) fn each_in_place(
        &mut self,
        operation: &'static ElementOperation,
        field: ElementId,
        elements: usize,
        place: &Window,
    ) -> Result<(), Error> {
        let chain = Chain::of(operation, &[Input::Vector]);
        let mut constants = vec![0; CONSTANT_WORDS];
        constants[0] = count(elements)?;
        constants[1] = place.start;
        constants[1 + MAX_INPUTS] = place.start;
        let buffers = vec![place.to_read().region, place.region.clone()];
        let pipeline = self.kernels.chain(field, &chain)?;
        let groups = elements.div_ceil(pipeline.shape().workgroup_size as usize);
        self.push(pipeline, buffers, constants, groups)
    }

    pub(super) fn push(
        &mut self,
        pipeline: Arc<ComputePipeline>,
        buffers: Vec<Region>,
        constants: Vec<u32>,
        groups: usize,
    ) -> Result<(), Error> {
        self.steps.push(Step::Dispatch {
            pipeline,
            buffers,
            constants,
            workgroups: count(groups)?,
        });
        self.kernel_count += 1;
        Ok(())
    }

    /// Copies `elements` of an argument to `to`, from the byte `first` on.
    pub(crate) fn copy(
        &mut self,
        argument: &Argument,
        elements: &Range<usize>,
        to: &Storage,
        first: usize,
    ) -> Result<(), Error> {
        let bytes = elements.len() * argument.of.bytes();
        if bytes == 0 {
            return Ok(());
        }
        let begin = match argument.source {
            Source::Constant(number) => number * CONSTANT_STRIDE,
            _ => (argument.start + elements.start) * argument.of.bytes(),
        };
        let from = self.source(argument.source)?;
        let from = from.region(begin..begin + bytes, Access::Read);
        self.copy_region(from, to.region(first..first + bytes, Access::Write));
        Ok(())
    }

    /// Copies between two regions of equal length that do not overlap.
    pub(crate) fn copy_region(&mut self, from: Region, to: Region) {
        self.steps.push(Step::Copy { from, to });
    }

    /// Writes zeros: a multiple of 4 bytes.
    pub(crate) fn zero(&mut self, to: Region) {
        self.steps.push(Step::Zero { to });
    }

    /// Writes what the host knows to the start of `storage`: a multiple of 4 bytes.
    pub(crate) fn write(&mut self, storage: &Storage, bytes: &[u8]) {
        for (number, part) in bytes.chunks(Step::MOST_WRITTEN).enumerate() {
            let first = number * Step::MOST_WRITTEN;
            self.steps.push(Step::Write {
                to: storage.region(first..first + part.len(), Access::Write),
                bytes: part.to_vec(),
            });
        }
    }
}

/// A number of what a kernel counts in 32 bits.
pub(crate) fn count(number: usize) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| internal("a count in 32 bits"))
}
