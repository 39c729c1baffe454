//! Transforms on a device: a few passes over the vector, each of which does some levels
//! without going back to memory (`shaders/transform.comp`).

use std::sync::Arc;

use field_kernels::Arithmetic;
use field_kernels::vector_kernels::{TRANSFORM, TRANSFORM_SHUFFLE};
use vk_core::{DeviceCaps, DeviceKind};

use super::super::prelude::*;
use super::factors::Factors;
use super::{Order, Transform};

/// The most levels of a pass: it takes workgroups of 2^9 elements.
pub(super) const MOST_LEVELS: u32 = 9;
/// log2 of the elements of a workgroup where levels do not take more.
const TILE: u32 = 8;
/// Workgroups that fill every device there is; below that, a workgroup takes fewer elements.
const FILLS: usize = 256;
/// The least invocations of a workgroup.
const LEAST_INVOCATIONS: u32 = 32;

/// `LAST`, `FROM_REVERSED` and `TO_NATURAL` of the shader.
const LAST: u32 = 1;
const FROM_REVERSED: u32 = 2;
const TO_NATURAL: u32 = 4;

/// A pass over rows of 2^log2 elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    /// Levels that were done before it.
    pub(super) before: u32,
    /// Levels that it does.
    pub(super) levels: u32,
}

/// The passes of a transform of 2^log2 elements: as few as there can be, of about as many
/// levels each.
pub(super) fn passes(log2: u32) -> Vec<Pass> {
    let number = log2.div_ceil(MOST_LEVELS).max(1);
    let ends = (0..=number).map(|pass| pass * log2 / number);
    let starts = ends.clone();
    let passes = starts.zip(ends.skip(1));
    let passes = passes.map(|(before, end)| Pass {
        before,
        levels: end - before,
    });
    passes.collect()
}

/// Of one row that is taken in parts: the part with this number, of 2^columns neighbouring
/// columns of the first pass, or blocks of the last. It is in memory of its own, which the
/// first pass reads and the last one writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) number: usize,
    pub(super) columns: u32,
}

/// A transform in the making: what all of its passes go by.
pub(super) struct Transforming {
    pub(super) log2: u32,
    pub(super) from_reversed: bool,
    pub(super) to_natural: bool,
    pub(super) passes: Vec<Pass>,
    factors: Factors,
    table: Window,
}

impl Transforming {
    /// `None` for rows of one element, of which there is nothing to do.
    pub(super) fn new(steps: &mut Steps<'_>, transform: &Transform) -> Result<Option<Self>, Error> {
        let log2 = transform.domain.log2();
        if 1 << log2 > steps.most_bound(Fr::ID, usize::MAX) {
            return Err(internal("a transform that a kernel can bind"));
        }
        if log2 == 0 {
            return Ok(None);
        }
        let passes = passes(log2);
        expect_shared_memory(steps, &passes)?;
        let arithmetic = steps.arithmetic(Fr::ID);
        let factors = Factors::new(transform, &passes, arithmetic);
        // They depend on size, direction and shift, not on the orders.
        let key = TableKey {
            name: super::TRANSFORM.name,
            element: Fr::ID,
            parameters: Transform {
                from: Order::Natural,
                to: Order::Natural,
                ..*transform
            }
            .parameters()
            .to_vec(),
        };
        let table = steps.table(key, |steps| {
            let bytes = factors.bytes();
            let storage = steps.take_bytes(bytes.len())?;
            steps.write(&storage, &bytes);
            Ok(storage)
        })?;
        Ok(Some(Self {
            log2,
            from_reversed: transform.from == Order::BitReversed,
            to_natural: transform.to == Order::Natural,
            passes,
            factors,
            table: Window::on(&table).to_read(),
        }))
    }

