//! Entries in the order of their buckets: counted, and put where their bucket's begin.

use std::ops::Range;

use field_kernels::curve::Z_SQUARED;
use field_kernels::vector_kernels::{
    MSM_BLOCK_SUMS, MSM_COUNT, MSM_OFFSETS, MSM_SCATTER, SPLIT_SCALARS,
};
use field_kernels::{ElementType as _, Fr, VectorKernel};
use vk_mem_paths::Access;

use super::super::scalars::Layout;
use super::{Part, Scratch, words};
use crate::Error;
use crate::vectors::field_vec::Form;
use crate::vectors::vulkan::{PART, Steps, Window, count};

/// Buckets of which a workgroup says where they start: `BLOCK` of the shader.
const BLOCK: usize = 2048;

impl Part<'_> {
    /// Sorts the entries by bucket.
    pub(super) fn sort(&self, steps: &mut Steps<'_>, scratch: &Scratch) -> Result<(), Error> {
        let bytes = 4 * (self.columns() << self.plan.log_buckets());
        let ends = scratch.ends.region(0..bytes, Access::Write);
        steps.zero(ends);
        self.each_scalar(steps, &MSM_COUNT, &[&Window::on(&scratch.ends)])?;
        let (ends, entries) = (Window::on(&scratch.ends), Window::on(&scratch.entries));
        // There are no entries yet: their memory is for the sums of blocks.
        if 1 << self.plan.log_buckets() > BLOCK {
            self.each_block(steps, &MSM_BLOCK_SUMS, [&ends.to_read(), &entries])?;
        }
        self.each_block(steps, &MSM_OFFSETS, [&ends, &entries.to_read()])?;
        self.each_scalar(steps, &MSM_SCATTER, &[&ends, &entries])
    }

    fn each_block(
        &self,
        steps: &mut Steps<'_>,
        kernel: &'static VectorKernel,
        buffers: [&Window; 2],
    ) -> Result<(), Error> {
        let of_column = 1 << self.plan.log_buckets();
        let buckets = self.columns() * of_column;
        let (blocks, most) = (buckets.div_ceil(BLOCK), steps.most_groups(BLOCK));
        for first in (0..blocks).step_by(most) {
            let constants = [count(buckets)?, count(of_column)?, count(first)?];
            let groups = most.min(blocks - first);
            steps.dispatch_groups(kernel, Fr::ID, &buffers, &constants, groups)?;
        }
        Ok(())
    }

    fn each_scalar(
        &self,
        steps: &mut Steps<'_>,
        kernel: &'static VectorKernel,
        buffers: &[&Window],
    ) -> Result<(), Error> {
        let (montgomery, integer_bits) = match self.parameters.scalars {
            Layout::Elements(form) => (u32::from(form == Form::Montgomery), 0),
            Layout::Integers { bits, .. } => (0, bits),
        };
        // Of a part of the terms one sum at a time: they do not lie together.
        let row = self.parameters.shape.terms;
        let is_whole = self.terms.len() == row;
        let together = if is_whole { self.sums.len() } else { 1 };
        for sum in self.sums.clone().step_by(together) {
            let first = sum * row + self.terms.start;
            let elements = first..first + together * self.terms.len();
            for piece in steps.pieces(Fr::ID, elements.len(), kernel.group_size as usize) {
                let those = elements.start + piece.start..elements.start + piece.end;
                let from = self.scalars(steps, those)?;
                let done = (sum - self.sums.start) * self.terms.len();
                let mut constants = halving(self.parameters.shape.halves);
                constants.extend([
                    count(piece.len())?,
                    count(done + piece.start)?,
                    from.start,
                    count(self.terms.len())?,
                    count(self.plan.windows)?,
                    count(self.plan.columns)?,
                    count(self.parameters.shape.multiples.count)?,
                    count(self.entries())?,
                    self.plan.bits,
                    count(self.plan.narrow)?,
                    montgomery,
                    integer_bits,
                ]);
                let buffers: Vec<_> = [&from].into_iter().chain(buffers.iter().copied()).collect();
                steps.dispatch(kernel, Fr::ID, &buffers, &constants, piece.len())?;
            }
        }
        Ok(())
    }

    /// Some of the scalars, to be read; where integers begin is in bytes.
    fn scalars(&self, steps: &Steps<'_>, those: Range<usize>) -> Result<Window, Error> {
        let argument = &self.call.arguments[1];
        let Layout::Integers { bits, first } = self.parameters.scalars else {
            return steps.input(argument, &those);
        };
        let each = bits.div_ceil(8) as usize;
        let bytes = (first + those.start) * each..(first + those.end) * each;
        let words = bytes.start / Fr::BYTES..bytes.end.div_ceil(Fr::BYTES);
        let window = steps.input(argument, &words)?;
        let start = window.start as usize * PART + bytes.start % Fr::BYTES;
        Ok(Window {
            start: count(start)?,
            ..window
        })
    }
}

/// The two halves of plain scalars, in windows for products of points.
pub(in crate::vectors::families) fn split(
    steps: &mut Steps<'_>,
    from: &Window,
    to: &Window,
    scalars: usize,
) -> Result<(), Error> {
    let mut constants = halving(true);
    // What follows is of sums.
    constants.extend([count(scalars)?, 0, from.start, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    steps.dispatch(&SPLIT_SCALARS, Fr::ID, &[from, to], &constants, scalars)
}

/// m = z^2 and 2^255 / m for the shader. Zeros where scalars are not cut in two.
fn halving(halves: bool) -> Vec<u32> {
    if !halves {
        return vec![0; 8];
    }
    let m = Z_SQUARED;
    // Bit by bit: the rest stays below m, which has 128 bits.
    let (mut rest, mut reciprocal) = (1_u128 << 127, 0_u128);
    for _ in 0..128 {
        let (doubled, overflows) = (rest << 1, rest >> 127 == 1);
        let bit = overflows || doubled >= m;
        rest = if bit {
            doubled.wrapping_sub(m)
        } else {
            doubled
        };
        reciprocal = reciprocal << 1 | u128::from(bit);
    }
    words([m, reciprocal].map(u128::to_le_bytes).as_flattened())
}
