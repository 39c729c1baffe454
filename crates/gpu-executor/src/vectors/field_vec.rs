//! A vector of field elements.

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use field_kernels::Field;

use super::elements::sealed::FlatLimbs;
use super::elements::{AsElementsMut, Element, form_of, limbs_of_places};
use super::engine::VectorEngine;
use super::operand::{Scalar, ScalarSource};
use super::value::{State, Stored, Value};
use crate::{Error, Result};

/// How the limbs of an element stand for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// x R mod p, with R = 2^384 for Fp and 2^256 for Fr: what arkworks and blst hold.
    #[default]
    Montgomery,
    /// x itself.
    Plain,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Montgomery => "Montgomery form",
            Self::Plain => "plain form",
        })
    }
}

/// A vector of elements of `F` where they are computed, or a part of one.
///
/// It is a value: clones and slices share its memory, which no operation writes as long
/// as somebody else can see it. It may be the result of an operation that a queue has
/// recorded; once that is submitted, the vector can be used by any queue of its engine.
#[must_use = "a result that nobody holds is not computed"]
#[derive(Clone)]
pub struct FieldVec<F: Field> {
    pub(super) engine: VectorEngine,
    pub(super) value: Arc<Value>,
    pub(super) start: usize,
    len: usize,
    form: Form,
    field: PhantomData<F>,
}

impl<F: Field> FieldVec<F> {
    pub(super) fn new(engine: &VectorEngine, state: State, len: usize, form: Form) -> Self {
        Self {
            engine: engine.clone(),
            value: Value::new(state),
            start: 0,
            len,
            form,
            field: PhantomData,
        }
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The form of its elements.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// The engine that it belongs to.
    #[must_use]
    pub fn engine(&self) -> &VectorEngine {
        &self.engine
    }

    /// A part of it, which shares its memory.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn slice(&self, range: Range<usize>) -> Result<Self> {
        if range.start > range.end || range.end > self.len {
            return Err(Error::OutOfRange {
                elements: self.len,
                start: range.start,
                end: range.end,
            });
        }
        Ok(Self {
            start: self.start + range.start,
            len: range.len(),
            ..self.clone()
        })
    }

    /// The first `mid` elements and the rest.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn split_at(&self, mid: usize) -> Result<(Self, Self)> {
        Ok((self.slice(0..mid)?, self.slice(mid..self.len)?))
    }

    /// Its only element, to be used with all elements of other vectors.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a vector of any other length.
    pub fn as_scalar(&self) -> Result<Scalar<F>> {
        match self.len {
            1 => Ok(Scalar(ScalarSource::Vector(self.clone()))),
            found => Err(Error::WrongLength {
                operation: "as_scalar",
                expected: "a vector of one element",
                found,
            }),
        }
    }

    /// Its limbs, `F::LIMBS` for each element. Waits for what computes them.
    ///
    /// # Errors
    /// [`Error::NotSubmitted`] and [`Error::NotComputed`] for a vector that is not
    /// there, [`Error::OutOfHostMemory`], else what the device returned.
    pub fn to_limbs(&self) -> Result<Vec<u64>> {
        self.copy_to_new(self.len * F::LIMBS)
    }

    /// Its elements. Waits for what computes them.
    ///
    /// # Errors
    /// As [`Self::to_limbs`].
    pub fn to_elements(&self) -> Result<Vec<F::Limbs>> {
        Ok(F::elements(&self.to_limbs()?).to_vec())
    }

    /// Its elements as values of `T`: arrays of limbs or, with the features of these
    /// names, the types of arkworks and blst. They are copied once, to where they stay.
    /// Waits for what computes them.
    ///
    /// # Errors
    /// [`Error::WrongForm`] for a type whose form is not that of the vector, else as
    /// [`Self::to_limbs`].
    pub fn to_vec<T: Element<Field = F>>(&self) -> Result<Vec<T>> {
        self.expect_form("to_vec", T::FORM)?;
        self.copy_to_new(self.len)
    }

    /// Copies its elements to `out`, which is as long as it: limbs, or what
    /// [`Self::to_vec`] takes. Waits for what computes them.
    ///
    /// # Errors
    /// [`Error::InvalidLimbs`] for a slice of another length, else as
    /// [`Self::to_vec`].
    pub fn download(&self, out: &mut (impl AsElementsMut<F> + ?Sized)) -> Result<()> {
        self.expect_form("download", form_of::<F, _>(out))?;
        let out = out.as_limbs_mut();
        if out.len() != self.len * F::LIMBS {
            return Err(Error::InvalidLimbs {
                what: "the output",
                expected: format!("{} limbs", self.len * F::LIMBS),
                found: out.len(),
            });
        }
        self.copy_to(crate::jobs::as_uninit(out))
    }

    /// `count` values that take all of its limbs.
    fn copy_to_new<T: FlatLimbs>(&self, count: usize) -> Result<Vec<T>> {
        let mut out = Vec::new();
        if out.try_reserve_exact(count).is_err() {
            let requested = count * size_of::<T>();
            let purpose = "a download".to_owned();
            return Err(Error::OutOfHostMemory { purpose, requested });
        }
        let places = limbs_of_places(&mut out.spare_capacity_mut()[..count]);
        vk_mem_paths::advise_huge_pages(places);
        self.copy_to(places)?;
        // SAFETY: `copy_to` returned Ok, so it has written all limbs of `count` places
        // (contract of `Runner::download`), and any limbs are a value (`FlatLimbs`).
        unsafe { out.set_len(count) };
        Ok(out)
    }

    /// On `Ok` all of `out` is written.
    fn copy_to(&self, out: &mut [MaybeUninit<u64>]) -> Result<()> {
        if self.len == 0 {
            return Ok(());
        }
        let stored = self.stored("download")?;
        let elements = self.start..self.start + self.len;
        self.engine.runner().download(F::ID, &stored, elements, out)
    }

    /// Whether it is in a form; in any, where a type says nothing of it.
    fn expect_form(&self, operation: &'static str, expected: Option<Form>) -> Result<()> {
        match expected {
            Some(expected) if expected != self.form => Err(Error::WrongForm {
                operation,
                expected,
                found: self.form,
            }),
            _ => Ok(()),
        }
    }

    /// Where its elements are.
    pub(super) fn stored(&self, operation: &'static str) -> Result<Stored> {
        match self.value.state() {
            State::Stored(stored) => stored.failure(operation).map_or(Ok(stored), Err),
            State::Recorded { .. } => Err(Error::NotSubmitted { operation }),
            State::Failed(source) => Err(Error::NotComputed { operation, source }),
        }
    }
}

impl<F: Field> fmt::Debug for FieldVec<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldVec")
            .field("field", &F::NAME)
            .field("len", &self.len)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