    /// The dispatches of the pass `number` over `rows` rows, or over a part of one.
    pub(super) fn pass(
        &self,
        steps: &mut Steps<'_>,
        number: usize,
        rows: usize,
        [from, to]: [&Window; 2],
        part: Option<Part>,
    ) -> Result<(), Error> {
        let pass = self.passes[number];
        let is_last = number + 1 == self.passes.len();
        let next = self.passes.get(number + 1).map_or(0, |next| next.levels);
        let tables = self.factors.places(number);
        // Of one row. In the last pass each block is one column.
        let in_row = match is_last {
            true => pass.before,
            false => self.log2 - pass.before - pass.levels,
        };
        let columns = part.map_or(in_row, |part| part.columns);
        let fills = match steps.caps().kind {
            DeviceKind::Software => 0,
            _ => FILLS,
        };
        let (elements, side_by_side) = match part {
            Some(_) => (1 << (pass.levels + columns), 1 << columns),
            None if is_last => (rows << self.log2, rows << columns),
            None => (rows << self.log2, 1 << columns),
        };
        let log_c = pass.log_columns(elements, side_by_side, fills);
        let (kernel, invocations) = (kernel(steps.caps()), pass.invocations(log_c));
        let groups = match is_last {
            true => side_by_side.div_ceil(1 << log_c),
            false => elements >> (pass.levels + log_c),
        };
        let start = part.map_or(0, |part| part.number * groups);
        let mut flags = 0;
        if is_last {
            flags |= LAST | if self.to_natural { TO_NATURAL } else { 0 };
        }
        if number == 0 && self.from_reversed {
            flags |= FROM_REVERSED;
        }
        let blocks = rows << if is_last { pass.before } else { 0 };
        let most = steps.most_groups(1 << (pass.levels + log_c));
        for first in (0..groups).step_by(most) {
            let constants = [
                from.start,
                to.start,
                self.log2,
                pass.before,
                pass.levels,
                log_c,
                count(blocks)?,
                flags,
                next,
                tables[0],
                tables[1],
                tables[2],
                count(start + first)?,
                columns,
            ];
            let buffers = [from, to, &self.table];
            let groups = most.min(groups - first);
            steps.dispatch_groups_of(invocations, kernel, Fr::ID, &buffers, &constants, groups)?;
        }
        Ok(())
    }
}

pub(super) fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let x = &call.arguments[0];
    let Some(transforming) = Transforming::new(steps, &Transform::of(call.parameters)?)? else {
        let output = steps.take(Fr::ID, x.elements)?;
        steps.copy(x, &(0..x.elements), &output, 0)?;
        steps.set_result(call, 0, output);
        return Ok(());
    };
    let Transforming {
        to_natural,
        from_reversed,
        ..
    } = transforming;
    let (n, passes) = (1 << transforming.log2, transforming.passes.len());
    // All of the argument is read before any of it is written, unless the first of several
    // passes writes where another workgroup reads.
    let is_in_place = passes == 1 || to_natural || !from_reversed;
    let free = match is_in_place {
        true => steps.free_argument(call.arguments, call.bytes(0)),
        false => None,
    };
    let output = match free {
        Some(storage) => storage,
        None => Arc::new(steps.take(Fr::ID, x.elements)?),
    };
    // Elements change places in the last pass, which then cannot write where it reads.
    let between = match to_natural && passes > 1 {
        true => Arc::new(steps.take(Fr::ID, x.elements)?),
        false => Arc::clone(&output),
    };
    let rows_bound = steps.most_bound(Fr::ID, usize::MAX) / n;
    let rows = x.elements / n;
    for first in (0..rows).step_by(rows_bound) {
        let rows = first..rows.min(first + rows_bound);
        let elements = rows.start * n..rows.end * n;
        for number in 0..passes {
            let from = match number {
                0 => steps.input(x, &elements)?,
                _ => steps.window(&between, Fr::ID, &elements, Access::Read),
            };
            let to = if number + 1 == passes {
                &output
            } else {
                &between
            };
            let to = steps.window(to, Fr::ID, &elements, Access::Write);
            transforming.pass(steps, number, rows.len(), [&from, &to], None)?;
        }
    }
    steps.only_result(call, output)
}

/// The kernel for a device: where subgroups can, elements go from register to register.
fn kernel(caps: &DeviceCaps) -> &'static VectorKernel {
    match caps.features.subgroup_shuffle() {
        true => &TRANSFORM_SHUFFLE,
        false => &TRANSFORM,
    }
}

/// Of a workgroup's elements its shared memory has words, or five limbs of 64 bits.
fn expect_shared_memory(steps: &Steps<'_>, passes: &[Pass]) -> Result<(), Error> {
    let arithmetic = steps.arithmetic(Fr::ID);
    let tile = passes.iter().map(Pass::tile).max().unwrap_or_default();
    let needed = match arithmetic {
        Arithmetic::F64 => 40 << tile,
        _ => Fr::BYTES << tile,
    };
    let found = steps.caps().limits.max_shared_memory;
    match needed <= found as usize {
        true => Ok(()),
        false => Err(Error::Vulkan(vk_core::Error::Unsupported {
            needed: format!("{needed} bytes of shared memory for a transform by {arithmetic}"),
            found: format!("{found} at most on {}", steps.caps().name),
        })),
    }
}

impl Pass {
    /// log2 of the elements of a workgroup at most.
    fn tile(&self) -> u32 {
        self.levels.max(TILE)
    }

