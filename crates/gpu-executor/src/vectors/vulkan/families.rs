//! Operations over whole vectors: which steps each takes.

use std::sync::Arc;

use field_kernels::families::{BIT_REVERSE, EQUAL};
use field_kernels::{ElementId, Family};
use vk_mem_paths::Storage;

use super::WRITE;
use super::pieces::{PART, most_elements, pieces};
use super::steps::Steps;
use crate::Error;
use crate::vectors::program::{Argument, Task};
use crate::vectors::runner::{Meaning, internal};

/// Invocations of a workgroup, but of a sum's.
pub(super) const GROUP: usize = 128;
/// Elements that a workgroup brings into bit-reversed order; shorter vectors are moved by
/// one invocation a part.
const TILE: u32 = 256;
/// Workgroups of a comparison at most: so many fill every device there is.
const MOST_GROUPS: usize = 2048;

impl Steps<'_> {
    pub(super) fn node(&mut self, stage: usize, number: usize) -> Result<(), Error> {
        let node = &self.program.nodes[number];
        let (field, elements) = (node.field, node.elements);
        let arguments = node.arguments.clone();
        match node.task {
            Task::Reduce(reduction) => {
                let result = self.reduce(reduction, field, elements, &arguments)?;
                self.set_result(number, Arc::new(result));
            }
            Task::Equal => self.equal(field, elements, &arguments)?,
            Task::Inverse if elements > 0 => {
                let bytes = elements * field.bytes();
                let output = match self.reuse(stage, &arguments, bytes) {
                    Some(storage) => storage,
                    None => Arc::new(self.take(field, elements)?),
                };
                self.inverse(field, elements, &arguments[0], &output)?;
                self.set_result(number, output);
            }
            Task::BitReverse if elements > 0 => {
                let output = self.take(field, elements)?;
                self.bit_reverse(field, elements, &arguments[0], &output)?;
                self.set_result(number, Arc::new(output));
            }
            _ => {}
        }
        Ok(())
    }

    fn equal(
        &mut self,
        field: ElementId,
        elements: usize,
        arguments: &[Argument],
    ) -> Result<(), Error> {
        let before = self.comparisons();
        let (flag, number) = self.flag(Meaning::Differ(before))?;
        if elements == 0 {
            return Ok(());
        }
        let operation = self.kernels.family(&EQUAL, field)?;
        let most = self.most_of(&EQUAL, field);
        for piece in pieces(elements, most, GROUP) {
            let (a, start_a) = self.reading(&arguments[0], field, &piece)?;
            let (b, start_b) = self.reading(&arguments[1], field, &piece)?;
            let parts = piece.len() * parts_of(field);
            let groups = self.groups(MOST_GROUPS, parts);
            let constants = vec![count(parts)?, count(groups)?, start_a, start_b, number];
            let buffers = vec![a, b, flag.clone()];
            self.dispatch(Arc::clone(&operation), buffers, constants, groups * GROUP)?;
        }
        Ok(())
    }

    fn bit_reverse(
        &mut self,
        field: ElementId,
        elements: usize,
        argument: &Argument,
        output: &Storage,
    ) -> Result<(), Error> {
        // An element may go anywhere, so that the vector is bound as a whole.
        let most = most_elements(self.kernels.caps(), field.bytes(), TILE);
        if elements > most {
            let operation = "bit_reverse";
            return Err(Error::VectorTooLong {
                operation,
                most,
                found: elements,
            });
        }
        let whole = 0..elements;
        let (from, start_in) = self.reading(argument, field, &whole)?;
        let (to, start_out) = self.window(output, field, &whole, WRITE);
        let constants = vec![elements.ilog2(), start_in, start_out];
        let operation = self.kernels.family(&BIT_REVERSE, field)?;
        let invocations = match elements / TILE as usize {
            0 => elements * parts_of(field),
            tiles => tiles * GROUP,
        };
        self.dispatch(operation, vec![from, to], constants, invocations)
    }

    /// The most elements of one dispatch.
    pub(super) fn most_of(&self, family: &Family, field: ElementId) -> usize {
        let most = most_elements(self.kernels.caps(), field.bytes(), family.group_size);
        self.chunk.map_or(most, |chunk| chunk.min(most))
    }
}

pub(super) fn parts_of(field: ElementId) -> usize {
    field.bytes() / PART
}

pub(super) fn count(number: usize) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| internal("a count in 32 bits"))
}
