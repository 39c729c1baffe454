//! Proofs of all cells of a blob at once, after [Feist and
//! Khovratovich](https://eprint.iacr.org/2023/033).
//!
//! With p the coefficients of a blob, g the powers of the secret and c = x^64 at the points of
//! a cell, the quotient of the polynomial less its values there is p without its first 64 t
//! coefficients, times c^(t - 1), for all t from 1 to 63. So a cell's proof is the sum of the
//! V_t c^(t - 1), where V_t is the sum of all p_(64 m + i) g_(64 (m - t) + i). These are
//! products of polynomials, one for each i, taken by transforms of 128 elements: of p for each
//! blob, and of g once for a setup (`columns`). The sums of the transforms' products at each
//! of the 128 places are the values of a polynomial whose lower half has the V_t, and the proofs
//! are the values of that half.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use field_kernels::arithmetic::{bit_reversed, to_montgomery};
use field_kernels::{Fr, G1};
use gpu_executor::vectors::{
    self, Bases, Domain, FieldVec, Indices, Order, PointCheck, PointVec, Queue, TableMemory,
    Transform, VectorEngine,
};

use crate::evaluation::invert;
use crate::kzg::Shared;
use crate::{
    CELLS_PER_BLOB, CELLS_PER_EXT_BLOB, FIELD_ELEMENTS_PER_BLOB, FIELD_ELEMENTS_PER_CELL,
    FIELD_ELEMENTS_PER_EXT_BLOB, Point, Result,
};

/// What is kept on the engine for proofs.
#[derive(Default)]
pub(crate) struct Fk20 {
    columns: OnceLock<PointVec<G1>>,
    /// For the last numbers of blobs, the last one first.
    layouts: Mutex<Vec<Arc<Layout>>>,
}

/// Layouts that are kept: of whole windows, and of what is left after them.
const KEPT: usize = 2;

/// Points and places for a number of blobs.
struct Layout {
    blobs: usize,
    columns: PointVec<G1>,
    /// Where each of 64 times 128 coefficients is, of those with the same i one after the
    /// other, and after the first half zeros.
    by_offset: Indices,
    /// From there to the 64 that belong to one transformed column.
    by_column: Indices,
}

impl Fk20 {
    /// Parts that columns are made in.
    pub(crate) const PARTS: usize = 8;

    /// Has the columns on the engine; `done` is told how many parts are, and stops it.
    pub(crate) fn prepare(
        &self,
        shared: &Shared,
        done: &dyn Fn(usize) -> Result<()>,
    ) -> Result<()> {
        self.points(shared, done)?;
        done(Self::PARTS)
    }

    /// The columns on the engine; `done` is told of all parts but the last.
    fn points(&self, shared: &Shared, done: &dyn Fn(usize) -> Result<()>) -> Result<&PointVec<G1>> {
        if let Some(points) = self.columns.get() {
            return Ok(points);
        }
        let Shared { engine, setup, .. } = shared;
        let make = || {
            let points = match engine.is_for_points(FIELD_ELEMENTS_PER_EXT_BLOB) {
                true => columns(engine, setup.g1(), done)?,
                false => {
                    let columns = columns(&shared.host, setup.g1(), done)?.download::<Point>()?;
                    engine.upload_points(&columns, PointCheck::Trusted)?
                }
            };
            Ok(Bases::prepare(&points, 1, TableMemory::None)?)
        };
        let (kind, count) = (("columns", ""), FIELD_ELEMENTS_PER_EXT_BLOB);
        let points = shared.tables.kept(engine, kind, count, make)?.points()?;
        Ok(self.columns.get_or_init(|| points))
    }

    /// The proofs of blobs, each with a row of 4,096 coefficients: 128 for each, in the order of
    /// its cells.
    pub(crate) fn proofs(
        &self,
        shared: &Shared,
        queue: &Queue,
        coefficients: &FieldVec<Fr>,
    ) -> Result<PointVec<G1>> {
        let blobs = coefficients.len() / FIELD_ELEMENTS_PER_BLOB;
        let layout = self.layout(shared, blobs)?;
        let zero = queue.fill(0, 1)?;
        let padded = queue.concat(&[coefficients, &zero])?;
        let by_offset = queue.gather(&padded, &layout.by_offset)?;
        let domain = Domain::new(CELLS_PER_EXT_BLOB)?;
        let transform = Transform::forward(&domain).to(Order::BitReversed);
        let transformed = queue.transform(&by_offset, &transform)?;
        let by_column = queue.gather(&transformed, &layout.by_column)?;
        // What is made of the sums is twice what is wanted.
        let half = invert(&to_montgomery::<Fr>(&[2, 0, 0, 0]));
        let halves = queue.mul(&by_column, vectors::Scalar::new(half))?;
        let terms = FIELD_ELEMENTS_PER_CELL;
        let sums = queue.msm_each_as_points(&layout.columns, &halves, terms)?;
        Ok(queue.lower_half_of_points(&sums, &domain, [Order::BitReversed; 2])?)
    }