    /// log2 of the columns of a workgroup, where `elements` elements are in so many columns or
    /// blocks: as many as fit, unless that leaves parts of the device without work. Two are
    /// kept in any case, so that what is read together is 64 bytes.
    fn log_columns(&self, elements: usize, columns: usize, fills: usize) -> u32 {
        let most = (self.tile() - self.levels).min(columns.next_power_of_two().ilog2());
        let has_work = |log_c: &u32| elements >> (self.levels + log_c) >= fills;
        (2..=most).rev().find(has_work).unwrap_or(most.min(1))
    }

    /// Invocations of a workgroup of 2^log_c columns: one for each pair of elements.
    fn invocations(&self, log_c: u32) -> u32 {
        (1 << (self.levels + log_c) >> 1).max(LEAST_INVOCATIONS)
    }
}

#[cfg(test)]
mod tests {
    use field_kernels::edge::edge_elements;
    use vk_core::testing::{changed, device_under_test, recorded};

    use super::*;
    use crate::vectors::vulkan::engine_on;
    use crate::vectors::{Domain, VectorEngine};

    #[test]
    fn passes_do_all_levels_in_as_few_as_fit() {
        let levels = |log2| {
            passes(log2)
                .iter()
                .map(|pass| pass.levels)
                .collect::<Vec<_>>()
        };
        assert_eq!(levels(1), [1]);
        assert_eq!(levels(9), [9]);
        assert_eq!(levels(10), [5, 5]);
        assert_eq!(levels(20), [6, 7, 7]);
        assert_eq!(levels(32), [8, 8, 8, 8]);
        for log2 in 1..=32 {
            let mut before = 0;
            for pass in passes(log2) {
                assert_eq!(pass.before, before);
                assert!((1..=MOST_LEVELS).contains(&pass.levels), "{log2}: {pass:?}");
                before += pass.levels;
            }
            assert_eq!(before, log2);
        }
    }

    /// As was fastest on an H200.
    #[test]
    fn workgroups_have_an_invocation_for_each_pair_of_256_elements_or_512() {
        let shapes = |log2: u32| {
            let passes = passes(log2).into_iter();
            let shapes = passes.map(|pass| {
                let columns = 1 << (log2 - pass.levels);
                let log_c = pass.log_columns(1 << log2, columns, FILLS);
                (pass.levels, log_c, pass.invocations(log_c))
            });
            shapes.collect::<Vec<_>>()
        };
        assert_eq!(shapes(1), [(1, 0, 32)]);
        assert_eq!(shapes(9), [(9, 0, 256)]);
        assert_eq!(shapes(12), [(6, 1, 64), (6, 1, 64)]);
        assert_eq!(shapes(16), [(8, 0, 128), (8, 0, 128)]);
        assert_eq!(shapes(18), [(9, 0, 256), (9, 0, 256)]);
        assert_eq!(shapes(20), [(6, 2, 128), (7, 1, 128), (7, 1, 128)]);
        assert_eq!(shapes(26), [(8, 0, 128), (9, 0, 256), (9, 0, 256)]);
        // Of many short rows as many as fit; of few no more than there are.
        let short = Pass {
            before: 0,
            levels: 3,
        };
        assert_eq!(short.log_columns(1 << 20, 1 << 17, FILLS), 5);
        assert_eq!(short.log_columns(3 << 3, 3, FILLS), 1);
        assert_eq!(short.log_columns(3 << 3, 3, 0), 2);
    }

    #[test]
    fn elements_are_shuffled_where_subgroups_can() {
        let name = |caps| kernel(&caps).name;
        assert_eq!(name(recorded::h200()), "transform_shuffle");
        assert_eq!(name(recorded::llvmpipe()), "transform");
    }

    /// On a device with shuffles too, where all other tests have them.
    #[test]
    fn transforms_without_shuffles_are_as_on_the_cpu() {
        let (_guard, physical) = device_under_test().unwrap();
        let physical = changed(physical, |caps| {
            caps.features.subgroup_operations = Default::default();
        });
        let device = engine_on(&physical, Default::default(), None);
        let cpu = VectorEngine::cpu_with_threads(2).unwrap();
        let edges = edge_elements::<Fr>();
        for log2 in [1, 4, 7, 9, 11, 13] {
            let domain = Domain::new(1 << log2).unwrap().coset_of_generator();
            let x: Vec<_> = edges.iter().copied().cycle().take(3 << log2).collect();
            for transform in [Transform::forward(&domain), Transform::inverse(&domain)] {
                let [found, expected] = [&device, &cpu].map(|engine| {
                    let mut limbs = x.concat();
                    engine.transform(&mut limbs, &transform).unwrap();
                    limbs
                });
                assert!(found == expected, "{transform:?}");
            }
        }
    }
}
