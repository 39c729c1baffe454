//! Multi-scalar multiplications on a device, by Pippenger's method: entries are sorted by
//! the digits of their scalars into buckets, buckets are summed, and the sums are folded to
//! a few for each window (`shaders/msm_*.comp`).

pub(super) mod join;
pub(super) mod sort;

use std::ops::Range;

use field_kernels::vector_kernels::{
    MSM_ACCUMULATE, MSM_BUCKETS, MSM_FEW_BUCKETS, MSM_IMAGES, MSM_LONG_BUCKETS,
};
use field_kernels::{Curve as _, VectorKernel};
use vk_mem_paths::{Access, Storage};

use self::join::{fold, join};
use super::plan::{ENTRY, FEW_SUMS, Plan, Shape, most_long};
use super::{Parameters, parameters};
use crate::Error;
use crate::vectors::families::Call;
use crate::vectors::fields::with_curve;
use crate::vectors::vulkan::{Steps, Window, count};

/// Heads that a workgroup adds up before long buckets are added: `BLOCK` of the shader.
const BLOCK: usize = 128;

/// Bytes of the buckets of several sums at once, at most.
const MOST_BUCKETS: usize = 1 << 28;

/// What is summed at once: some sums, and of each the same terms.
struct Part<'c> {
    call: &'c Call<'c>,
    parameters: &'c Parameters,
    plan: Plan,
    sums: Range<usize>,
    terms: Range<usize>,
}

/// Memory that all parts take in turn.
struct Scratch {
    /// Where each bucket starts, later where it ends: 4 bytes each.
    ends: Storage,
    /// The entries by bucket: 4 bytes each.
    entries: Storage,
    buckets: Storage,
    heads: Storage,
    /// Long buckets: 4 bytes each, their number first.
    long: Storage,
    /// The x of the images of the points by the curve's endomorphism, where it is used and they
    /// are not there.
    images: Option<Storage>,
    /// What buckets are folded to, where that is joined here: a row for each column.
    parts: Option<Storage>,
}

pub(super) fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let parameters = parameters(call)?;
    let Shape { sums, terms, .. } = parameters.shape;
    let plan = parameters.plan;
    let output = steps.take(call.field, call.results[0].elements)?;
    let at_once = at_once(steps, call, &parameters, &plan);
    let terms_at_once = match parameters.own {
        false => at_once.terms,
        true => (at_once.sums - 1) * terms + at_once.terms,
    };
    let images = match parameters.shape.halves && call.arguments.len() < 3 {
        true => terms_at_once * parameters.shape.multiples.count,
        false => 0,
    };
    let mut scratch = Scratch::new(steps, &plan, (at_once, images))?;
    if parameters.joined {
        let parts = at_once.sums * plan.parts();
        scratch.parts = Some(steps.take(call.field, 4 * parts)?);
    }
    for first in (0..sums).step_by(at_once.sums) {
        let those = first..sums.min(first + at_once.sums);
        for begin in (0..terms).step_by(at_once.terms) {
            let part = Part {
                call,
                parameters: &parameters,
                plan,
                sums: those.clone(),
                terms: begin..terms.min(begin + at_once.terms),
            };
            part.sort(steps, &scratch)?;
            part.accumulate(steps, &scratch)?;
        }
        let columns = those.len() * plan.columns;
        let points = |each: usize| 4 * each * those.start..4 * each * those.end;
        match &scratch.parts {
            None => {
                let to = (&output, points(plan.parts()));
                fold(steps, call.field, (&plan, columns), &scratch, to)?;
            }
            Some(parts) => {
                let all = (parts, 0..4 * columns * plan.bits as usize);
                fold(steps, call.field, (&plan, columns), &scratch, all)?;
                join(
                    steps,
                    call.field,
                    (&plan, columns),
                    parts,
                    (&output, points(1)),
                )?;
            }
        }
    }
    steps.set_result(call, 0, output);
    Ok(())
}

