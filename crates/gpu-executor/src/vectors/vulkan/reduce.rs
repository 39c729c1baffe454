//! Reductions: many elements to few by many workgroups, and those to one.

use field_kernels::families::{INNER_PRODUCT, PRODUCT, SUM_FINISH, SUM_PARTS};
use field_kernels::{ElementId, Family};
use vk_core::DeviceKind;
use vk_mem_paths::{Region, Storage};

use super::families::{GROUP, count, parts_of};
use super::pieces::{PART, pieces};
use super::steps::Steps;
use super::{READ, WRITE};
use crate::Error;
use crate::vectors::program::{Argument, Reduction};

/// Elements that an invocation of a reduction takes at the least, where there are
/// enough for all of the device.
const ROUNDS: usize = 16;

/// Workgroups of a sum at most: so many fill every device there is. What each leaves is
/// twice an element, and all of it is added up by one.
const MOST_OF_SUM: usize = 1024;
/// Likewise, of a product: few enough results for one workgroup.
const MOST_OF_PRODUCT: usize = 2048;
/// Likewise, of an inner product: few of these are on a device at once, since each takes
/// many registers, and with many of them the last ones do not keep it waiting. Their
/// results are summed up by many workgroups again.
const MOST_OF_INNER_PRODUCT: usize = 8192;

impl Steps<'_> {
    /// To one element: every workgroup leaves a result, and a last one joins them.
    pub(super) fn reduce(
        &mut self,
        reduction: Reduction,
        field: ElementId,
        elements: usize,
        arguments: &[Argument],
    ) -> Result<Storage, Error> {
        let (family, most) = match reduction {
            Reduction::Sum => return self.sum_of(field, elements, &arguments[0]),
            Reduction::Product => (&PRODUCT, MOST_OF_PRODUCT),
            Reduction::InnerProduct => (&INNER_PRODUCT, MOST_OF_INNER_PRODUCT),
        };
        let result = self.take(field, 1)?;
        let pieces = match elements {
            // One workgroup leaves the neutral element.
            0 => std::iter::once(0..0).collect(),
            _ => pieces(elements, self.most_of(family, field), GROUP),
        };
        let groups: Vec<usize> = pieces
            .iter()
            .map(|piece| self.groups(most, piece.len()))
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
        family: &Family,
        field: ElementId,
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

    /// Workgroups that reduce `items`, one an invocation and round; `most` at most.
    pub(super) fn groups(&self, most: usize, items: usize) -> usize {
        let most = match self.kernels.caps().kind {
            DeviceKind::Software => 256,
            _ => most,
        };
        items.div_ceil(GROUP * ROUNDS).clamp(1, most)
    }

    /// The sum of an argument.
    fn sum_of(
        &mut self,
        field: ElementId,
        elements: usize,
        argument: &Argument,
    ) -> Result<Storage, Error> {
        let result = self.take(field, 1)?;
        let most = self.most_of(&SUM_PARTS, field);
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
        field: ElementId,
        inputs: &[((Region, u32), usize)],
        result: &Storage,
    ) -> Result<(), Error> {
        let parts = parts_of(field);
        // Of each word of an element two halves.
        let left_by_group = 2 * field.bytes();
        let groups = inputs
            .iter()
            .map(|(_, elements)| self.groups(MOST_OF_SUM, elements * parts));
        let groups: Vec<usize> = groups.collect();
        let total: usize = groups.iter().sum();
        let halves = self.pool.take((total * left_by_group).max(1))?;
        let whole = 0..(total * left_by_group).max(PART);
        let mut done = 0;
        for (((input, start), elements), groups) in inputs.iter().zip(&groups) {
            let operation = self.kernels.family(&SUM_PARTS, field)?;
            let constants = vec![
                count(elements * parts)?,
                count(*groups)?,
                *start,
                count(done * left_by_group / PART)?,
            ];
            let buffers = vec![input.clone(), halves.region(whole.clone(), WRITE)];
            let group = SUM_PARTS.group_size as usize;
            self.dispatch(operation, buffers, constants, groups * group)?;
            done += groups;
        }
        let operation = self.kernels.family(&SUM_FINISH, field)?;
        let (to, start) = self.window(result, field, &(0..1), WRITE);
        let buffers = vec![halves.region(whole, READ), to];
        self.dispatch(operation, buffers, vec![count(total)?, 0, start], 1)
    }
}
