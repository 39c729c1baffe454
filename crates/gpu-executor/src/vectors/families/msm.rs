//! Multi-scalar multiplications: sums of points, each times a scalar.

mod chunks;
mod device;
mod multiples;
mod plan;
mod scalars;
mod time;

use bytemuck::must_cast_slice;
use field_kernels::curve::{Curve, Xyzz};
use field_kernels::{ElementId, ElementType as _, Fr};

pub(super) use self::device::join::{Doublings, join_rows};
pub(super) use self::device::sort::split;
pub(super) use self::device::{each_dispatch, images_of, words};
use self::plan::{HALF_BITS, Plan};
pub(in crate::vectors) use self::plan::{Multiples, Shape};
use self::scalars::Layout;
use super::{Call, WholeOperation};
use crate::vectors::bases::MsmPoints;
use crate::vectors::bases::sealed::Prepared;
use crate::vectors::cpu::{self, BlstCurve, HostScalars, Run};
use crate::vectors::engine::VectorEngine;
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::fields::with_curve;
use crate::vectors::pending::Completed;
use crate::vectors::points::PointVec;
use crate::vectors::queue::{Queue, Readback, expect_equal};
use crate::vectors::runner::internal;
use crate::{Error, Result};

pub use self::scalars::Scalars;

static MSM: WholeOperation = WholeOperation {
    name: "msm",
    multiplies: true,
    leaves: None,
    on_device: device::on_device,
    on_cpu: |run, call| with_curve!(call.arguments[0].of, C => on_cpu::<C>(run, call)),
};

/// Sums of points times scalars, to be known when a submission is complete; see [`Queue::msm`]
/// and [`Completed::msm`].
#[must_use = "the sums are asked for by it"]
#[derive(Debug)]
pub struct Msm<C: Curve> {
    parts: Readback<C::Field>,
    /// How what was read is joined; `None` for sums.
    join: Option<Plan>,
}

