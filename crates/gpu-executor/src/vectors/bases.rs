//! Points that many sums are taken over, prepared once.

mod file;

use std::fmt;
use std::ops::RangeBounds;

use field_kernels::curve::Coordinate;
use field_kernels::{Curve, ElementType as _};

use super::engine::VectorEngine;
use super::families::{self, Multiples, Shape};
use super::field_vec::{FieldVec, range_in};
use super::operand::Scalar;
use super::points::PointVec;
use crate::{Engine, Result};

/// Points that many multi-scalar multiplications are over, prepared: with multiples of each,
/// tables of 2^s times it, 2^2s times it and so on, for as much memory as the caller names.
/// Digits of scalars that are s bits apart then share buckets, of which fewer are left to be
/// added up, and doublings fall away. Sums over them are those over the points.
///
/// It takes the place of a [`PointVec`] in [`Queue::msm`](super::Queue::msm) and its relatives.
/// Clones and slices share memory. On the CPU engine it is the points alone: blst's method, by
/// which that computes, has no use for multiples.
///
/// ```
/// use gpu_executor::vectors::{Bases, Curve, Fr, G1, PointCheck, TableMemory, VectorEngine};
///
/// # fn main() -> anyhow::Result<()> {
/// # let engine = VectorEngine::cpu_with_threads(2)?;
/// let points = engine.upload_points::<G1>(&[G1::GENERATOR; 3].concat(), PointCheck::Subgroup)?;
/// // For single sums, and as much memory as makes them faster.
/// let bases = Bases::prepare(&points, 1, TableMemory::AsPays)?;
/// let scalars = engine.upload_plain::<Fr>(&[[5, 0, 0, 0], [6, 0, 0, 0], [0; 4]])?;
/// let queue = engine.queue();
/// let (prepared, plain) = (queue.msm(&bases, &scalars)?, queue.msm(&points, &scalars)?);
/// let done = queue.submit()?.wait()?;
/// assert_eq!(done.msm(&prepared)?, done.msm(&plain)?);
/// println!("{} bases, {} multiples of each, {} bytes", bases.len(), bases.multiples(), bases.bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Bases<C: Curve> {
    /// Of each base its multiples, the base first.
    points: PointVec<C>,
    /// Where there are multiples, the x of all times a cube root of unity, as sums use it.
    images: Option<FieldVec<C::Field>>,
    multiples: Multiples,
}

/// Memory for multiples of bases.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableMemory {
    /// None: the points alone.
    None,
    /// With the points so many bytes at most; as many multiples as make sums faster.
    Bytes(usize),
    /// So many multiples of each point at most, the point included, and as many of these as
    /// there can be: for measurements.
    Multiples(usize),
    /// As many multiples as make sums faster, by a model of an NVIDIA H200, and as a kernel
    /// takes at once on the device.
    AsPays,
}

impl<C: Curve> Bases<C> {
    /// A point, and the x of its image.
    const BYTES_OF_MULTIPLE: usize = C::BYTES + C::Field::BYTES;

    /// Prepares points of the subgroup for calls with `sums` sums each, over all of them:
    /// 1 for [`Queue::msm`](super::Queue::msm). Sums of fewer bases, and other numbers of
    /// sums, are right too, and a little slower than with multiples of their own. Waits until
    /// they are there, and takes twice as much memory as they do meanwhile.
    ///
    /// # Errors
    /// As [`Queue::mul_points`](super::Queue::mul_points) and
    /// [`Queue::submit`](super::Queue::submit).
    pub fn prepare(points: &PointVec<C>, sums: usize, memory: TableMemory) -> Result<Self> {
        let (engine, shape) = (points.engine(), Shape::of(C::ID, sums, points.len()));
        let bound = families::bytes_bound::<C>(engine);
        let at_once = engine.runner().most_bound(C::ID) / points.len().max(1);
        let each = points.len().max(1) * Self::BYTES_OF_MULTIPLE;
        let multiples = match memory {
            _ if is_cpu(engine) || points.is_empty() => Multiples::NONE,
            TableMemory::None => Multiples::NONE,
            TableMemory::Bytes(bytes) => Multiples::that_pay(shape, bound, bytes / each),
            TableMemory::Multiples(most) => Multiples::as_many_as(shape, bound, most),
            TableMemory::AsPays => Multiples::that_pay(shape, bound, at_once),
        };
        Self::with(points, multiples)
    }