/// As many sums and terms of each as every binding has room for.
fn at_once(steps: &Steps<'_>, call: &Call<'_>, parameters: &Parameters, plan: &Plan) -> Shape {
    let Shape { sums, terms, .. } = parameters.shape;
    let each = plan.entries_of_term(parameters.shape);
    let sum = 4 * call.field.bytes();
    let most = |bytes: usize| steps.most_bytes() / bytes;
    let most_entries = most(ENTRY).min(most(sum) * plan.stretch) / plan.columns;
    // Points begin anywhere.
    let most_points = steps.most_bound(call.arguments[0].of, usize::MAX);
    let most_points = most_points / parameters.shape.multiples.count;
    let most_terms = steps.chunk((most_entries / each).min(most_points));
    let terms_at_once = terms.div_ceil(terms.div_ceil(most_terms.max(1)));
    let entries = terms_at_once * each;
    let columns = (most(sum).min(MOST_BUCKETS / sum) >> plan.log_buckets())
        .min(most(ENTRY) / entries)
        .min(most(sum) / entries.div_ceil(plan.stretch));
    let mut most_sums = columns / plan.columns;
    if parameters.own {
        most_sums = most_sums.min(most_points / terms);
    }
    Shape {
        sums: most_sums.clamp(1, sums),
        terms: terms_at_once,
        ..parameters.shape
    }
}

impl Scratch {
    fn new(
        steps: &Steps<'_>,
        plan: &Plan,
        (at_once, images): (Shape, usize),
    ) -> Result<Self, Error> {
        let bytes = plan.scratch(at_once, images);
        let images = match bytes.images {
            0 => None,
            bytes => Some(steps.take_bytes(bytes)?),
        };
        Ok(Self {
            images,
            parts: None,
            ends: steps.take_bytes(bytes.ends)?,
            entries: steps.take_bytes(bytes.entries)?,
            buckets: steps.take_bytes(bytes.buckets)?,
            heads: steps.take_bytes(bytes.heads)?,
            long: steps.take_bytes(bytes.long)?,
        })
    }

    /// Ends, entries, buckets, heads, long buckets.
    fn windows(&self) -> [Window; 5] {
        let all = [
            &self.ends,
            &self.entries,
            &self.buckets,
            &self.heads,
            &self.long,
        ];
        all.map(Window::on)
    }
}