impl Queue {
    /// A multi-scalar multiplication: the sum of the points, each times its scalar; infinity
    /// without any. Scalars are elements in either form, or integers ([`upload_integers`]).
    /// Points are of the subgroup; they may be equal, opposite and infinity.
    ///
    /// [`upload_integers`]: crate::vectors::VectorEngine::upload_integers
    ///
    /// ```
    /// use gpu_executor::vectors::{Curve, Fr, G1, PointCheck, VectorEngine};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # let engine = VectorEngine::cpu_with_threads(2)?;
    /// let points = engine.upload_points::<G1>(&[G1::GENERATOR; 3].concat(), PointCheck::Subgroup)?;
    /// let scalars = engine.upload_plain::<Fr>(&[[5, 0, 0, 0], [6, 0, 0, 0], [0; 4]])?;
    /// let queue = engine.queue();
    /// let msm = queue.msm(&points, &scalars)?;
    /// let sum = queue.submit()?.wait()?.msm(&msm)?;
    /// let eleven = engine.upload_plain::<Fr>(&[[11, 0, 0, 0]])?;
    /// let queue = engine.queue();
    /// let msm = queue.msm(&points.slice(0..1)?, &eleven)?;
    /// assert_eq!(sum, queue.submit()?.wait()?.msm(&msm)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn msm<'s, P: MsmPoints>(
        &self,
        points: &P,
        scalars: impl Into<Scalars<'s>>,
    ) -> Result<Msm<P::Curve>> {
        let (points, scalars) = (points.prepared(), scalars.into());
        expect_equal(MSM.name, points.len(), scalars.len())?;
        self.msm_of(&points, scalars, points.len(), 1)
    }

    /// Several sums over the same points: one for each row of as many scalars as there are
    /// points. See [`Completed::msm_rows`].
    ///
    /// # Errors
    /// [`Error::WrongRows`] for scalars that are not of such rows, one at least, else as
    /// [`Self::msm`].
    pub fn msm_rows<'s, P: MsmPoints>(
        &self,
        points: &P,
        scalars: impl Into<Scalars<'s>>,
    ) -> Result<Msm<P::Curve>> {
        let (points, scalars) = (points.prepared(), scalars.into());
        let (row, found) = (points.len(), scalars.len());
        self.msm_of(&points, scalars, row, rows(row, found)?)
    }

    /// Several sums, each of `terms` points and as many scalars: of the first so many, of the
    /// next and so on. See [`Completed::msm_rows`].
    ///
    /// # Errors
    /// [`Error::WrongRows`] for vectors that are not of such rows, one at least, else as
    /// [`Self::msm`].
    pub fn msm_each<'s, P: MsmPoints>(
        &self,
        points: &P,
        scalars: impl Into<Scalars<'s>>,
        terms: usize,
    ) -> Result<Msm<P::Curve>> {
        let (points, scalars) = (points.prepared(), scalars.into());
        expect_equal(MSM.name, points.len(), scalars.len())?;
        self.msm_of(&points, scalars, terms, rows(terms, scalars.len())?)
    }

    /// As [`Self::msm_rows`], with the sums as a vector of points, which operations of the
    /// same queue can use.
    ///
    /// # Errors
    /// As [`Self::msm_rows`].
    pub fn msm_rows_as_points<'s, P: MsmPoints>(
        &self,
        points: &P,
        scalars: impl Into<Scalars<'s>>,
    ) -> Result<PointVec<P::Curve>> {
        let (points, scalars) = (points.prepared(), scalars.into());
        let (row, found) = (points.len(), scalars.len());
        self.msm_as_points(&points, scalars, row, rows(row, found)?)
    }

    /// As [`Self::msm_each`], with the sums as a vector of points, which operations of the
    /// same queue can use.
    ///
    /// # Errors
    /// As [`Self::msm_each`].
    pub fn msm_each_as_points<'s, P: MsmPoints>(
        &self,
        points: &P,
        scalars: impl Into<Scalars<'s>>,
        terms: usize,
    ) -> Result<PointVec<P::Curve>> {
        let (points, scalars) = (points.prepared(), scalars.into());
        expect_equal(MSM.name, points.len(), scalars.len())?;
        self.msm_as_points(&points, scalars, terms, rows(terms, scalars.len())?)
    }

    /// Sums for the host: it joins a single one, at which a device is slower.
    fn msm_of<C: Curve>(
        &self,
        points: &Prepared<'_, C>,
        scalars: Scalars<'_>,
        terms: usize,
        sums: usize,
    ) -> Result<Msm<C>> {
        let (elements, layout) = scalars.layout();
        let shape = points.shape(sums, terms, layout);
        let plan = points.plan(shape);
        let is_joined = sums > 1;
        let parts = self.sums_of(points, (elements, layout), (shape, plan), is_joined)?;
        Ok(Msm {
            parts: self.read(&parts)?,
            join: (!is_joined).then_some(plan),
        })
    }

    fn msm_as_points<C: Curve>(
        &self,
        points: &Prepared<'_, C>,
        scalars: Scalars<'_>,
        terms: usize,
        sums: usize,
    ) -> Result<PointVec<C>> {
        let (elements, layout) = scalars.layout();
        let shape = points.shape(sums, terms, layout);
        let plan = points.plan(shape);
        let sums = self.sums_of(points, (elements, layout), (shape, plan), true)?;
        match terms {
            0 => Ok(self.fill::<C::Field>(0, 2)?.reinterpreted()),
            _ => self.normalise(&sums),
        }
    }

    /// X, Y, ZZ and ZZZ of the sums by turns, or of the points that they are to be joined of.
    fn sums_of<C: Curve>(
        &self,
        points: &Prepared<'_, C>,
        (scalars, layout): (&FieldVec<Fr>, Layout),
        (shape, plan): (Shape, Plan),
        is_joined: bool,
    ) -> Result<FieldVec<C::Field>> {
        let mut arguments = vec![
            self.argument(MSM.name, points.points)?,
            self.argument(MSM.name, scalars)?,
        ];
        if let Some(images) = points.images {
            arguments.push(self.argument(MSM.name, images)?);
        }
        let node = self.whole(&MSM, C::Field::ID, arguments);
        let Shape { sums, terms, .. } = shape;
        let Multiples { count, spacing } = shape.multiples;
        let [layout, start] = layout.numbers();
        let node = node.with(&[
            sums as u64,
            terms as u64,
            count as u64,
            spacing.into(),
            layout,
            start,
            plan.bits.into(),
            plan.stretch as u64,
            is_joined.into(),
        ]);
        let each = if is_joined { 1 } else { plan.parts() };
        let points = if terms == 0 { 0 } else { sums * each };
        Ok(node.result(4 * points, Form::Montgomery))
    }
}

