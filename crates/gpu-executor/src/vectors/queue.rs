//! Records operations, to be run in one submission.

mod elementwise;
mod points;
mod polynomials;
mod record;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use field_kernels::{ElementType, Field, operations};

use super::engine::VectorEngine;
use super::exponent::Exponent;
use super::field_vec::{FieldVec, Form};
use super::operand::Operand;
use super::pending::Pending;
use super::plan::{Fusion, plan};
use super::program::{Program, Task};
use super::value::State;
use crate::{Error, Result};
pub(super) use elementwise::in_place;
pub(super) use record::{expect_equal, expect_possible, expect_rows};

/// Counts queues, so that a vector knows its own.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Operations in the order of their recording, to be run in one submission.
///
/// Each method that records returns the vector that will hold the result. Vectors that
/// are dropped before [`Queue::submit`] are never stored: write
/// `queue.mul(&queue.add(&x, &y)?, &z)?`, and the sum stays in registers.
///
/// It is named for the queue and the command buffer of Vulkan that it stands for:
/// operations are recorded first, and run in the order of the submissions.
///
/// # Errors
/// All methods that record fail for the same reasons: [`Error::UnequalVectors`] for vectors
/// of different lengths, [`Error::WrongForm`] for ones of different forms;
/// [`Error::ForeignVector`], [`Error::NotSubmitted`] and [`Error::NotComputed`] for a vector
/// that cannot be used here.
#[must_use = "what is recorded is computed once the queue is submitted"]
pub struct Queue {
    engine: VectorEngine,
    number: u64,
    program: RefCell<Program>,
    fused: Cell<bool>,
}

/// Elements that are copied to the host when a submission is complete; see
/// [`Queue::read`] and [`Completed::elements`](super::Completed::elements).
#[must_use = "what is read is asked for by it"]
#[derive(Debug)]
pub struct Readback<F: ElementType> {
    pub(super) queue: u64,
    pub(super) number: usize,
    pub(super) field: PhantomData<F>,
}

/// As [`Readback`], of the bytes that elements are; see [`Queue::read_be_bytes`] and
/// [`Completed::be_bytes`](super::Completed::be_bytes).
#[must_use = "what is read is asked for by it"]
#[derive(Debug)]
pub struct BytesReadback {
    pub(super) queue: u64,
    pub(super) number: usize,
}

impl Queue {
    pub(super) fn new(engine: &VectorEngine) -> Self {
        Self {
            engine: engine.clone(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            program: RefCell::default(),
            fused: Cell::new(true),
        }
    }

    /// Whether element-wise neighbours become one kernel. Default: yes. Without, each
    /// operation reads and writes memory for itself.
    pub fn set_fusion(&self, on: bool) {
        self.fused.set(on);
    }

    /// a x + y, of vectors in Montgomery form.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn axpy<F: Field>(
        &self,
        a: impl Into<Operand<F>>,
        x: &FieldVec<F>,
        y: impl Into<Operand<F>>,
    ) -> Result<FieldVec<F>> {
        self.add(&self.mul(x, a)?, y)
    }

