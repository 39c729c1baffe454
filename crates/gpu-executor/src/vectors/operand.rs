//! What an operation takes: vectors, and single elements for all of a vector's.

use field_kernels::{Field, arithmetic};

use super::field_vec::{FieldVec, Form};
use crate::Result;

/// One element, to be used with each element of a vector.
///
/// An integer is one too: `queue.sub(1, &x)`, `Scalar::from(5)`.
#[derive(Clone, Debug)]
pub struct Scalar<F: Field>(pub(super) ScalarSource<F>);

#[derive(Clone, Debug)]
pub(super) enum ScalarSource<F: Field> {
    Montgomery(F::Limbs),
    Integer(F::Limbs),
    Vector(FieldVec<F>),
}

impl<F: Field> Scalar<F> {
    /// The element with these limbs, in Montgomery form, below the modulus.
    #[must_use]
    pub fn new(limbs: F::Limbs) -> Self {
        Self(ScalarSource::Montgomery(limbs))
    }

    /// The integer with these limbs, below the modulus. It takes the form of what it is
    /// used with, on the host; Montgomery form where nothing has any.
    #[must_use]
    pub fn plain(limbs: F::Limbs) -> Self {
        Self(ScalarSource::Integer(limbs))
    }

    /// The integer 1.
    #[must_use]
    pub fn one() -> Self {
        Self::from(1)
    }
}

/// As [`Scalar::plain`].
impl<F: Field> From<u64> for Scalar<F> {
    fn from(integer: u64) -> Self {
        let mut limbs = F::Limbs::default();
        limbs.as_mut()[0] = integer;
        Self::plain(limbs)
    }
}

/// A vector, or one element for all.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Operand<F: Field> {
    /// An element for each.
    Vector(FieldVec<F>),
    /// One for all.
    Scalar(Scalar<F>),
}

impl<F: Field> Operand<F> {
    /// A scalar, or the only element of a vector as one.
    pub(super) fn single(self) -> Result<Self> {
        match self {
            Self::Vector(vector) => vector.as_scalar().map(Self::Scalar),
            scalar @ Self::Scalar(_) => Ok(scalar),
        }
    }

    /// Its elements; one for all has no number of its own.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Vector(vector) => Some(vector.len()),
            Self::Scalar(_) => None,
        }
    }

    /// Its form; an integer takes any.
    pub(super) fn form(&self) -> Option<Form> {
        match self {
            Self::Vector(vector) | Self::Scalar(Scalar(ScalarSource::Vector(vector))) => {
                Some(vector.form())
            }
            Self::Scalar(Scalar(ScalarSource::Montgomery(_))) => Some(Form::Montgomery),
            Self::Scalar(Scalar(ScalarSource::Integer(_))) => None,
        }
    }
}

pub(super) fn integer_in<F: Field>(form: Form, limbs: &F::Limbs) -> F::Limbs {
    match form {
        Form::Montgomery => arithmetic::to_montgomery::<F>(limbs),
        Form::Plain => *limbs,
    }
}

impl<F: Field> From<&FieldVec<F>> for Operand<F> {
    fn from(vector: &FieldVec<F>) -> Self {
        Self::Vector(vector.clone())
    }
}

impl<F: Field> From<FieldVec<F>> for Operand<F> {
    fn from(vector: FieldVec<F>) -> Self {
        Self::Vector(vector)
    }
}

impl<F: Field> From<Scalar<F>> for Operand<F> {
    fn from(scalar: Scalar<F>) -> Self {
        Self::Scalar(scalar)
    }
}

impl<F: Field> From<&Scalar<F>> for Operand<F> {
    fn from(scalar: &Scalar<F>) -> Self {
        Self::Scalar(scalar.clone())
    }
}

impl<F: Field> From<u64> for Operand<F> {
    fn from(integer: u64) -> Self {
        Self::Scalar(integer.into())
    }
}