/// Rows of `row` in `found` scalars.
fn rows(row: usize, found: usize) -> Result<usize> {
    match found.checked_div(row) {
        Some(rows) if rows > 0 && rows * row == found => Ok(rows),
        None if found == 0 => Ok(1),
        _ => Err(Error::WrongRows {
            operation: MSM.name,
            row,
            found,
        }),
    }
}

impl Completed {
    /// The sum. The last of the additions are done here, on the host, where it is a single one:
    /// about 256 of them.
    ///
    /// # Errors
    /// [`Error::ForeignReadback`] for one of another queue, [`Error::WrongLength`] for several
    /// sums.
    pub fn msm<C: Curve>(&self, msm: &Msm<C>) -> Result<Xyzz<C>> {
        match self.msm_rows(msm)?.as_slice() {
            [sum] => Ok(*sum),
            sums => Err(Error::WrongLength {
                operation: MSM.name,
                expected: "a single sum",
                found: sums.len(),
            }),
        }
    }

    /// The sums, one for each row of scalars.
    ///
    /// # Errors
    /// [`Error::ForeignReadback`] for those of another queue.
    pub fn msm_rows<C: Curve>(&self, msm: &Msm<C>) -> Result<Vec<Xyzz<C>>> {
        let coordinates = self.elements(&msm.parts)?;
        let parts = coordinates.as_chunks().0.iter();
        let parts: Vec<_> = parts
            .map(|&[x, y, zz, zzz]| Xyzz { x, y, zz, zzz })
            .collect();
        match msm.join {
            Some(plan) => Ok(vec![plan.join(&parts)]),
            None => Ok(parts),
        }
    }
}

impl Shape {
    pub(in crate::vectors) fn of(curve: ElementId, sums: usize, terms: usize) -> Self {
        Self {
            sums,
            terms,
            scalar_bits: HALF_BITS,
            halves: true,
            sum_bytes: 2 * curve.bytes(),
            multiples: Multiples::NONE,
        }
    }

    /// The same, of scalars that are no elements, perhaps: in halves, if longer than these, or
    /// if with the carry they are longer than what there are multiples for.
    fn of_scalars(self, scalars: Layout) -> Self {
        match scalars {
            Layout::Integers { bits, .. }
                if bits <= HALF_BITS && self.multiples.are_for(bits + 1) =>
            {
                Self {
                    scalar_bits: bits + 1,
                    halves: false,
                    ..self
                }
            }
            _ => self,
        }
    }
}

impl<C: Curve> Prepared<'_, C> {
    fn shape(&self, sums: usize, terms: usize, scalars: Layout) -> Shape {
        let shape = Shape {
            multiples: self.multiples,
            ..Shape::of(C::ID, sums, terms)
        };
        shape.of_scalars(scalars)
    }

    fn plan(&self, shape: Shape) -> Plan {
        Plan::new(shape, bytes_bound::<C>(self.points.engine()))
    }
}

