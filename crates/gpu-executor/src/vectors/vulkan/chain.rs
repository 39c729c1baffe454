//! Element-wise chains: one dispatch for each piece.

use std::sync::Arc;

use field_kernels::chain::{CONSTANT_WORDS, MAX_INPUTS};
use vk_mem_paths::{Access, Storage};

use super::dispatch::count;
use super::pieces::pieces;
use super::steps::Steps;
use crate::Error;
use crate::vectors::plan::ChainWork;

impl Steps<'_> {
    pub(super) fn chain(&mut self, work: &ChainWork) -> Result<(), Error> {
        if work.elements == 0 {
            return Ok(());
        }
        let operation = self.kernels.chain(work.field, &work.chain)?;
        let outputs = self.outputs(work)?;
        let group = operation.shape().workgroup_size as usize;
        let most = self.most_of_a_dispatch(work.field, group);
        for piece in pieces(work.elements, most, group) {
            let mut constants = vec![0; CONSTANT_WORDS];
            constants[0] = count(piece.len())?;
            let mut buffers = Vec::with_capacity(work.chain.bindings());
            for (place, argument) in work.inputs.iter().enumerate() {
                let input = self.input(argument, &piece)?;
                constants[1 + place] = input.start;
                buffers.push(input.region);
            }
            for (place, output) in outputs.iter().enumerate() {
                let output = self.window(output, work.field, &piece, Access::Write);
                constants[1 + MAX_INPUTS + place] = output.start;
                buffers.push(output.region);
            }
            let groups = piece.len().div_ceil(group);
            self.push(Arc::clone(&operation), buffers, constants, groups)?;
        }
        for (result, output) in work.outputs.iter().zip(outputs) {
            self.set(*result, output);
        }
        Ok(())
    }

    /// Memory for the results. The first may overwrite an argument that nobody
    /// needs any more: each invocation reads its elements before it writes them.
    fn outputs(&mut self, work: &ChainWork) -> Result<Vec<Arc<Storage>>, Error> {
        let bytes = work.elements * work.field.bytes();
        let mut free = self.free_argument(&work.inputs, bytes);
        let take = |_| match free.take() {
            Some(storage) => Ok(storage),
            None => self.take(work.field, work.elements).map(Arc::new),
        };
        work.outputs.iter().map(take).collect()
    }
}
