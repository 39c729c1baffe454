//! Field arithmetic on the CPU, the same for both fields.
//!
//! Elements are limbs in Montgomery form, x R mod p, as arkworks and blst hold them;
//! where a function takes plain values it says so. Operands are canonical, below the
//! modulus, and so are results. What comes of other operands is not specified, but
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

use crate::Field;
use crate::limbs::Limbs as _;

/// a + b.
#[inline]
#[must_use]
pub fn add<F: Field>(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
    // Below 2p, which leaves the highest bit clear: no carry.
    let (sum, _) = F::Limbs::add(a, b);
    F::Limbs::reduce_once(&sum, &F::MODULUS)
}

/// a - b.
#[inline]
#[must_use]
pub fn sub<F: Field>(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
    let (difference, below) = F::Limbs::sub(a, b);
    F::Limbs::add_if(&difference, &F::MODULUS, below)
}

/// -x.
#[inline]
#[must_use]
pub fn neg<F: Field>(x: &F::Limbs) -> F::Limbs {
    sub::<F>(&F::Limbs::default(), x)
}

/// 2 x.
#[inline]
#[must_use]
pub fn double<F: Field>(x: &F::Limbs) -> F::Limbs {
    add::<F>(x, x)
}

/// The Montgomery product a b R<sup>-1</sup>: of elements in Montgomery form their
/// product in Montgomery form.
#[inline]
#[must_use]
pub fn mul<F: Field>(a: &F::Limbs, b: &F::Limbs) -> F::Limbs {
    F::Limbs::montgomery_mul(a, b, &F::MODULUS, F::INV)
}

/// x<sup>2</sup>, as [`mul`] of x and x.
#[inline]
#[must_use]
pub fn square<F: Field>(x: &F::Limbs) -> F::Limbs {
    mul::<F>(x, x)
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

/// x<sup>-1</sup>; `None` for zero, which has none.
///
/// By the binary extended Euclidean algorithm, as many bits at a time as there are.
#[must_use]
pub fn inverse<F: Field>(x: &F::Limbs) -> Option<F::Limbs> {
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

/// A plain value in Montgomery form: x R.
#[inline]
#[must_use]
pub fn to_montgomery<F: Field>(x: &F::Limbs) -> F::Limbs {
    mul::<F>(x, &F::R2)
}

/// The plain value of an element in Montgomery form: x R<sup>-1</sup>.
#[inline]
#[must_use]
pub fn from_montgomery<F: Field>(x: &F::Limbs) -> F::Limbs {
    let mut one = F::Limbs::default();
    one.as_mut()[0] = 1;
    mul::<F>(x, &one)
}

/// Whether x < p, in whatever form.
#[inline]
#[must_use]
pub fn is_canonical<F: Field>(x: &F::Limbs) -> bool {
    let (_, below_modulus) = F::Limbs::sub(x, &F::MODULUS);
    below_modulus
}