    /// y := a x + y.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn axpy_assign<F: Field>(
        &self,
        a: impl Into<Operand<F>>,
        x: &FieldVec<F>,
        y: &mut FieldVec<F>,
    ) -> Result<()> {
        *y = self.axpy(a, x, &*y)?;
        Ok(())
    }

    /// x^exponent, of a vector in Montgomery form; one everywhere for an exponent of 0.
    /// The exponent is an integer or its limbs. Takes a product for each of its bits, and
    /// one for each that is set.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn pow<F: Field>(
        &self,
        x: &FieldVec<F>,
        exponent: impl Into<Exponent>,
    ) -> Result<FieldVec<F>> {
        self.expect_form("pow", x, Form::Montgomery)?;
        let exponent = exponent.into();
        let Some(highest) = exponent.bits().checked_sub(1) else {
            return self.fill(1, x.len());
        };
        let mut power = x.clone();
        for bit in (0..highest).rev() {
            power = self.square(&power)?;
            if exponent.bit(bit) {
                power = self.mul(&power, x)?;
            }
        }
        Ok(power)
    }

    in_place!(pow_assign = pow<F: Field>(FieldVec<F>, exponent: impl Into<Exponent>));

    /// The elements of x in memory of their own: of a small slice, so that the rest of
    /// the vector can be freed.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn copy<F: Field>(&self, x: &FieldVec<F>) -> Result<FieldVec<F>> {
        let arguments = vec![self.argument("copy", x)?];
        Ok(self
            .node(Task::Copy, F::ID, arguments)
            .result(x.len(), x.form()))
    }

    /// A vector of `len` elements that are all the same: a scalar, or the only element of
    /// a vector. An integer is in Montgomery form then.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a vector of any other length, [`Error::VectorTooLong`]
    /// for more elements than any memory can hold, else as [`Self::add`].
    pub fn fill<F: Field>(
        &self,
        element: impl Into<Operand<F>>,
        len: usize,
    ) -> Result<FieldVec<F>> {
        let operation = "fill";
        expect_possible::<F>(operation, len)?;
        let element = element.into().single()?;
        let form = element.form().unwrap_or_default();
        let argument = self.operand(operation, &element, Some(form))?;
        Ok(self
            .node(Task::Copy, F::ID, vec![argument])
            .result(len, form))
    }

    /// As [`VectorEngine::upload_be_bytes`], of several slices one after the other, each of
    /// whole elements. The bytes go up now; they are converted by this queue, which takes no
    /// submission of its own.
    ///
    /// # Errors
    /// As [`VectorEngine::upload_be_bytes`].
    pub fn upload_be_bytes<F: Field>(&self, parts: &[impl AsRef<[u8]>]) -> Result<FieldVec<F>> {
        let vector = self.engine.upload_unconverted::<F>(parts)?;
        self.element(&operations::FROM_BE_BYTES, [vector.into()])
    }

    /// Copies the elements of x to the host at the end of the submission, to memory that lives
    /// as long as what it left: for results of a few elements, which so need no transfer of
    /// their own, and for ones that are not to wait for what is submitted next.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn read<F: ElementType>(&self, x: &FieldVec<F>) -> Result<Readback<F>> {
        Ok(Readback {
            queue: self.number,
            number: self.number_of_read(x)?,
            field: PhantomData,
        })
    }

    /// As [`Self::read`], of the bytes that [`FieldVec::download_be_bytes`] returns.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn read_be_bytes<F: Field>(&self, x: &FieldVec<F>) -> Result<BytesReadback> {
        let bytes = self.to_be_bytes(x)?;
        Ok(BytesReadback {
            queue: self.number,
            number: self.number_of_read(&bytes)?,
        })
    }

    fn number_of_read<F: ElementType>(&self, x: &FieldVec<F>) -> Result<usize> {
        let argument = self.argument("read", x)?;
        let mut program = self.program.borrow_mut();
        program.reads.push(argument);
        Ok(program.reads.len() - 1)
    }

    /// A vector whose memory is the big-endian bytes of the elements of x.
    pub(super) fn to_be_bytes<F: Field>(&self, x: &FieldVec<F>) -> Result<FieldVec<F>> {
        let montgomery = match x.form() {
            Form::Montgomery => x.clone(),
            Form::Plain => self.to_montgomery(x)?,
        };
        self.element(&operations::TO_BE_BYTES, [montgomery.into()])
    }

    /// Submits what was recorded, and returns without waiting for it. The vectors that
    /// were returned can be used from here on: what uses them waits.
    ///
    /// # Errors
    /// [`Error::Vulkan`] and [`Error::DataPath`] for what the driver returned and for
    /// memory, [`Error::VectorTooLong`] and [`Error::TooMany`]. The vectors of this
    /// queue are [`Error::NotComputed`] then.
    pub fn submit(self) -> Result<Pending> {
        let mut program = self.program.into_inner();
        // Asked once: what is let go of from here on is stored all the same.
        let results = program.results.iter();
        let values: Vec<_> = results.map(|result| result.value.upgrade()).collect();
        for (result, value) in program.results.iter_mut().zip(&values) {
            result.is_live = value.is_some();
        }
        let runner = self.engine.runner();
        let fusion = match self.fused.get() {
            true => runner.fusion(),
            false => Fusion::NONE,
        };
        let stages = plan(&program, fusion);
        let operations = program.nodes.len();
        let begun = std::time::Instant::now();
        match runner.run(program, stages) {
            Ok(ran) => {
                for (result, stored) in ran.stored {
                    if let Some(value) = values.get(result).and_then(Option::as_ref) {
                        value.set(State::Stored(stored));
                    }
                }
                Ok(Pending {
                    engine: self.engine.clone(),
                    queue: self.number,
                    flight: ran.flight,
                    begun,
                    operations,
                    did: ran.did,
                    watch: None,
                })
            }
            Err(error) => {
                let reason: Arc<Error> = Arc::new(error.clone());
                for value in values.into_iter().flatten() {
                    value.set(State::Failed(Arc::clone(&reason)));
                }
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("operations", &self.program.borrow().nodes.len())
            .finish_non_exhaustive()
    }
}
