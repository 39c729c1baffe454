//! Proofs of all cells of a blob at once, after [Feist and
//! Khovratovich](https://eprint.iacr.org/2023/033).
//!
//! With p the coefficients of a blob, g the powers of the secret and c = x^64 at the points of
//! a cell, the quotient of the polynomial less its values there is p without its first 64 t
//! coefficients, times c^(t - 1), for all t from 1 to 63. So a cell's proof is the sum of the
//! V_t c^(t - 1), where V_t is the sum of all p_(64 m + i) g_(64 (m - t) + i). These are
//! products of polynomials, one for each i, taken by transforms of 128 elements: of p on the
//! engine, and of g once for a setup (`columns`).

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use field_kernels::{Fr, G1};
use gpu_executor::vectors::{
    Domain, FieldVec, Indices, Order, PointCheck, PointVec, Queue, Transform, VectorEngine,
};

use crate::evaluation::reversed;
use crate::kzg::Shared;
use crate::{
    CELLS_PER_BLOB, CELLS_PER_EXT_BLOB, FIELD_ELEMENTS_PER_BLOB, FIELD_ELEMENTS_PER_CELL,
    FIELD_ELEMENTS_PER_EXT_BLOB, Point, Result, Scalar,
};

/// What is kept on the engine for proofs.
#[derive(Default)]
pub(crate) struct Fk20 {
    columns: OnceLock<PointVec<G1>>,
    /// For the last number of blobs.
    layout: Mutex<Option<Arc<Layout>>>,
}

/// Points, places and factors for a number of blobs.
struct Layout {
    blobs: usize,
    columns: PointVec<G1>,
    /// Where each of 64 times 128 coefficients is, of those with the same i one after the
    /// other, and after the first half zeros.
    by_offset: Indices,
    /// From there to the 64 that belong to one transformed column.
    by_column: Indices,
    factors: Factors,
}

impl Fk20 {
    /// The columns on the engine.
    pub(crate) fn points(&self, shared: &Shared) -> Result<&PointVec<G1>> {
        if let Some(points) = self.columns.get() {
            return Ok(points);
        }
        let columns = shared.setup.columns(&shared.host)?;
        let points = shared
            .engine
            .upload_points::<G1>(columns, PointCheck::Trusted)?;
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
        // Scaled here, where it costs next to nothing: the one over points is not.
        let transform = Transform::inverse(&Domain::new(CELLS_PER_EXT_BLOB)?);
        let transform = transform.to(Order::BitReversed);
        let transformed = queue.transform(&by_offset, &transform)?;
        let by_column = queue.gather(&transformed, &layout.by_column)?;
        let terms = FIELD_ELEMENTS_PER_CELL;
        let sums = queue.msm_each_as_points(&layout.columns, &by_column, terms)?;
        let shares = layout.factors.to_columns(queue, sums)?;
        let shares = shares.slice(..blobs * CELLS_PER_BLOB)?;
        layout.factors.to_rows(queue, shares, None)
    }

    /// That for so many blobs, kept or made.
    fn layout(&self, shared: &Shared, blobs: usize) -> Result<Arc<Layout>> {
        // Nothing panics under the lock.
        let mut kept = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = kept.as_ref().filter(|it| it.blobs == blobs) {
            return Ok(Arc::clone(layout));
        }
        let layout = Layout::new(shared, self.points(shared)?, blobs)?;
        Ok(Arc::clone(kept.insert(Arc::new(layout))))
    }
}

impl Layout {
    fn new(shared: &Shared, columns: &PointVec<G1>, blobs: usize) -> Result<Self> {
        let engine = &shared.engine;
        let queue = engine.queue();
        let columns = queue.concat(&vec![columns; blobs])?;
        queue.submit()?.wait()?;
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
            factors: Factors::new(engine, blobs)?,
        })
    }
}