impl Part<'_> {
    fn columns(&self) -> usize {
        self.sums.len() * self.plan.columns
    }

    /// Entries that a column has room for.
    fn entries(&self) -> usize {
        self.terms.len() * self.plan.entries_of_term(self.parameters.shape)
    }

    fn stretches(&self) -> usize {
        self.entries().div_ceil(self.plan.stretch)
    }

    /// The points of all sums, and from those of one sum to those of the next.
    fn points(&self) -> (Range<usize>, usize) {
        let row = self.parameters.shape.terms;
        let (terms, stride) = match self.parameters.own {
            false => (self.terms.clone(), 0),
            true => {
                let last = self.sums.end - 1;
                let all = self.sums.start * row + self.terms.start..last * row + self.terms.end;
                (all, row)
            }
        };
        let count = self.parameters.shape.multiples.count;
        (count * terms.start..count * terms.end, count * stride)
    }

    /// 1 where buckets hold sums of earlier terms.
    fn goes_on(&self) -> u32 {
        u32::from(self.terms.start > 0)
    }

    /// Sums the entries of each bucket.
    fn accumulate(&self, steps: &mut Steps<'_>, scratch: &Scratch) -> Result<(), Error> {
        let field = self.call.field;
        let (points, stride) = self.points();
        let points = steps.input(&self.call.arguments[0], &points)?;
        let [ends, entries, buckets, heads, long] = scratch.windows();
        let (stretches, stretch) = (count(self.stretches())?, count(self.plan.stretch)?);
        let (columns, log_buckets) = (self.columns(), self.plan.log_buckets());
        let all = columns * self.stretches();
        let images = match (self.call.arguments.get(2), &scratch.images) {
            (Some(kept), _) => steps.input(kept, &self.points().0)?,
            (None, Some(images)) => {
                images_of(steps, self.call, self.points().0, images)?;
                Window::on(images).to_read()
            }
            // Something must be bound where there are none.
            (None, None) => points.clone(),
        };
        let (to_ends, to_entries, to_heads) = (ends.to_read(), entries.to_read(), heads.to_read());
        each_dispatch(steps, &MSM_ACCUMULATE, all, |steps, first, groups| {
            let constants = [
                points.start,
                images.start,
                count(all)?,
                first,
                stretches,
                stretch,
                count(self.entries())?,
                log_buckets,
                count(stride)?,
                count(self.plan.columns)?,
                self.goes_on(),
            ];
            let buffers = [&points, &to_entries, &to_ends, &buckets, &heads, &images];
            steps.dispatch_groups(&MSM_ACCUMULATE, field, &buffers, &constants, groups)
        })?;

        steps.zero(scratch.long.region(0..4, Access::Write));
        let all = columns << log_buckets;
        let buffers = [&to_heads, &to_ends, &buckets, &long];
        let (kernel, invocations) = match all <= FEW_SUMS {
            true => (&MSM_FEW_BUCKETS, 4 * all),
            false => (&MSM_BUCKETS, all),
        };
        each_dispatch(steps, kernel, invocations, |steps, first, groups| {
            let constants = [
                count(all)?,
                first,
                stretches,
                stretch,
                log_buckets,
                self.goes_on(),
                0,
            ];
            steps.dispatch_groups(kernel, field, &buffers, &constants, groups)
        })?;
        let blocks = self.stretches() / BLOCK;
        let in_blocks = [&heads, &to_ends, &buckets, &long];
        for (groups, blocks, buffers) in [
            (columns * blocks, count(blocks)?, in_blocks),
            (columns * most_long(self.stretches()), 0, buffers),
        ] {
            let most = steps.most_groups(1);
            for first in (0..groups).step_by(most) {
                let constants = [
                    count(groups)?,
                    count(first)?,
                    stretches,
                    stretch,
                    log_buckets,
                    0,
                    blocks,
                ];
                let groups = most.min(groups - first);
                steps.dispatch_groups(&MSM_LONG_BUCKETS, field, &buffers, &constants, groups)?;
            }
        }
        Ok(())
    }
}

/// Writes to `images` what the curve's endomorphism makes of the x of some points, which are
/// the first argument of `call`.
pub(in crate::vectors::families) fn images_of(
    steps: &mut Steps<'_>,
    call: &Call<'_>,
    some: Range<usize>,
    images: &Storage,
) -> Result<(), Error> {
    let argument = &call.arguments[0];
    let (points, to) = (steps.input(argument, &some)?, Window::on(images));
    let root = with_curve!(argument.of, C => Ok(C::CUBE_ROOT))?;
    each_dispatch(steps, &MSM_IMAGES, some.len(), |steps, first, groups| {
        let mut constants = words(root.map(u64::to_le_bytes).as_flattened());
        constants.extend([count(some.len())?, first, points.start]);
        steps.dispatch_groups(&MSM_IMAGES, call.field, &[&points, &to], &constants, groups)
    })
}

pub(in crate::vectors::families) fn words(little_endian: &[u8]) -> Vec<u32> {
    let words = little_endian.as_chunks().0.iter();
    words.map(|word| u32::from_le_bytes(*word)).collect()
}

/// Dispatches of `items` invocations together: the first of each, and its workgroups.
pub(in crate::vectors::families) fn each_dispatch(
    steps: &mut Steps<'_>,
    kernel: &'static VectorKernel,
    items: usize,
    mut dispatch: impl FnMut(&mut Steps<'_>, u32, usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let group = kernel.group_size as usize;
    let most = steps.most_groups(group) * group;
    for first in (0..items).step_by(most) {
        let groups = most.min(items - first).div_ceil(group);
        dispatch(steps, count(first)?, groups)?;
    }
    Ok(())
}
