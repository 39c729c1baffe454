//! A transform from host to host whose passes overlap with the ways there and back.
//!
//! The host fills staging memory with part k of the row and submits one batch: its copy to
//! the device, and beside it the first pass over part k - 1, which the batch before has copied.
//! On the way back a batch copies part k of the result, and has the last pass make part k + 1.
//! Each batch is ordered after those before it, as all are; inside of one, copy and pass are of
//! different memory, so that no barrier stands between them. For that, two places on the device
//! are used in turns for what is copied.

use std::mem::MaybeUninit;
use std::ops::Range;

use field_kernels::{ElementType as _, Fr};
use vk_mem_paths::{Access, BatchMemory, ElementFormat, Region, Step, Storage};

use super::choice::Choice;
use super::{OnDevice, Steps, lock};
use crate::Error;
use crate::vectors::families::{Cut, InParts, Transform, in_parts};
use crate::vectors::program::Program;

/// A transform of which all but the last pass was submitted.
pub(super) struct Transformed {
    down: Cut,
    turns: [Storage; 2],
    /// The last pass for each part but the first.
    last: Vec<Vec<Step>>,
    /// Has the memory of all steps.
    _memory: BatchMemory,
}

impl OnDevice {
    /// Has `row` go up and be transformed with the kernels of `choice`, for
    /// [`Self::come_down`]; `None` where there is nothing to overlap, or an element that
    /// `element` refuses.
    pub(super) fn go_up(
        &self,
        choice: Choice,
        row: &[u8],
        element: ElementFormat,
        transform: &Transform,
    ) -> Result<Option<Transformed>, Error> {
        let mut uploads = lock(&self.uploads);
        uploads.let_go();
        let mut inner = lock(&self.inner);
        inner.kernels.choose(choice);
        let (program, memory) = (Program::default(), (self.pool.for_batch(), &self.tables));
        let (kernels, chunk) = (&mut inner.kernels, self.settings.dispatch);
        let mut steps = Steps::new(&program, &[], Vec::new(), memory, kernels, chunk)?;
        let Some(in_parts) = in_parts(&mut steps, transform)? else {
            return Ok(None);
        };
        let Steps {
            memory, mut tables, ..
        } = steps;
        drop(inner);

        let InParts {
            up, down, turns, ..
        } = in_parts;
        let bytes = up.part() * Fr::BYTES;
        uploads.prepare(bytes)?;
        let mut beside = in_parts.before;
        for (part, pass) in in_parts.first.into_iter().enumerate() {
            let runs: Vec<&[u8]> = up.runs(part).map(|run| &row[in_bytes(&run)]).collect();
            let meanwhile = std::mem::replace(&mut beside, pass);
            let to = turn(&turns, part, bytes, Access::Write);
            let steps = |from| copy_beside(from, to, meanwhile);
            // SAFETY: the steps' modules are this library's, which stay inside the elements
            // that their constants name, and `Steps` names the regions of those elements.
            // `memory` is theirs.
            match unsafe { uploads.send(&runs, element, steps) } {
                // Of the row that need not be the first one.
                Err(vk_mem_paths::Error::Refused(_)) => return Ok(None),
                sent => sent?,
            }
            // Whoever uses them is submitted later.
            for (key, table) in tables.drain(..) {
                self.tables.keep(key, table);
            }
        }
        drop(uploads);
        let mut last = in_parts.last.into_iter();
        beside.extend(in_parts.between);
        beside.extend(last.next().into_iter().flatten());
        // SAFETY: as above.
        unsafe { lock(&self.inner).lane.submit(&beside, &[])? };
        Ok(Some(Transformed {
            down,
            turns,
            last: last.collect(),
            _memory: memory,
        }))
    }

    /// Copies the row to `out`, which is as long, while the last pass makes it.
    pub(super) fn come_down(
        &self,
        transformed: Transformed,
        out: &mut [MaybeUninit<u8>],
    ) -> Result<(), Error> {
        let Transformed {
            down,
            turns,
            last,
            _memory,
        } = transformed;
        let bytes = down.part() * Fr::BYTES;
        let mut outs: Vec<Vec<_>> = Vec::new();
        outs.resize_with(down.parts(), Vec::new);
        for (run, out) in out.chunks_mut(down.run() * Fr::BYTES).enumerate() {
            outs[down.part_of(run)].push(out);
        }
        let mut last = last.into_iter();
        let parts = outs.into_iter().enumerate().map(|(part, outs)| {
            let meanwhile = last.next().unwrap_or_default();
            let from = turn(&turns, part, bytes, Access::Read);
            (|to| copy_beside(from, to, meanwhile), outs)
        });
        // SAFETY: as in `go_up`; the copy writes all of the bytes.
        unsafe { lock(&self.downloads).fetch(bytes, parts)? };
        Ok(())
    }
}

/// Where a part is on the device.
fn turn(turns: &[Storage; 2], part: usize, bytes: usize, access: Access) -> Region {
    turns[part % turns.len()].region(0..bytes, access)
}

fn copy_beside(from: Region, to: Region, meanwhile: Vec<Step>) -> Vec<Step> {
    [Step::Copy { from, to }]
        .into_iter()
        .chain(meanwhile)
        .collect()
}

fn in_bytes(elements: &Range<usize>) -> Range<usize> {
    elements.start * Fr::BYTES..elements.end * Fr::BYTES
}
