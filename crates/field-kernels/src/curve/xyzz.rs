//! Sums of points without inversions.

use super::{Coordinate, Curve, coordinates, from_coordinates, is_infinity};
use crate::arithmetic::{add, double, inverse, inverse_all, mul, neg, square, sub};
use crate::{ElementType as _, Field as _};

/// A point as X, Y, ZZ and ZZZ with x = X / ZZ, y = Y / ZZZ and ZZ<sup>3</sup> =
/// ZZZ<sup>2</sup>; infinity is ZZ = 0. The coordinates lie one after the other in memory:
/// 192 bytes of G1, 384 of G2, as the kernels have their buckets.
///
/// All operations are complete: operands may be equal, opposite and infinity. The formulas
/// are those of the [Explicit-Formulas
/// Database](https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html), with a = 0.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Xyzz<C: Curve> {
    /// X.
    pub x: Coordinate<C>,
    /// Y.
    pub y: Coordinate<C>,
    /// ZZ.
    pub zz: Coordinate<C>,
    /// ZZZ.
    pub zzz: Coordinate<C>,
}

/// Whether they are the same point; several X, Y, ZZ, ZZZ are.
impl<C: Curve> PartialEq for Xyzz<C> {
    fn eq(&self, other: &Self) -> bool {
        self.add(&other.neg()).is_infinity()
    }
}

impl<C: Curve> Eq for Xyzz<C> {}

impl<C: Curve> Xyzz<C> {
    /// 64-bit limbs: those of four coordinates.
    pub const LIMBS: usize = 4 * C::Field::LIMBS;

    /// The same point.
    #[inline]
    #[must_use]
    pub fn from_affine(point: &C::Limbs) -> Self {
        let [x, y] = coordinates::<C>(point);
        let zz = match is_infinity::<C>(point) {
            true => Coordinate::<C>::default(),
            false => C::Field::ONE,
        };
        Self { x, y, zz, zzz: zz }
    }