/// The bytes of sums that an engine binds at once.
pub(in crate::vectors) fn bytes_bound<C: Curve>(engine: &VectorEngine) -> usize {
    let most = engine.runner().most_bound(C::Field::ID);
    most.saturating_mul(C::Field::BYTES)
}

/// What a node goes by.
struct Parameters {
    shape: Shape,
    plan: Plan,
    scalars: Layout,
    /// Whether each sum has points of its own.
    own: bool,
    /// Whether sums are asked for, and not the points that the host joins to them.
    joined: bool,
}

fn parameters(call: &Call<'_>) -> Result<Parameters, Error> {
    let unknown = || internal("the parameters of a multi-scalar multiplication");
    let &[
        sums,
        terms,
        multiples,
        spacing,
        layout,
        start,
        bits,
        stretch,
        is_joined,
    ] = call.parameters
    else {
        return Err(unknown());
    };
    let bits_of = |it: u64| u32::try_from(it).map_err(|_| internal("bits of a scalar"));
    let scalars = Layout::of_numbers([layout, start]).ok_or_else(unknown)?;
    let number = |it: u64| usize::try_from(it).map_err(|_| internal("a number of points"));
    let points = &call.arguments[0];
    let shape = Shape {
        multiples: Multiples {
            count: number(multiples)?,
            spacing: bits_of(spacing)?,
        },
        ..Shape::of(points.of, number(sums)?, number(terms)?)
    };
    let shape = shape.of_scalars(scalars);
    Ok(Parameters {
        shape,
        plan: Plan::with(shape, bits_of(bits)?, number(stretch)?),
        scalars,
        own: shape.sums > 1 && points.elements > shape.terms * shape.multiples.count,
        joined: is_joined == 1,
    })
}

fn on_cpu<C: BlstCurve>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let parameters = parameters(call)?;
    let Parameters { shape, scalars, .. } = parameters;
    let points = C::elements(run.limbs(&call.arguments[0])?)?;
    let elements = run.elements::<Fr>(&call.arguments[1])?;
    let scalars = match scalars {
        Layout::Elements(form) => HostScalars::Elements(elements, form),
        Layout::Integers { bits, first } => {
            let bytes = must_cast_slice(elements.as_flattened());
            let each = bits.div_ceil(8) as usize;
            let range = first * each..(first + shape.sums * shape.terms) * each;
            let those = bytes.get(range).ok_or_else(|| internal("integers"))?;
            HostScalars::Integers(those, bits as usize)
        }
    };
    let sums = cpu::msm::<C>(run, points, scalars, shape.sums)?;
    // Of the points that are joined a whole sum is the first, of weight 1; the others are
    // infinity.
    let mut out = run.take(call.bytes(0) / size_of::<u64>())?;
    let each = match parameters.joined {
        true => 1,
        false => parameters.plan.parts(),
    };
    let rows = out.as_mut_slice().chunks_mut(each * Xyzz::<C>::LIMBS);
    for (row, sum) in rows.zip(sums) {
        row.fill(0);
        row[..Xyzz::<C>::LIMBS].copy_from_slice(&sum.to_words());
    }
    run.set_result(call, 0, out);
    Ok(())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) fn samples() -> Vec<(&'static str, super::Sample<Fr>)> {
    use crate::vectors::bases::{Bases, TableMemory};

    vec![
        (MSM.name, |q, x, _| {
            let points = super::generators(x)?;
            // Its result is read, so it is computed whoever holds it.
            let _msm = q.msm(&points, x)?;
            Ok(q.msm_each_as_points(&points, x, x.len())?.reinterpreted())
        }),
        (MSM.name, |q, x, _| {
            let few = x.slice(..20)?;
            let points = super::generators(&few)?;
            let bases = Bases::prepare(&points, 1, TableMemory::Multiples(3))?;
            let sum = q.msm_rows_as_points(&bases.slice(1..)?, &few.slice(1..)?)?;
            Ok(sum.reinterpreted())
        }),
    ]
}
