//! Field arithmetic on the CPU, the same functions for every field.
//!
//! Elements are limbs in Montgomery form, x R mod p, as arkworks and blst hold them;
//! where a function takes plain values it says so. Operands are canonical, below the
//! modulus, and so are results. Of other operands sums and differences are what the
//! kernels make of them, as is said there; what else comes of them is not specified, but
//! nothing panics.
//!
//! ```
//! use field_kernels::{Field, Fr, arithmetic};
//!
//! let six = arithmetic::to_montgomery::<Fr>(&[6, 0, 0, 0]);
//! let seven = arithmetic::to_montgomery::<Fr>(&[7, 0, 0, 0]);
//! let product = arithmetic::mul::<Fr>(&six, &seven);
//! assert_eq!(arithmetic::from_montgomery::<Fr>(&product), [42, 0, 0, 0]);
//!
//! let inverse = arithmetic::inverse::<Fr>(&product).unwrap();
//! assert_eq!(arithmetic::mul::<Fr>(&product, &inverse), Fr::ONE);
//! ```
//!
//! Not constant-time.

use crate::field::compute::Compute;
use crate::limbs::Limbs as _;
use crate::{ElementType, Field, PrimeField};

/// a + b.
///
/// In a prime field, for any operands, with s = (a + b) mod R, the result is s - p if
/// s >= p, else s.
#[inline]
#[must_use]
pub fn add<F: Field>(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
    F::sum(a, b)
}

/// a - b.
///
/// In a prime field, for any operands, with d = (a - b) mod R, the result is (d + p) mod R
/// if a < b, else d.
#[inline]
#[must_use]
pub fn sub<F: Field>(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
    F::difference(a, b)
}

/// -x.
#[inline]
#[must_use]
pub fn neg<F: Field>(x: &F::Limbs) -> F::Limbs {
    F::difference(&F::Limbs::default(), x)
}

/// 2 x.
#[inline]
#[must_use]
pub fn double<F: Field>(x: &F::Limbs) -> F::Limbs {
    F::sum(x, x)
}

/// The Montgomery product a b R<sup>-1</sup>: of elements in Montgomery form their
/// product in Montgomery form.
#[inline]
#[must_use]
pub fn mul<F: Field>(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
    F::product(a, b)
}

/// x<sup>2</sup>: [`mul`] of x and x.
#[inline]
#[must_use]
pub fn square<F: Field>(x: &F::Limbs) -> F::Limbs {
    F::squared(x)
}

/// x<sup>exponent</sup>; one for the exponent 0, whatever x is.
///
/// By squaring and multiplying, from the exponent's highest bit on.
#[must_use]
pub fn pow<F: Field>(x: &F::Limbs, exponent: u64) -> F::Limbs {
    let mut power = F::ONE;
    for bit in (0..u64::BITS - exponent.leading_zeros()).rev() {
        power = square::<F>(&power);
        if exponent >> bit & 1 == 1 {
            power = mul::<F>(&power, x);
        }
    }
    power
}

/// first, first ratio, first ratio<sup>2</sup> and so on.
pub fn powers<F: Field>(first: F::Limbs, ratio: F::Limbs) -> impl Iterator<Item = F::Limbs> {
    std::iter::successors(Some(first), move |power| Some(mul::<F>(power, &ratio)))
}

/// The lowest `bits` bits of a number below 2<sup>bits</sup>, from the last to the first: its
/// place in bit-reversed order.
#[must_use]
pub fn bit_reversed(number: usize, bits: u32) -> usize {
    // A shift by all bits is not defined.
    let reversed = number.reverse_bits().checked_shr(usize::BITS - bits);
    reversed.unwrap_or(0)
}

/// x<sup>-1</sup>; `None` for zero, which has none.
#[must_use]
pub fn inverse<F: Field>(x: &F::Limbs) -> Option<F::Limbs> {
    F::inverted(x)
}

/// All of `elements` inverted, and zeros as they were: with one inversion, and three products
/// for each.
pub fn inverse_all<F: Field>(elements: &mut [F::Limbs]) {
    let is_zero = |x: &F::Limbs| *x == F::Limbs::default();
    let mut product = F::ONE;
    // For each the product of all before it.
    let mut before = Vec::with_capacity(elements.len());
    for element in &*elements {
        before.push(product);
        if !is_zero(element) {
            product = mul::<F>(&product, element);
        }
    }
    // There is one: of elements that are not zero.
    let mut rest = inverse::<F>(&product).unwrap_or_default();
    let all = elements.iter_mut().zip(before).rev();
    for (element, before) in all.filter(|(element, _)| !is_zero(element)) {
        let inverse = mul::<F>(&rest, &before);
        rest = mul::<F>(&rest, element);
        *element = inverse;
    }
}