    /// The point with these limbs of X, Y, ZZ and ZZZ; `None` unless there are
    /// [`Self::LIMBS`] of them.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Option<Self> {
        match C::Field::elements(words) {
            Ok(&[x, y, zz, zzz]) => Some(Self { x, y, zz, zzz }),
            _ => None,
        }
    }

    /// The limbs of X, Y, ZZ and ZZZ, one coordinate after the other.
    #[must_use]
    pub fn to_words(&self) -> Vec<u64> {
        C::Field::words(&[self.x, self.y, self.zz, self.zzz]).to_vec()
    }

    /// Whether it is the point at infinity.
    #[inline]
    #[must_use]
    pub fn is_infinity(&self) -> bool {
        self.zz == Coordinate::<C>::default()
    }

    /// The sum with a point in affine coordinates. 10 field products.
    #[must_use]
    pub fn add_affine(&self, other: &C::Limbs) -> Self {
        let other_is_infinity = is_infinity::<C>(other);
        if self.is_infinity() || other_is_infinity {
            return if other_is_infinity {
                *self
            } else {
                Self::from_affine(other)
            };
        }
        let [x, y] = coordinates::<C>(other);
        let u = mul::<C::Field>(&x, &self.zz);
        let s = mul::<C::Field>(&y, &self.zzz);
        self.add_scaled([self.x, self.y], [u, s], [self.zz, self.zzz])
    }

    /// The sum of both. 14 field products.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        if self.is_infinity() || other.is_infinity() {
            return if other.is_infinity() { *self } else { *other };
        }
        let product = mul::<C::Field>;
        let first = [product(&self.x, &other.zz), product(&self.y, &other.zzz)];
        let second = [product(&other.x, &self.zz), product(&other.y, &self.zzz)];
        let scale = [product(&self.zz, &other.zz), product(&self.zzz, &other.zzz)];
        self.add_scaled(first, second, scale)
    }

    /// Twice the point. 9 field products, and none of infinity.
    #[must_use]
    pub fn double(&self) -> Self {
        if self.is_infinity() {
            return *self;
        }
        let (product, difference) = (mul::<C::Field>, sub::<C::Field>);
        let u = double::<C::Field>(&self.y);
        let v = square::<C::Field>(&u);
        let w = product(&u, &v);
        let s = product(&self.x, &v);
        let x_squared = square::<C::Field>(&self.x);
        let m = add::<C::Field>(&double::<C::Field>(&x_squared), &x_squared);
        let x = difference(&square::<C::Field>(&m), &double::<C::Field>(&s));
        let y = difference(&product(&m, &difference(&s, &x)), &product(&w, &self.y));
        Self {
            x,
            y,
            zz: product(&v, &self.zz),
            zzz: product(&w, &self.zzz),
        }
    }

    /// The opposite point.
    #[inline]
    #[must_use]
    pub fn neg(&self) -> Self {
        Self {
            y: neg::<C::Field>(&self.y),
            ..*self
        }
    }

    /// The product by an integer, given as little-endian limbs, as many as it has: by
    /// doubling and adding, from its highest bit on.
    #[must_use]
    pub fn mul(&self, scalar: &[u64]) -> Self {
        let mut product = Self::default();
        for limb in scalar.iter().rev() {
            for bit in (0..u64::BITS).rev() {
                product = product.double();
                if limb >> bit & 1 == 1 {
                    product = product.add(self);
                }
            }
        }
        product
    }

    /// The same point in affine coordinates. One inversion, of about 100 field products.
    #[must_use]
    pub fn to_affine(&self) -> C::Limbs {
        match inverse::<C::Field>(&self.zzz) {
            Some(inverse) => self.scaled_by(&inverse),
            None => C::Limbs::default(),
        }
    }

    /// All of `points` in affine coordinates, with one inversion.
    #[must_use]
    pub fn to_affine_all(points: &[Self]) -> Vec<C::Limbs> {
        let mut inverses: Vec<_> = points.iter().map(|point| point.zzz).collect();
        inverse_all::<C::Field>(&mut inverses);
        let scaled = points.iter().zip(&inverses);
        // Of infinity, whose ZZZ is zero, all is.
        scaled.map(|(point, it)| point.scaled_by(it)).collect()
    }

    /// Affine, with the inverse of ZZZ.
    fn scaled_by(&self, inverse: &Coordinate<C>) -> C::Limbs {
        // ZZ / ZZZ is 1 / Z.
        let z_inverse = mul::<C::Field>(&self.zz, inverse);
        let x = mul::<C::Field>(&self.x, &square::<C::Field>(&z_inverse));
        from_coordinates::<C>(&[x, mul::<C::Field>(&self.y, inverse)])
    }

    /// The sum of two points whose X and Y stand over the same ZZ and ZZZ, which are
    /// `scale`; the first is this one.
    #[inline]
    fn add_scaled(
        &self,
        [x1, y1]: [Coordinate<C>; 2],
        [x2, y2]: [Coordinate<C>; 2],
        [zz, zzz]: [Coordinate<C>; 2],
    ) -> Self {
        let (product, difference) = (mul::<C::Field>, sub::<C::Field>);
        let (p, r) = (difference(&x2, &x1), difference(&y2, &y1));
        let zero = Coordinate::<C>::default();
        if p == zero {
            // The same x: equal or opposite.
            return if r == zero {
                self.double()
            } else {
                Self::default()
            };
        }
        let pp = square::<C::Field>(&p);
        let ppp = product(&p, &pp);
        let q = product(&x1, &pp);
        let twice_q = double::<C::Field>(&q);
        let x = difference(&difference(&square::<C::Field>(&r), &ppp), &twice_q);
        let y = difference(&product(&r, &difference(&q, &x)), &product(&y1, &ppp));
        Self {
            x,
            y,
            zz: product(&zz, &pp),
            zzz: product(&zzz, &ppp),
        }
    }
}