    /// That for so many blobs, kept or made.
    fn layout(&self, shared: &Shared, blobs: usize) -> Result<Arc<Layout>> {
        // Nothing panics under the lock.
        let mut kept = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        let layout = match kept.iter().position(|it| it.blobs == blobs) {
            Some(place) => kept.remove(place),
            None => {
                let points = self.points(shared, &|_| Ok(()))?;
                Arc::new(Layout::new(shared, points, blobs)?)
            }
        };
        kept.truncate(KEPT - 1);
        kept.insert(0, Arc::clone(&layout));
        Ok(layout)
    }
}

impl Layout {
    fn new(shared: &Shared, columns: &PointVec<G1>, blobs: usize) -> Result<Self> {
        let engine = &shared.engine;
        let queue = engine.queue();
        let columns = queue.concat(&vec![columns; blobs])?;
        // What uses them is told what became of it.
        let _pending = queue.submit()?;
        let zero = index(blobs * FIELD_ELEMENTS_PER_BLOB);
        let (mut by_offset, mut by_column) = (Vec::new(), Vec::new());
        for blob in 0..blobs {
            for offset in 0..FIELD_ELEMENTS_PER_CELL {
                let first = blob * FIELD_ELEMENTS_PER_BLOB + offset;
                let all = (first..)
                    .step_by(FIELD_ELEMENTS_PER_CELL)
                    .take(CELLS_PER_BLOB);
                by_offset.extend(all.map(index));
                by_offset.extend([zero; CELLS_PER_BLOB]);
            }
            for column in 0..CELLS_PER_EXT_BLOB {
                let first = blob * FIELD_ELEMENTS_PER_EXT_BLOB + column;
                let all = (first..)
                    .step_by(CELLS_PER_EXT_BLOB)
                    .take(FIELD_ELEMENTS_PER_CELL);
                by_column.extend(all.map(index));
            }
        }
        Ok(Self {
            blobs,
            columns,
            by_offset: engine.upload_indices(&by_offset)?,
            by_column: engine.upload_indices(&by_column)?,
        })
    }
}

/// Of some hundred thousand elements.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The transforms of the powers in G1: for each of 128 columns, in bit-reversed order, as many
/// points as there are rows of 64 powers. Milliseconds of a GPU, some seconds of one core.
fn columns(
    engine: &VectorEngine,
    powers: &[Point],
    done: &dyn Fn(usize) -> Result<()>,
) -> Result<PointVec<G1>> {
    let (rows, row) = (powers.len() / CELLS_PER_BLOB, CELLS_PER_EXT_BLOB);
    let mut padded = vec![Point::default(); rows * row];
    // Power t of row i at t + 1: so V_t comes to stand at t - 1.
    for (place, power) in powers.iter().enumerate() {
        padded[place % rows * row + place / rows + 1] = *power;
    }
    let transform = Transform::forward(&Domain::new(row)?);
    let mut transformed = Vec::new();
    for part in padded.chunks(padded.len().div_ceil(Fk20::PARTS).next_multiple_of(row)) {
        if !transformed.is_empty() {
            done(transformed.len())?;
        }
        let part = engine.upload_points::<G1>(part, PointCheck::Trusted)?;
        let queue = engine.queue();
        transformed.push(queue.transform_points(&part, &transform)?);
        queue.submit()?.wait()?;
    }
    // By the inverses of the roots: t is taken from the coefficients' numbers.
    let from = |column| (row - bit_reversed(column, row.ilog2())) % row;
    let places = (0..row).flat_map(|column| (from(column)..).step_by(row).take(rows));
    let by_column = engine.upload_indices(&places.map(index).collect::<Vec<_>>())?;
    let queue = engine.queue();
    let columns = queue.gather(&queue.concat(&transformed)?, &by_column)?;
    queue.submit()?.wait()?;
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use gpu_executor::spirv::PersistentVulkanBackend;
    use gpu_executor::{Cache, Validation};
    use vk_core::testing::DeviceTest;

    use super::*;
    use crate::TrustedSetup;

    /// Of the first two rows: a software device takes long.
    #[test]
    fn a_device_makes_the_columns_that_the_host_makes() {
        let mut guard = DeviceTest::begin();
        let builder = PersistentVulkanBackend::builder();
        let builder = builder.validation(Validation::On).cache(Cache::Off);
        let mut backend = builder.build().unwrap();
        guard.watch(&backend.device().name, backend.validation_log().clone());
        let setup = TrustedSetup::mainnet().unwrap();
        let powers = &setup.g1()[..2 * CELLS_PER_BLOB];
        let [on_device, on_host] =
            [backend.vectors().unwrap(), VectorEngine::cpu().unwrap()].map(|engine| {
                let columns = columns(&engine, powers, &|_| Ok(())).unwrap();
                columns.download::<Point>().unwrap()
            });
        assert_eq!(on_device.len(), 2 * CELLS_PER_EXT_BLOB);
        assert_eq!(on_device, on_host);
    }
}
