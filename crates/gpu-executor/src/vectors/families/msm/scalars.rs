//! What points are multiplied by: elements, or integers of fewer bits.

use field_kernels::Fr;

use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::integers::Integers;

/// Scalars of a multi-scalar multiplication, of which references to vectors and integers become
/// some.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum Scalars<'s> {
    /// Elements of Fr, in either form.
    Elements(&'s FieldVec<Fr>),
    /// Integers of fewer bits.
    Integers(&'s Integers),
}

impl<'s> From<&'s FieldVec<Fr>> for Scalars<'s> {
    fn from(elements: &'s FieldVec<Fr>) -> Self {
        Self::Elements(elements)
    }
}

impl<'s> From<&'s Integers> for Scalars<'s> {
    fn from(integers: &'s Integers) -> Self {
        Self::Integers(integers)
    }
}

impl<'s> Scalars<'s> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Elements(elements) => elements.len(),
            Self::Integers(integers) => integers.len(),
        }
    }

    /// Where they are, and how they lie there.
    pub(super) fn layout(self) -> (&'s FieldVec<Fr>, Layout) {
        match self {
            Self::Elements(elements) => (elements, Layout::Elements(elements.form())),
            Self::Integers(Integers {
                words, start, bits, ..
            }) => {
                let (bits, first) = (*bits, *start);
                (words, Layout::Integers { bits, first })
            }
        }
    }
}

/// How scalars lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Elements(Form),
    /// Integers of so many bits, 256 at most, each in whole bytes, from the lowest up; the
    /// first of them in integers.
    Integers {
        bits: u32,
        first: usize,
    },
}

impl Layout {
    /// What [`Self::of_numbers`] makes the same of.
    pub(super) fn numbers(self) -> [u64; 2] {
        match self {
            Self::Elements(Form::Plain) => [0, 0],
            Self::Elements(Form::Montgomery) => [0, 1],
            Self::Integers { bits, first } => [bits.into(), first as u64],
        }
    }

    pub(super) fn of_numbers(numbers: [u64; 2]) -> Option<Self> {
        Some(match numbers {
            [0, 0] => Self::Elements(Form::Plain),
            [0, _] => Self::Elements(Form::Montgomery),
            [bits, first] => Self::Integers {
                bits: bits.try_into().ok()?,
                first: first.try_into().ok()?,
            },
        })
    }
}
