//! Domains of transforms: the powers of a root of unity, and cosets of them.

use std::sync::LazyLock;

use field_kernels::arithmetic::{from_montgomery, inverse, mul, powers, square, sub};
use field_kernels::{Field as _, Fr, PrimeField as _, arithmetic};

use crate::{Error, Result, canonical};

/// An element of Fr in Montgomery form.
type Limbs = [u64; 4];

/// The points s, s w, s w^2, ... of Fr, n of them, where w is a root of unity of order n,
/// a power of two, and s the shift: 1 for the group of these roots itself, any other element
/// but zero for a coset of it.
///
/// Elements are limbs in Montgomery form, as arkworks and blst hold them; those that a method
/// is given are below the modulus, or its result is not specified. The roots, and all that
/// comes of them, are those of `ark_poly::Radix2EvaluationDomain`.
///
/// ```
/// use gpu_executor::vectors::Domain;
///
/// # fn main() -> anyhow::Result<()> {
/// let domain = Domain::new(1024)?;
/// let coset = domain.coset_of_generator();
/// assert_eq!(domain.element(1), domain.generator());
/// assert_eq!(coset.element(0), coset.shift());
/// assert_eq!(domain.vanishing_at(domain.element(77)), [0; 4]);
/// assert_ne!(domain.vanishing_at(coset.element(77)), [0; 4]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Domain {
    log2: u32,
    generator: Limbs,
    shift: Limbs,
}

impl Domain {
    /// The roots of unity of order `size`.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a size that is not a power of two up to 2^32.
    pub fn new(size: usize) -> Result<Self> {
        let log2 = size.checked_ilog2().unwrap_or_default();
        if !size.is_power_of_two() || log2 > Fr::TWO_ADICITY {
            return Err(Error::WrongLength {
                operation: "domain",
                expected: "a power of two up to 2^32",
                found: size,
            });
        }
        Ok(Self {
            log2,
            generator: root_of_unity(log2),
            shift: Fr::ONE,
        })
    }

    /// The coset with this shift, whatever the shift of this domain is.
    ///
    /// # Errors
    /// [`Error::Config`] for zero, [`Error::NotCanonical`] for limbs that are not below
    /// the modulus.
    pub fn coset(&self, shift: Limbs) -> Result<Self> {
        if let Some(refused) = canonical::first_refused::<Fr>(&[shift]) {
            return Err(refused.of(None, "the shift of a coset").into());
        }
        if shift == Limbs::default() {
            return Err(Error::Config {
                variable: "the shift of a coset",
                value: "0".to_owned(),
                accepted: "an element other than zero".to_owned(),
            });
        }
        Ok(Self { shift, ..*self })
    }

    /// The coset whose shift is 7, which generates the field's multiplicative group: no point
    /// of it is a root of unity of an order that is a power of two.
    #[must_use]
    pub fn coset_of_generator(&self) -> Self {
        Self {
            shift: field_generator(),
            ..*self
        }
    }

    /// How many points it has.
    #[must_use]
    pub fn size(&self) -> usize {
        1 << self.log2
    }

    /// The root of unity w.
    #[must_use]
    pub fn generator(&self) -> Limbs {
        self.generator
    }

    /// The shift s; one without a coset.
    #[must_use]
    pub fn shift(&self) -> Limbs {
        self.shift
    }

    /// s w^i, for any i.
    #[must_use]
    pub fn element(&self, i: usize) -> Limbs {
        let power = arithmetic::pow::<Fr>(&self.generator, i as u64);
        mul::<Fr>(&self.shift, &power)
    }

    /// All points, in their order.
    pub fn elements(&self) -> impl Iterator<Item = Limbs> + use<> {
        powers::<Fr>(self.shift, self.generator).take(self.size())
    }

    /// x^n - s^n: the polynomial that vanishes on the points, at x.
    #[must_use]
    pub fn vanishing_at(&self, x: Limbs) -> Limbs {
        sub::<Fr>(&self.power_of_size(x), &self.power_of_size(self.shift))
    }

