//! Operations over whole vectors: reductions, the batched inverse, permutations.

use std::sync::Arc;

use field_kernels::chain::{Chain, Input, Link};
use field_kernels::{Family, FieldId, operations};
use vk_core::DeviceKind;
use vk_mem_paths::{Region, Storage};

use super::pieces::{PART, most_elements, pieces};
use super::steps::Steps;
use super::{READ, WRITE, internal};
use crate::Error;
use crate::vectors::program::{Argument, Reduction, Task};
use crate::vectors::runner::Meaning;

/// Elements that an invocation of a reduction takes at the least, where there are
/// enough for all of the device.
const ROUNDS: usize = 16;
/// Invocations of a workgroup, but of a sum's.
const GROUP: usize = 128;
/// Workgroups of a reduction at most: so many fill every device there is, and
/// their results are few enough for one workgroup.
const MOST_GROUPS: usize = 2048;
/// Elements that an invocation of the batched inverse has.
const INVERSE_ROUNDS: usize = 32;
/// So many elements are inverted one by one: that takes as long for one as for all
/// of them.
const INVERSE_ALONE: usize = 2048;

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

    /// To one element: every workgroup leaves a result, and a last one joins them.
    fn reduce(
        &mut self,
        reduction: Reduction,
        field: FieldId,
        elements: usize,
        arguments: &[Argument],
    ) -> Result<Storage, Error> {
        let family = match reduction {
            Reduction::Sum => return self.sum_of(field, elements, &arguments[0]),
            Reduction::Product => Family::Product,
            Reduction::InnerProduct => Family::InnerProduct,
        };
        let result = self.take(field, 1)?;
        let pieces = match elements {
            // One workgroup leaves the neutral element.
            0 => std::iter::once(0..0).collect(),
            _ => pieces(elements, self.most_of(family, field), GROUP),
        };
        let groups: Vec<usize> = pieces
            .iter()
            .map(|piece| self.groups(piece.len()))
            .collect();
        let total: usize = groups.iter().sum();
        let partial = match total {
            1 => None,
            _ => Some(self.take(field, total)?),
        };
        let mut done = 0;
        for (piece, groups) in pieces.iter().zip(&groups) {
            let mut inputs = Vec::new();
            for argument in arguments {
                inputs.push(match elements {
                    // Any memory: nothing of it is read.
                    0 => (result.region(0..field.bytes(), READ), 0),
                    _ => self.reading(argument, field, piece)?,
                });
            }
            let to = partial.as_ref().unwrap_or(&result);
            let output = self.window(to, field, &(done..done + groups), WRITE);
            self.reduction(family, field, piece.len(), *groups, &inputs, output)?;
            done += groups;
        }
        match (&partial, reduction) {
            (None, _) => {}
            (Some(partial), Reduction::Product) => {
                let input = self.window(partial, field, &(0..total), READ);
                let output = self.window(&result, field, &(0..1), WRITE);
                self.reduction(family, field, total, 1, &[input], output)?;
            }
            (Some(partial), _) => {
                let input = self.window(partial, field, &(0..total), READ);
                let inputs = [(input, total)];
                self.sum(field, &inputs, &result)?;
            }
        }
        Ok(result)
    }

    /// One dispatch of a product or an inner product.
    fn reduction(
        &mut self,
        family: Family,
        field: FieldId,
        elements: usize,
        groups: usize,
        inputs: &[(Region, u32)],
        output: (Region, u32),
    ) -> Result<(), Error> {
        let operation = self.kernels.family(family, field)?;
        let (a, b) = (&inputs[0], inputs.last().unwrap_or(&inputs[0]));
        let constants = vec![count(elements)?, count(groups)?, a.1, b.1, output.1];
        let buffers = vec![a.0.clone(), b.0.clone(), output.0];
        self.dispatch(operation, buffers, constants, groups * GROUP)
    }

    /// Workgroups that reduce `items`, one an invocation and round.
    fn groups(&self, items: usize) -> usize {
        let most = match self.kernels.caps().kind {
            DeviceKind::Software => 256,
            _ => MOST_GROUPS,
        };
        items.div_ceil(GROUP * ROUNDS).clamp(1, most)
    }

    /// The sum of an argument.
    fn sum_of(
        &mut self,
        field: FieldId,
        elements: usize,
        argument: &Argument,
    ) -> Result<Storage, Error> {
        let result = self.take(field, 1)?;
        let most = self.most_of(Family::SumParts, field);
        let mut inputs = Vec::new();
        for piece in pieces(elements, most, GROUP) {
            inputs.push((self.reading(argument, field, &piece)?, piece.len()));
        }
        self.sum(field, &inputs, &result)?;
        Ok(result)
    }

    /// The sum of the elements of several windows: words by many workgroups, and
    /// an element out of theirs.
    fn sum(
        &mut self,
        field: FieldId,
        inputs: &[((Region, u32), usize)],
        result: &Storage,
    ) -> Result<(), Error> {
        let parts = parts_of(field);
        // Of each word of an element two halves.
        let left_by_group = 2 * field.bytes();
        let groups = inputs
            .iter()
            .map(|(_, elements)| self.groups(elements * parts));
        let groups: Vec<usize> = groups.collect();
        let total: usize = groups.iter().sum();
        let halves = self.pool.take((total * left_by_group).max(1))?;
        let whole = 0..(total * left_by_group).max(PART);
        let mut done = 0;
        for (((input, start), elements), groups) in inputs.iter().zip(&groups) {
            let operation = self.kernels.family(Family::SumParts, field)?;
            let constants = vec![
                count(elements * parts)?,
                count(*groups)?,
                *start,
                count(done * left_by_group / PART)?,
            ];
            let buffers = vec![input.clone(), halves.region(whole.clone(), WRITE)];
            let group = Family::SumParts.group_size() as usize;
            self.dispatch(operation, buffers, constants, groups * group)?;
            done += groups;
        }
        let operation = self.kernels.family(Family::SumFinish, field)?;
        let (to, start) = self.window(result, field, &(0..1), WRITE);
        let buffers = vec![halves.region(whole, READ), to];
        self.dispatch(operation, buffers, vec![count(total)?, 0, start], 1)
    }

    fn equal(
        &mut self,
        field: FieldId,
        elements: usize,
        arguments: &[Argument],
    ) -> Result<(), Error> {
        let before = self.comparisons();
        let (flag, number) = self.flag(Meaning::Differ(before))?;
        if elements == 0 {
            return Ok(());
        }
        let operation = self.kernels.family(Family::Equal, field)?;
        let most = self.most_of(Family::Equal, field);
        for piece in pieces(elements, most, GROUP) {
            let (a, start_a) = self.reading(&arguments[0], field, &piece)?;
            let (b, start_b) = self.reading(&arguments[1], field, &piece)?;
            let parts = piece.len() * parts_of(field);
            let groups = self.groups(parts);
            let constants = vec![count(parts)?, count(groups)?, start_a, start_b, number];
            let buffers = vec![a, b, flag.clone()];
            self.dispatch(Arc::clone(&operation), buffers, constants, groups * GROUP)?;
        }
        Ok(())
    }

    fn bit_reverse(
        &mut self,
        field: FieldId,
        elements: usize,
        argument: &Argument,
        output: &Storage,
    ) -> Result<(), Error> {
        // An element may go anywhere, so that the vector is bound as a whole.
        let most = most_elements(self.kernels.caps(), PART, 128) / parts_of(field);
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
        let parts = elements * parts_of(field);
        let constants = vec![count(parts)?, 32 - elements.ilog2(), start_in, start_out];
        let operation = self.kernels.family(Family::BitReverse, field)?;
        self.dispatch(operation, vec![from, to], constants, parts)
    }

    /// The batched inverse of an argument into `output`, which may be its memory.
    fn inverse(
        &mut self,
        field: FieldId,
        elements: usize,
        argument: &Argument,
        output: &Arc<Storage>,
    ) -> Result<(), Error> {
        let flag = self.flag(Meaning::Zeros)?;
        let most = self.most_of(Family::InverseUp, field);
        let in_place = std::ptr::eq(self.source(argument.source)?, &raw const **output);
        for piece in pieces(elements, most, GROUP) {
            // The products before each element: in the output, unless that still
            // holds the elements.
            let before = match in_place {
                true => Some(self.take(field, piece.len())?),
                false => None,
            };
            let x = self.reading(argument, field, &piece)?;
            let to = self.window(output, field, &piece, WRITE);
            let before = match &before {
                Some(storage) => self.window(storage, field, &(0..piece.len()), WRITE),
                None => to.clone(),
            };
            self.level(field, piece.len(), &x, &before, &to, &flag)?;
        }
        Ok(())
    }

    /// One level of it: products on the way up, their inverses by the next level,
    /// inverses on the way down.
    fn level(
        &mut self,
        field: FieldId,
        elements: usize,
        x: &(Region, u32),
        before: &(Region, u32),
        to: &(Region, u32),
        flag: &(Region, u32),
    ) -> Result<(), Error> {
        let threads = elements.div_ceil(INVERSE_ROUNDS);
        let products = self.take(field, threads)?;
        let whole = 0..threads;
        let written = self.window(&products, field, &whole, WRITE);
        let constants = |product: u32, last: u32| -> Result<Vec<u32>, Error> {
            Ok(vec![
                count(elements)?,
                count(threads)?,
                x.1,
                before.1,
                product,
                last,
            ])
        };
        let up = self.kernels.family(Family::InverseUp, field)?;
        let buffers = vec![
            x.0.clone(),
            before.0.clone(),
            written.0.clone(),
            flag.0.clone(),
        ];
        self.dispatch(up, buffers, constants(written.1, flag.1)?, threads)?;

        // In their own memory.
        if threads <= INVERSE_ALONE {
            self.invert_each(field, threads, &written)?;
        } else {
            let scratch = self.take(field, threads)?;
            let scratch = self.window(&scratch, field, &whole, WRITE);
            let read = (reading(&written.0), written.1);
            self.level(field, threads, &read, &scratch, &written, flag)?;
        }

        let down = self.kernels.family(Family::InverseDown, field)?;
        let buffers = vec![
            x.0.clone(),
            reading(&before.0),
            reading(&written.0),
            to.0.clone(),
        ];
        self.dispatch(down, buffers, constants(written.1, to.1)?, threads)
    }

    /// Inverts elements one by one, in place.
    fn invert_each(
        &mut self,
        field: FieldId,
        elements: usize,
        place: &(Region, u32),
    ) -> Result<(), Error> {
        let chain = Chain {
            inputs: vec![Input::Vector],
            links: vec![Link {
                operation: &operations::INVERSE,
                arguments: [0, 0],
            }],
            outputs: vec![1],
        };
        let operation = self.kernels.chain(field, &chain)?;
        let mut constants = vec![0; field_kernels::chain::CONSTANT_WORDS];
        constants[0] = count(elements)?;
        constants[1] = place.1;
        constants[1 + field_kernels::chain::MAX_INPUTS] = place.1;
        let buffers = vec![reading(&place.0), place.0.clone()];
        self.dispatch(operation, buffers, constants, elements)
    }

    /// The most elements of one dispatch.
    fn most_of(&self, family: Family, field: FieldId) -> usize {
        let most = most_elements(self.kernels.caps(), field.bytes(), family.group_size());
        self.chunk.map_or(most, |chunk| chunk.min(most))
    }
}

/// The same region, to be read.
fn reading(region: &Region) -> Region {
    Region {
        access: READ,
        ..region.clone()
    }
}

fn parts_of(field: FieldId) -> usize {
    field.bytes() / PART
}

fn count(number: usize) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| internal("a count in 32 bits"))
}