/// The conjugate, x<sup>p</sup>: of c0 + c1 u it is c0 - c1 u; of an element of a prime
/// field the element itself.
#[inline]
#[must_use]
pub fn conjugate<F: Field>(x: &F::Limbs) -> F::Limbs {
    F::conjugated(x)
}

/// A plain value in Montgomery form: each coordinate times R.
#[inline]
#[must_use]
pub fn to_montgomery<E: ElementType>(x: &E::Limbs) -> E::Limbs {
    each_coordinate::<E>(x, |it| mul::<E::Base>(it, &E::Base::R2))
}

/// The plain value of an element in Montgomery form: each coordinate times
/// R<sup>-1</sup>.
#[inline]
#[must_use]
pub fn from_montgomery<E: ElementType>(x: &E::Limbs) -> E::Limbs {
    let mut one = Base::<E>::default();
    one.as_mut()[0] = 1;
    each_coordinate::<E>(x, |it| mul::<E::Base>(it, &one))
}

/// Whether each coordinate is below p, in whatever form.
#[inline]
#[must_use]
pub fn is_canonical<E: ElementType>(x: &E::Limbs) -> bool {
    let is_below = |it: &Base<E>| Base::<E>::sub(it, &E::Base::MODULUS).1;
    E::Base::elements(x.as_ref()).is_ok_and(|all| all.iter().all(is_below))
}

type Base<E> = <<E as ElementType>::Base as ElementType>::Limbs;

/// The element with `one` of each coordinate of `x`.
#[inline]
pub(crate) fn each_coordinate<E: ElementType>(
    x: &E::Limbs,
    one: impl FnMut(&Base<E>) -> Base<E>,
) -> E::Limbs {
    let (mut result, mut one) = (*x, one);
    // An element is whole coordinates.
    if let Ok(coordinates) = E::Base::elements_mut(result.as_mut()) {
        coordinates.iter_mut().for_each(|it| *it = one(it));
    }
    result
}

impl<F: PrimeField> Compute for F {
    #[inline]
    fn sum(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
        // Of canonical operands below 2p, which leaves the highest bit clear: no carry, and
        // one subtraction is enough.
        let (sum, carry) = F::Limbs::add(a, b);
        let reduced = F::Limbs::reduce_once(&sum, &F::MODULUS);
        debug_assert!(
            (!carry && is_canonical::<F>(&reduced))
                || !is_canonical::<F>(a)
                || !is_canonical::<F>(b)
        );
        reduced
    }

    #[inline]
    fn difference(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
        // Of canonical operands above -p, so that adding p once is enough.
        let (difference, below) = F::Limbs::sub(a, b);
        let raised = F::Limbs::add_if(&difference, &F::MODULUS, below);
        debug_assert!(is_canonical::<F>(&raised) || !is_canonical::<F>(a) || !is_canonical::<F>(b));
        raised
    }

    #[inline]
    fn product(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
        F::Limbs::montgomery_mul(a, b, &F::MODULUS, F::INV)
    }

    #[inline]
    fn squared(x: &F::Limbs) -> F::Limbs {
        F::product(x, x)
    }

    /// By the binary extended Euclidean algorithm, as many bits at a time as there are.
    fn inverted(x: &F::Limbs) -> Option<F::Limbs> {
        let zero = F::Limbs::default();
        if *x == zero {
            return None;
        }
        // b x = u R^2 and c x = v R^2 (mod p) throughout, and v is odd. The loop ends: each
        // round makes u + v smaller. u ends at 0, and v at the common divisor of x and p.
        let (mut u, mut b) = (*x, F::R2);
        let (mut v, mut c) = (F::MODULUS, zero);
        loop {
            while let bits @ 1.. = u.as_ref()[0].trailing_zeros().min(63) {
                u = F::Limbs::shift_right(&u, bits);
                b = F::Limbs::halve_times(&b, bits, &F::MODULUS, F::INV);
            }
            let (difference, below) = F::Limbs::sub(&u, &v);
            if below {
                let (larger, _) = F::Limbs::sub(&v, &u);
                (u, v, b, c) = (larger, u, sub::<F>(&c, &b), b);
            } else {
                (u, b) = (difference, sub::<F>(&b, &c));
            }
            if u == zero {
                // The limbs of x are a R for an a whose inverse is wanted, and c is
                // R^2 / (a R).
                return Some(c);
            }
        }
    }
}
