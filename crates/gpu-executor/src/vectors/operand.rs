//! What an operation takes beside a vector: another vector, or one element for all.

use field_kernels::Field;

use super::field_vec::{FieldVec, Form};

/// One element, to be used with each element of a vector.
#[derive(Clone, Debug)]
pub struct Scalar<F: Field>(pub(super) ScalarSource<F>);

#[derive(Clone, Debug)]
pub(super) enum ScalarSource<F: Field> {
    Host(F::Limbs, Form),
    Vector(FieldVec<F>),
}

impl<F: Field> Scalar<F> {
    /// The element with these limbs, in Montgomery form, below the modulus.
    #[must_use]
    pub fn new(limbs: F::Limbs) -> Self {
        Self(ScalarSource::Host(limbs, Form::Montgomery))
    }

    /// The element with these limbs, in plain form, below the modulus.
    #[must_use]
    pub fn plain(limbs: F::Limbs) -> Self {
        Self(ScalarSource::Host(limbs, Form::Plain))
    }

    /// One, in Montgomery form.
    #[must_use]
    pub fn one() -> Self {
        Self::new(F::ONE)
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

impl<F: Field> From<&FieldVec<F>> for Operand<F> {
    fn from(vector: &FieldVec<F>) -> Self {
        Self::Vector(vector.clone())
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
