//! The batched inverse: products on the way up, inverses on the way down.

use std::sync::Arc;

use field_kernels::chain::{CONSTANT_WORDS, Chain, Input, MAX_INPUTS};
use field_kernels::families::{INVERSE_DOWN, INVERSE_UP};
use field_kernels::{ElementId, operations};
use vk_mem_paths::{Region, Storage};

use super::families::{GROUP, count};
use super::pieces::pieces;
use super::steps::Steps;
use super::{READ, WRITE};
use crate::Error;
use crate::vectors::program::Argument;
use crate::vectors::runner::Meaning;

/// Elements that an invocation of the batched inverse has.
const INVERSE_ROUNDS: usize = 32;
/// So many elements are inverted one by one: that takes as long for one as for all
/// of them.
const INVERSE_ALONE: usize = 2048;

impl Steps<'_> {
    /// The batched inverse of an argument into `output`, which may be its memory.
    pub(super) fn inverse(
        &mut self,
        field: ElementId,
        elements: usize,
        argument: &Argument,
        output: &Arc<Storage>,
    ) -> Result<(), Error> {
        let flag = self.flag(Meaning::Zeros)?;
        let most = self.most_of(&INVERSE_UP, field);
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
        field: ElementId,
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
        let up = self.kernels.family(&INVERSE_UP, field)?;
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

        let down = self.kernels.family(&INVERSE_DOWN, field)?;
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
        field: ElementId,
        elements: usize,
        place: &(Region, u32),
    ) -> Result<(), Error> {
        let chain = Chain::of(&operations::INVERSE, &[Input::Vector]);
        let operation = self.kernels.chain(field, &chain)?;
        let mut constants = vec![0; CONSTANT_WORDS];
        constants[0] = count(elements)?;
        constants[1] = place.1;
        constants[1 + MAX_INPUTS] = place.1;
        let buffers = vec![reading(&place.0), place.0.clone()];
        self.dispatch(operation, buffers, constants, elements)
    }
}

/// The same region, to be read.
fn reading(region: &Region) -> Region {
    Region {
        access: READ,
        ..region.clone()
    }
}
