//! A vector of field elements.

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

use field_kernels::{ElementType, Field};

use super::elements::sealed::FlatLimbs;
use super::elements::{AsElements, AsElementsMut, as_bytes, as_uninit, form_of, room_for};
use super::engine::VectorEngine;
use super::operand::{Scalar, ScalarSource};
use super::value::{State, Stored, Value};
use crate::{Error, Result};

/// How the limbs of an element stand for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// x R mod p, with R = 2^384 for Fp and 2^256 for Fr, and of Fp2 each coordinate so:
    /// what arkworks and blst hold.
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
pub struct FieldVec<F: ElementType> {
    pub(super) engine: VectorEngine,
    pub(super) value: Arc<Value>,
    pub(super) start: usize,
    len: usize,
    form: Form,
    field: PhantomData<F>,
}

impl<F: ElementType> FieldVec<F> {
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

    /// A part of it, which shares its memory: `slice(2..5)`, `slice(..10)`, `slice(3..=7)`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Self> {
        let range = range_in(self.len, &range)?;
        Ok(Self {
            start: self.start + range.start,
            len: range.len(),
            ..self.clone()
        })
    }

    /// The same memory as elements of another type, into which it and its start are cut.
    pub(super) fn reinterpreted<E: ElementType>(&self) -> FieldVec<E> {
        FieldVec {
            engine: self.engine.clone(),
            value: Arc::clone(&self.value),
            start: self.start * F::LIMBS / E::LIMBS,
            len: self.len * F::LIMBS / E::LIMBS,
            form: self.form,
            field: PhantomData,
        }
    }

    /// The first `mid` elements and the rest.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn split_at(&self, mid: usize) -> Result<(Self, Self)> {
        Ok((self.slice(..mid)?, self.slice(mid..)?))
    }

    /// Its elements, copied once, to where they stay: flat limbs (`u64`), arrays of limbs,
    /// or with the features of these names the types of arkworks and blst. Waits for what
    /// computes them.
    ///
    /// ```
    /// # use gpu_executor::vectors::{Fr, VectorEngine};
    /// # fn main() -> anyhow::Result<()> {
    /// # let engine = VectorEngine::cpu_with_threads(2)?;
    /// let x = engine.upload::<Fr>(&[[1, 0, 0, 0], [2, 0, 0, 0]])?;
    /// let limbs: Vec<u64> = x.download()?;
    /// assert_eq!(limbs, [1, 0, 0, 0, 2, 0, 0, 0]);
    /// assert_eq!(x.download::<[u64; 4]>()?[1], [2, 0, 0, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongForm`] for a type whose form is not that of the vector,
    /// [`Error::NotSubmitted`] and [`Error::NotComputed`] for a vector that is not
    /// there, [`Error::OutOfHostMemory`], else what the device returned.
    pub fn download<T: FlatLimbs>(&self) -> Result<Vec<T>>
    where
        [T]: AsElements<F>,
    {
        self.expect_form("download", <[T] as AsElements<F>>::FORM)?;
        let count = self.len * F::BYTES / size_of::<T>();
        let mut out = room_for(count, || "a download".to_owned())?;
        let places = &mut out.spare_capacity_mut()[..count];
        self.copy_to(as_bytes(places))?;
        // SAFETY: `copy_to` returned Ok, so it has written all limbs of `count` places
        // (contract of `Runner::download`), and any limbs are a value (`FlatLimbs`).
        unsafe { out.set_len(count) };
        Ok(out)
    }

    /// Copies its elements to `out`, which is as long as it: a slice of what
    /// [`Self::download`] returns, or a [`HostBuffer`](crate::HostBuffer). Waits for what
    /// computes them.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] for a slice of another length, else as
    /// [`Self::download`].
    pub fn download_into(&self, out: &mut (impl AsElementsMut<F> + ?Sized)) -> Result<()> {
        self.expect_form("download", form_of::<F, _>(out))?;
        let out = out.as_limbs_mut();
        expect_length(out.len(), self.len * F::LIMBS, "limbs")?;
        self.copy_to(as_bytes(as_uninit(out)))
    }

    /// On `Ok` all of `out` is written.
    fn copy_to(&self, out: &mut [MaybeUninit<u8>]) -> Result<()> {
        if self.len == 0 {
            return Ok(());
        }
        let stored = self.stored("download")?;
        let first = self.start * F::BYTES;
        self.engine.runner().download(&stored, first, out)
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

impl<F: Field> FieldVec<F> {
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

    /// Its elements as big-endian bytes of integers below the modulus, whatever its form:
    /// 48 for each of Fp, 32 of Fr, of Fp2 those of c0 and then of c1. The engine converts
    /// them, in a submission of its own: see [`Queue::read_be_bytes`](super::Queue::read_be_bytes).
    ///
    /// # Errors
    /// As [`Self::download`] and [`Queue::submit`](super::Queue::submit).
    pub fn download_be_bytes(&self) -> Result<Vec<u8>> {
        let bytes = self.in_be_bytes()?;
        let count = self.len * F::BYTES;
        let mut out = room_for(count, || "a download".to_owned())?;
        bytes.copy_to(&mut out.spare_capacity_mut()[..count])?;
        // SAFETY: `copy_to` returned Ok, so it has written all of `count` bytes (contract
        // of `Runner::download`).
        unsafe { out.set_len(count) };
        Ok(out)
    }

    /// As [`Self::download_be_bytes`], to `out`, which is as long.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] for a slice of another length, else as
    /// [`Self::download_be_bytes`].
    pub fn download_be_bytes_into(&self, out: &mut [u8]) -> Result<()> {
        expect_length(out.len(), self.len * F::BYTES, "bytes")?;
        self.in_be_bytes()?.copy_to(as_uninit(out))
    }

    /// A vector whose memory is the big-endian bytes of its elements.
    fn in_be_bytes(&self) -> Result<Self> {
        let queue = self.engine.queue();
        let bytes = queue.to_be_bytes(self)?;
        // What copies them waits, and reports what became of it.
        let _pending = queue.submit()?;
        Ok(bytes)
    }
}

/// A range of `len` elements.
pub(super) fn range_in(len: usize, range: &impl RangeBounds<usize>) -> Result<Range<usize>> {
    // What is past all numbers is past every end, too.
    let after = |bound: usize| bound.saturating_add(1);
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => after(*before),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => after(*last),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => len,
    };
    match start <= end && end <= len {
        true => Ok(start..end),
        false => Err(Error::OutOfRange {
            elements: len,
            start,
            end,
        }),
    }
}

/// Room for so many values.
fn expect_length(found: usize, expected: usize, unit: &'static str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::InvalidLength {
            what: "the output",
            expected: format!("{expected} {unit}"),
            found,
            unit,
        }),
    }
}

impl<F: ElementType> fmt::Debug for FieldVec<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldVec")
            .field("field", &F::NAME)
            .field("len", &self.len)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