    /// One divided by [`Self::vanishing_at`] at the points of `coset`, which is the same at all
    /// of them: quotients by x^n - s^n are products by it.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a coset of more points than this domain, on which it is not
    /// the same; [`Error::Config`] for one on which it is zero.
    pub fn vanishing_inverse_on(&self, coset: &Self) -> Result<Limbs> {
        if coset.log2 > self.log2 {
            return Err(Error::WrongLength {
                operation: "vanishing_inverse_on",
                expected: "a coset no longer than the domain",
                found: coset.size(),
            });
        }
        inverse::<Fr>(&self.vanishing_at(coset.shift)).ok_or_else(|| Error::Config {
            variable: "the coset of a quotient",
            value: format!("the shift {:?}", from_montgomery::<Fr>(&coset.shift)),
            accepted: "one without points of the domain".to_owned(),
        })
    }

    /// The values at x of the Lagrange polynomials, n of them: the i-th is one at point i and
    /// zero at the others. The sum of their products with a polynomial's values at the points
    /// is its value at x, where its degree is below n.
    ///
    /// # Errors
    /// [`Error::OutOfHostMemory`].
    pub fn lagrange_at(&self, x: Limbs) -> Result<Vec<Limbs>> {
        let size = self.size();
        let mut values = Vec::new();
        let reserved = values.try_reserve_exact(size);
        reserved.map_err(|_| Error::OutOfHostMemory {
            purpose: "the values of Lagrange polynomials".to_owned(),
            requested: size.saturating_mul(size_of::<Limbs>()),
        })?;
        let vanishing = self.vanishing_at(x);
        if vanishing == Limbs::default() {
            let one_at = |point| {
                if point == x {
                    Fr::ONE
                } else {
                    Limbs::default()
                }
            };
            values.extend(self.elements().map(one_at));
            return Ok(values);
        }
        // With p the point i, it is (x^n - s^n) p / (n s^n (x - p)). None of what is inverted is
        // zero: x is none of the points.
        let divisor = mul::<Fr>(&self.size_in_field(), &self.power_of_size(self.shift));
        let scale = mul::<Fr>(&vanishing, &invert(divisor));
        // All x - p at once: their products on the way up, their inverses on the way down.
        let mut product = Fr::ONE;
        for point in self.elements() {
            values.push(product);
            product = mul::<Fr>(&product, &sub::<Fr>(&x, &point));
        }
        let (mut rest, back) = (invert(product), invert(self.generator));
        let mut point = self.element(size - 1);
        for value in values.iter_mut().rev() {
            let scaled = mul::<Fr>(&scale, &point);
            *value = mul::<Fr>(&scaled, &mul::<Fr>(&rest, value));
            rest = mul::<Fr>(&rest, &sub::<Fr>(&x, &point));
            point = mul::<Fr>(&point, &back);
        }
        Ok(values)
    }

    pub(super) fn log2(&self) -> u32 {
        self.log2
    }

    pub(super) fn inverted(&self) -> Self {
        let [generator, shift] = [self.generator, self.shift].map(invert);
        Self {
            generator,
            shift,
            ..*self
        }
    }

    /// x^n.
    fn power_of_size(&self, x: Limbs) -> Limbs {
        (0..self.log2).fold(x, |x, _| square::<Fr>(&x))
    }

    /// n, as an element.
    fn size_in_field(&self) -> Limbs {
        arithmetic::to_montgomery::<Fr>(&[1 << self.log2, 0, 0, 0])
    }
}

/// Of what is not zero.
fn invert(x: Limbs) -> Limbs {
    inverse::<Fr>(&x).unwrap_or_default()
}

/// 7.
fn field_generator() -> Limbs {
    arithmetic::to_montgomery::<Fr>(&[Fr::GENERATOR, 0, 0, 0])
}

/// 7^((p - 1) / 2^log2), whose order is 2^log2.
pub(super) fn root_of_unity(log2: u32) -> Limbs {
    /// Of all orders, the highest last.
    static ROOTS: LazyLock<[Limbs; Fr::TWO_ADICITY as usize + 1]> = LazyLock::new(|| {
        let generator = field_generator();
        let mut exponent = Fr::MODULUS;
        exponent[0] -= 1;
        let bits = (Fr::TWO_ADICITY..Fr::BITS).rev();
        let mut root = bits.fold(Fr::ONE, |power, bit| {
            let power = square::<Fr>(&power);
            match exponent[(bit / 64) as usize] >> (bit % 64) & 1 {
                0 => power,
                _ => mul::<Fr>(&power, &generator),
            }
        });
        let mut roots = [Limbs::default(); _];
        for place in roots.iter_mut().rev() {
            *place = root;
            root = square::<Fr>(&root);
        }
        roots
    });
    ROOTS[log2 as usize]
}
