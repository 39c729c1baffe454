//! Element-wise chains: one dispatch for each piece.

use std::sync::Arc;

use field_kernels::chain::{CONSTANT_WORDS, MAX_INPUTS};
use vk_mem_paths::Storage;

use super::WRITE;
use super::pieces::{most_elements, pieces};
use super::steps::Steps;
use crate::Error;
use crate::vectors::plan::ChainStage;

impl Steps<'_> {
    pub(super) fn chain(&mut self, number: usize, stage: &ChainStage) -> Result<(), Error> {
        if stage.elements == 0 {
            return Ok(());
        }
        let operation = self.kernels.chain(stage.field, &stage.chain)?;
        let outputs = self.outputs(number, stage)?;
        let group = operation.shape().workgroup_size;
        for piece in pieces(stage.elements, self.most(stage, group), group as usize) {
            let mut constants = vec![0; CONSTANT_WORDS];
            constants[0] = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            let mut buffers = Vec::with_capacity(stage.chain.bindings());
            for (place, argument) in stage.inputs.iter().enumerate() {
                let (region, start) = self.reading(argument, stage.field, &piece)?;
                constants[1 + place] = start;
                buffers.push(region);
            }
            for (place, output) in outputs.iter().enumerate() {
                let (region, start) = self.window(output, stage.field, &piece, WRITE);
                constants[1 + MAX_INPUTS + place] = start;
                buffers.push(region);
            }
            self.dispatch(Arc::clone(&operation), buffers, constants, piece.len())?;
        }
        for (node, output) in stage.outputs.iter().zip(outputs) {
            self.set_result(*node, output);
        }
        Ok(())
    }

    fn most(&self, stage: &ChainStage, group: u32) -> usize {
        let most = most_elements(self.kernels.caps(), stage.field.bytes(), group);
        self.chunk.map_or(most, |chunk| chunk.min(most))
    }

    /// Memory for the results. The first may overwrite an argument that nobody
    /// needs any more: each invocation reads its elements before it writes them.
    fn outputs(&self, number: usize, stage: &ChainStage) -> Result<Vec<Arc<Storage>>, Error> {
        let bytes = stage.elements * stage.field.bytes();
        let mut free = self.reuse(number, &stage.inputs, bytes);
        let take = |_| match free.take() {
            Some(storage) => Ok(storage),
            None => self.take(stage.field, stage.elements).map(Arc::new),
        };
        stage.outputs.iter().map(take).collect()
    }
}