    /// With these multiples of each point, which are made.
    pub(in crate::vectors) fn with(points: &PointVec<C>, multiples: Multiples) -> Result<Self> {
        if multiples == Multiples::NONE {
            return Self::of(points.clone(), multiples);
        }
        let engine = points.engine();
        let mut power = [0; 4];
        power[multiples.spacing as usize / 64] = 1 << (multiples.spacing % 64);
        let mut all = vec![points.clone()];
        for multiple in 1..multiples.count {
            let queue = engine.queue();
            let next = queue.mul_points(&all[multiple - 1], Scalar::plain(power))?;
            // What uses it is told what became of it.
            let _pending = queue.submit()?;
            all.push(next);
        }
        let queue = engine.queue();
        let points = queue.interleave(&all)?;
        let _pending = queue.submit()?;
        Self::of(points, multiples)
    }

    /// Of points by turns, with the images that go with them. Waits for all of it.
    fn of(points: PointVec<C>, multiples: Multiples) -> Result<Self> {
        let queue = points.engine().queue();
        let images = match multiples {
            Multiples::NONE => None,
            _ => {
                let mut root = Coordinate::<C>::default();
                root.as_mut()[..C::CUBE_ROOT.len()].copy_from_slice(&C::CUBE_ROOT);
                let x = queue.strided(&points.reinterpreted::<C::Field>(), 0, 2)?;
                Some(queue.mul(&x, Scalar::new(root))?)
            }
        };
        queue.submit()?.wait()?;
        Ok(Self {
            points,
            images,
            multiples,
        })
    }

    /// How many bases it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len() / self.multiples.count
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How many multiples of each base it has, the base included.
    #[must_use]
    pub fn multiples(&self) -> usize {
        self.multiples.count
    }

    /// The bases themselves, without their multiples.
    ///
    /// # Errors
    /// As [`Queue::submit`](super::Queue::submit).
    pub fn points(&self) -> Result<PointVec<C>> {
        if self.multiples == Multiples::NONE {
            return Ok(self.points.clone());
        }
        let queue = self.engine().queue();
        let points = queue.strided(&self.points, 0, self.multiples.count)?;
        // What uses them is told what became of it.
        let _pending = queue.submit()?;
        Ok(points)
    }

    /// The memory that they take, or that a slice has of it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let images = self.images.as_ref().map_or(0, FieldVec::len);
        self.points.len() * C::BYTES + images * C::Field::BYTES
    }

    /// The engine that they belong to.
    #[must_use]
    pub fn engine(&self) -> &VectorEngine {
        self.points.engine()
    }

    /// Some of the bases: `slice(..n)` for as many as there are scalars.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange).
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Self> {
        let range = range_in(self.len(), &range)?;
        let its = self.multiples.count * range.start..self.multiples.count * range.end;
        Ok(Self {
            points: self.points.slice(its.clone())?,
            images: match &self.images {
                Some(images) => Some(images.slice(its)?),
                None => None,
            },
            multiples: self.multiples,
        })
    }
}

fn is_cpu(engine: &VectorEngine) -> bool {
    matches!(engine.engine(), Engine::Cpu { .. })
}

impl<C: Curve> fmt::Debug for Bases<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bases")
            .field("curve", &C::NAME)
            .field("len", &self.len())
            .field("multiples", &self.multiples.count)
            .finish_non_exhaustive()
    }
}

/// What a multi-scalar multiplication is over: a [`PointVec`], or [`Bases`].
pub trait MsmPoints: sealed::Sealed {}

impl<C: Curve> MsmPoints for FieldVec<C> {}
impl<C: Curve> MsmPoints for Bases<C> {}

pub(super) mod sealed {
    use super::{Bases, Curve, FieldVec, Multiples};

    pub trait Sealed {
        type Curve: Curve;

        fn prepared(&self) -> Prepared<'_, Self::Curve>;
    }

    /// Points, of each its multiples, and the x of their images where these are there.
    pub struct Prepared<'p, C: Curve> {
        pub(in crate::vectors) points: &'p FieldVec<C>,
        pub(in crate::vectors) images: Option<&'p FieldVec<C::Field>>,
        pub(in crate::vectors) multiples: Multiples,
    }

    impl<C: Curve> Prepared<'_, C> {
        pub(in crate::vectors) fn len(&self) -> usize {
            self.points.len() / self.multiples.count
        }
    }

    impl<C: Curve> Sealed for FieldVec<C> {
        type Curve = C;

        fn prepared(&self) -> Prepared<'_, C> {
            Prepared {
                points: self,
                images: None,
                multiples: Multiples::NONE,
            }
        }
    }

    impl<C: Curve> Sealed for Bases<C> {
        type Curve = C;

        fn prepared(&self) -> Prepared<'_, C> {
            Prepared {
                points: &self.points,
                images: self.images.as_ref(),
                multiples: self.multiples,
            }
        }
    }
}