/// Of some hundred thousand elements.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The transforms of the powers in G1: for each of 128 columns, in bit-reversed order, 64
/// points. Some seconds of one core.
pub(crate) fn columns(host: &VectorEngine, powers: &[Point]) -> Result<Vec<Point>> {
    let rows = FIELD_ELEMENTS_PER_CELL;
    let infinity = Point::default();
    // Power t of column i at t + 1: so V_t comes to stand at t - 1.
    let mut padded = vec![infinity; rows];
    padded.extend_from_slice(powers);
    padded.resize(CELLS_PER_EXT_BLOB * rows, infinity);
    let padded = host.upload_points::<G1>(&padded, PointCheck::Trusted)?;
    let (first, second) = padded.split_at(padded.len() / 2)?;
    let queue = host.queue();
    let transformed = Factors::new(host, rows)?.to_rows(&queue, first, Some(second))?;
    queue.submit()?.wait()?;
    let transformed = transformed.download::<Point>()?;
    let columns = (0..CELLS_PER_EXT_BLOB).flat_map(|column| {
        let all = transformed.iter().skip(column);
        all.step_by(CELLS_PER_EXT_BLOB).copied()
    });
    Ok(columns.collect())
}

/// The factors of transforms of 128 points, for each of their levels but the last, whose are 1.
struct Factors {
    to_columns: Vec<FieldVec<Fr>>,
    to_rows: Vec<FieldVec<Fr>>,
}

const LEVELS: u32 = CELLS_PER_EXT_BLOB.ilog2();

impl Factors {
    fn new(engine: &VectorEngine, rows: usize) -> Result<Self> {
        let roots: Vec<Scalar> = Domain::new(CELLS_PER_EXT_BLOB)?.elements().collect();
        let pairs = rows * CELLS_PER_BLOB;
        let levels = |exponent: &dyn Fn(u32, usize) -> usize| {
            let of_level = |level| {
                let roots = (0..pairs).map(|place| roots[exponent(level, place) << level]);
                engine.upload::<Fr>(&roots.collect::<Vec<_>>())
            };
            (0..LEVELS - 1).map(of_level).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            to_columns: levels(&|level, place| {
                let bits = LEVELS - 1 - level;
                reversed(place % (1 << bits), bits)
            })?,
            to_rows: levels(&|level, place| place / (rows << level))?,
        })
    }

    /// The transforms of rows of points in bit-reversed order, as columns in natural order: all
    /// that come first, then all that come second. Neighbours are taken together, and of each
    /// level sums come before differences.
    fn to_columns(&self, queue: &Queue, mut points: PointVec<G1>) -> Result<PointVec<G1>> {
        for level in 0..LEVELS as usize {
            let [first, second] = [0, 1].map(|start| queue.strided(&points, start, 2));
            let both = butterflies(queue, &first?, &second?, self.to_columns.get(level))?;
            points = queue.concat(&both)?;
        }
        Ok(points)
    }

    /// The transforms of columns of points in natural order, the first half of these and the
    /// second, where that is not infinity; as rows in bit-reversed order.
    fn to_rows(
        &self,
        queue: &Queue,
        first: PointVec<G1>,
        second: Option<PointVec<G1>>,
    ) -> Result<PointVec<G1>> {
        let mut factors = self.to_rows.iter();
        let of_level = factors.next();
        let mut both = match (second, of_level) {
            (None, Some(factors)) => [first.clone(), queue.mul_points(&first, factors)?],
            (None, None) => [first.clone(), first],
            (Some(second), factors) => butterflies(queue, &first, &second, factors)?,
        };
        for _ in 1..LEVELS {
            let points = queue.interleave(&both)?;
            let (first, second) = points.split_at(points.len() / 2)?;
            both = butterflies(queue, &first, &second, factors.next())?;
        }
        Ok(queue.interleave(&both)?)
    }
}

/// Sums, and differences times factors.
fn butterflies(
    queue: &Queue,
    first: &PointVec<G1>,
    second: &PointVec<G1>,
    factors: Option<&FieldVec<Fr>>,
) -> Result<[PointVec<G1>; 2]> {
    let differences = queue.sub_points(first, second)?;
    let differences = match factors {
        Some(factors) => queue.mul_points(&differences, factors)?,
        None => differences,
    };
    Ok([queue.add_points(first, second)?, differences])
}
