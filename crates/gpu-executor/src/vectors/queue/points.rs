//! Sums and products of points of the curve, made of operations on their coordinates.
//!
//! All of it is complete: points may be equal, opposite and infinity, mixed in one vector. A
//! point of the curve is infinity where y is 0, since there is none of order 2.

use field_kernels::{Curve, Field, Fr, operations};

use super::{Queue, expect_equal};
use crate::Result;
use crate::vectors::field_vec::FieldVec;
use crate::vectors::indices::Indices;
use crate::vectors::operand::{Operand, Scalar};
use crate::vectors::points::PointVec;

/// Points as a vector for each coordinate.
struct Coordinates<F: Field> {
    x: FieldVec<F>,
    y: FieldVec<F>,
}

impl Queue {
    /// p + q, of points at the same place. Takes about seven products of coordinates each.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_points<C: Curve>(&self, p: &PointVec<C>, q: &PointVec<C>) -> Result<PointVec<C>> {
        expect_equal("add_points", p.len(), q.len())?;
        let sums = self.sums(&self.coordinates(p)?, &self.coordinates(q)?)?;
        self.points(&sums)
    }

    /// p - q, of points at the same place.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn sub_points<C: Curve>(&self, p: &PointVec<C>, q: &PointVec<C>) -> Result<PointVec<C>> {
        expect_equal("sub_points", p.len(), q.len())?;
        let q = self.opposites(self.coordinates(q)?)?;
        let differences = self.sums(&self.coordinates(p)?, &q)?;
        self.points(&differences)
    }

    /// -p of each point.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn neg_points<C: Curve>(&self, p: &PointVec<C>) -> Result<PointVec<C>> {
        let opposites = self.opposites(self.coordinates(p)?)?;
        self.points(&opposites)
    }

    /// 2 p of each point.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn double_points<C: Curve>(&self, p: &PointVec<C>) -> Result<PointVec<C>> {
        let p = self.coordinates(p)?;
        self.points(&self.sums(&p, &p)?)
    }

    /// 1 where points at the same place are equal, else 0, as elements of the coordinates'
    /// field: what [`Self::select`] goes by. [`Self::equal`] says it of vectors as a whole.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn equal_points<C: Curve>(
        &self,
        p: &PointVec<C>,
        q: &PointVec<C>,
    ) -> Result<FieldVec<C::Field>> {
        expect_equal("equal_points", p.len(), q.len())?;
        let (p, q) = (self.coordinates(p)?, self.coordinates(q)?);
        let (run, rise) = (self.sub(&q.x, &p.x)?, self.sub(&q.y, &p.y)?);
        self.is_zero(&self.select(&run, &run, &rise)?)
    }

    /// The sum of all points, as a vector of one; of none it is infinity. By halves, in as many
    /// rounds as the length has bits.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn sum_points<C: Curve>(&self, p: &PointVec<C>) -> Result<PointVec<C>> {
        if p.is_empty() {
            return Ok(self.fill::<C::Field>(0, 2)?.reinterpreted());
        }
        let mut rest = self.coordinates(p)?;
        while let half @ 1.. = rest.x.len() / 2 {
            let (first, second) = (rest.part(0, half)?, rest.part(half, half)?);
            let sums = self.sums(&first, &second)?;
            // Of an odd number one is left for the next half.
            rest = match rest.x.len() % 2 {
                0 => sums,
                _ => {
                    let last = rest.part(2 * half, 1)?;
                    Coordinates {
                        x: self.concat(&[sums.x, last.x])?,
                        y: self.concat(&[sums.y, last.y])?,
                    }
                }
            };
        }
        self.points(&rest)
    }

    /// k p of each point, for its own scalar k, or one for all: an integer, a
    /// [`Scalar`](crate::vectors::Scalar), or a value of arkworks or blst; in either form.
    /// Points are of the subgroup. Takes about 2,100 products of coordinates each, fewer of
    /// short integers for all.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn mul_points<C: Curve>(
        &self,
        p: &PointVec<C>,
        scalars: impl Into<Operand<Fr>>,
    ) -> Result<PointVec<C>> {
        let products = self.products_of_points(p, scalars.into())?;
        self.normalise(&products)
    }

    /// What is not zero where a point is not on the curve.
    pub(in crate::vectors) fn off_curve<C: Curve>(
        &self,
        p: &PointVec<C>,
    ) -> Result<FieldVec<C::Field>> {
        let Coordinates { x, y } = self.coordinates(p)?;
        let difference = self.sub(self.square(&y)?, self.right_side::<C>(&x)?)?;
        // Not zero, unless both coordinates are: infinity.
        let any = self.select(&x, &x, &y)?;
        self.select(&any, &difference, 0)
    }

    /// x^3 + b.
    fn right_side<C: Curve>(&self, x: &FieldVec<C::Field>) -> Result<FieldVec<C::Field>> {
        let cube = self.mul(&self.square(x)?, x)?;
        self.add(cube, Scalar::<C::Field>::new(C::B))
    }

    /// Points with these x, and of two y the one that the sign names, as [`Self::roots`] has
    /// them. Of an x without any y what is no point of the curve.
    pub(in crate::vectors) fn points_of_x<C: Curve>(
        &self,
        x: FieldVec<C::Field>,
        signs: &Indices,
    ) -> Result<PointVec<C>> {
        let y = self.roots(&self.right_side::<C>(&x)?, signs)?;
        self.points(&Coordinates { x, y })
    }

    /// What is not zero where a point of the curve is not in the subgroup: where its product
    /// is not the opposite of its image under the endomorphism.
    pub(in crate::vectors) fn outside_of_subgroup<C: Curve>(
        &self,
        p: &PointVec<C>,
    ) -> Result<FieldVec<C::Field>> {
        let mut multiplier = [0; 4];
        for (place, limb) in multiplier.iter_mut().zip(C::MINUS_EIGENVALUE) {
            *place = *limb;
        }
        let products = self.products_of_points(p, Scalar::plain(multiplier).into())?;
        let at = |number: usize| self.strided(&products, number.min(products.len()), 4);
        let (x, y, zz, zzz) = (at(0)?, at(1)?, at(2)?, at(3)?);
        let p = self.coordinates(p)?;
        let [of_x, of_y] = C::ENDOMORPHISM.map(Scalar::<C::Field>::new);
        let image_x = self.mul(self.conjugates(&p.x)?, of_x)?;
        let image_y = self.mul(self.conjugates(&p.y)?, of_y)?;
        let of_x = self.sub(&x, self.mul(image_x, &zz)?)?;
        let of_y = self.add(&y, self.mul(image_y, &zzz)?)?;
        // A product that is infinity, of a point that is not.
        let vanished = self.mul(self.is_zero(&zz)?, &p.y)?;
        let any = self.select(&of_x, &of_x, &of_y)?;
        self.select(&any, &any, &vanished)
    }

    /// Of a prime field the elements themselves.
    fn conjugates<F: Field>(&self, x: &FieldVec<F>) -> Result<FieldVec<F>> {
        match operations::CONJUGATE.is_of(F::ID) {
            true => self.element(&operations::CONJUGATE, [x.into()]),
            false => Ok(x.clone()),
        }
    }

    fn coordinates<C: Curve>(&self, p: &PointVec<C>) -> Result<Coordinates<C::Field>> {
        let by_turns = p.reinterpreted::<C::Field>();
        Ok(Coordinates {
            x: self.strided(&by_turns, 0, 2)?,
            y: self.strided(&by_turns, 1.min(by_turns.len()), 2)?,
        })
    }

    fn points<C: Curve>(&self, p: &Coordinates<C::Field>) -> Result<PointVec<C>> {
        Ok(self.interleave(&[&p.x, &p.y])?.reinterpreted())
    }

    fn opposites<F: Field>(&self, p: Coordinates<F>) -> Result<Coordinates<F>> {
        let y = self.neg(&p.y)?;
        Ok(Coordinates { y, ..p })
    }

    /// The line through both points, or the tangent where they are one, meets the curve in a
    /// third point, which is the opposite of the sum.
    fn sums<F: Field>(&self, p: &Coordinates<F>, q: &Coordinates<F>) -> Result<Coordinates<F>> {
        let (run, rise) = (self.sub(&q.x, &p.x)?, self.sub(&q.y, &p.y)?);
        // Where x is the same: 3 x^2 / 2 y of equal points, and 3 x^2 / 0 of opposite ones.
        let square = self.square(&p.x)?;
        let tangent = self.add(self.double(&square)?, &square)?;
        let rise = self.select(&run, &rise, &tangent)?;
        let run = self.select(&run, &run, self.add(&p.y, &q.y)?)?;
        // A slope of nothing is 1, so that the report counts no zeros.
        let slope = self.mul(&rise, self.inverse(&self.select(&run, &run, 1)?)?)?;
        let x = self.sub(self.sub(self.square(&slope)?, &p.x)?, &q.x)?;
        let y = self.sub(self.mul(&slope, self.sub(&p.x, &x)?)?, &p.y)?;
        // Infinity of opposite points; where one is infinity, the other.
        let sum = |sum: &FieldVec<F>, of_p: &FieldVec<F>, of_q: &FieldVec<F>| {
            let sum = self.select(&run, sum, 0)?;
            let sum = self.select(&q.y, &sum, of_p)?;
            self.select(&p.y, &sum, of_q)
        };
        Ok(Coordinates {
            x: sum(&x, &p.x, &q.x)?,
            y: sum(&y, &p.y, &q.y)?,
        })
    }
}

impl<F: Field> Coordinates<F> {
    fn part(&self, start: usize, len: usize) -> Result<Self> {
        Ok(Self {
            x: self.x.slice(start..start + len)?,
            y: self.y.slice(start..start + len)?,
        })
    }
}
