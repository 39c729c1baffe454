//! From vectors and operands to the nodes of a program.

use std::borrow::Borrow;
use std::sync::Arc;

use field_kernels::{ElementId, ElementOperation, ElementType, Field, FormRule};

use super::Queue;
use crate::vectors::families::WholeOperation;
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::operand::{Operand, Scalar, ScalarSource, integer_in};
use crate::vectors::program::{Argument, Node, NodeResult, Source, Task};
use crate::vectors::value::State;
use crate::{Error, Result};

impl Queue {
    /// Records an element-wise operation. Of single elements alone the result is a
    /// vector of one.
    pub(super) fn element<F: Field, const N: usize>(
        &self,
        operation: &'static ElementOperation,
        operands: [Operand<F>; N],
    ) -> Result<FieldVec<F>> {
        let name = operation.name;
        let mut lengths = operands.iter().filter_map(Operand::len);
        let len = lengths.next().unwrap_or(1);
        lengths.try_for_each(|found| expect_equal(name, len, found))?;
        let common = |operands: &[Operand<F>]| {
            let known = operands.iter().find_map(Operand::form);
            known.unwrap_or_default()
        };
        // What the first argument is held to, what the others are, and what comes of it.
        let (first, others, result) = match operation.form {
            FormRule::Either => {
                let form = common(&operands);
                (Some(form), Some(form), form)
            }
            FormRule::Select => {
                let form = common(&operands[1..]);
                (None, Some(form), form)
            }
            FormRule::Test => (None, None, Form::Montgomery),
            FormRule::Montgomery => {
                let form = Form::Montgomery;
                (Some(form), Some(form), form)
            }
            FormRule::IntoMontgomery => (Some(Form::Plain), None, Form::Montgomery),
            FormRule::OutOfMontgomery => (Some(Form::Montgomery), None, Form::Plain),
        };
        let arguments = operands.iter().enumerate().map(|(number, operand)| {
            let expected = if number == 0 { first } else { others };
            self.operand(name, operand, expected)
        });
        let arguments = arguments.collect::<Result<_>>()?;
        let node = self.node(Task::Element(operation), F::ID, arguments);
        Ok(node.result(len, result))
    }

    /// Submits an operation of its own; in the memory of x, where nobody else holds it.
    pub(in crate::vectors) fn converted<F: Field>(
        self,
        operation: &'static ElementOperation,
        x: FieldVec<F>,
    ) -> Result<FieldVec<F>> {
        let converted = self.element(operation, [Operand::Vector(x)])?;
        // Nobody waits: what uses the result does, and reports what became of it.
        let _pending = self.submit()?;
        Ok(converted)
    }

    /// Records an operation over whole vectors, by the arithmetic of `field`. Its results
    /// are recorded next, in their order, before any other node.
    pub(in crate::vectors) fn whole(
        &self,
        operation: &'static WholeOperation,
        field: ElementId,
        arguments: Vec<Argument>,
    ) -> Recorded<'_> {
        self.node(Task::Whole(operation), field, arguments)
    }

    /// The same, of one vector.
    pub(in crate::vectors) fn whole_of<E: ElementType>(
        &self,
        operation: &'static WholeOperation,
        field: ElementId,
        x: &FieldVec<E>,
    ) -> Result<Recorded<'_>> {
        let arguments = vec![self.argument(operation.name, x)?];
        Ok(self.whole(operation, field, arguments))
    }

    pub(super) fn node(
        &self,
        task: Task,
        field: ElementId,
        arguments: Vec<Argument>,
    ) -> Recorded<'_> {
        let mut program = self.program.borrow_mut();
        let next = program.results.len();
        program.nodes.push(Node {
            task,
            field,
            arguments,
            parameters: Vec::new(),
            results: next..next,
        });
        Recorded {
            queue: self,
            number: program.nodes.len() - 1,
        }
    }

    /// The most elements of a vector that a kernel of the engine takes as a whole.
    pub(in crate::vectors) fn most_bound<F: ElementType>(&self) -> usize {
        self.engine.runner().most_bound(F::ID)
    }

    pub(in crate::vectors) fn number(&self) -> u64 {
        self.number
    }

    pub(in crate::vectors) fn pair<F: ElementType>(
        &self,
        operation: &'static str,
        x: &FieldVec<F>,
        y: &FieldVec<F>,
    ) -> Result<Vec<Argument>> {
        expect_equal(operation, x.len(), y.len())?;
        expect_forms(operation, x.form(), y.form())?;
        Ok(vec![
            self.argument(operation, x)?,
            self.argument(operation, y)?,
        ])
    }

    /// Vectors of one form as arguments, and the form.
    pub(in crate::vectors) fn all<F: ElementType>(
        &self,
        operation: &'static str,
        vectors: &[impl Borrow<FieldVec<F>>],
    ) -> Result<(Vec<Argument>, Form)> {
        let form = vectors
            .first()
            .map_or_else(Form::default, |it| it.borrow().form());
        let arguments = vectors.iter().map(|vector| {
            let vector = vector.borrow();
            expect_forms(operation, form, vector.form())?;
            self.argument(operation, vector)
        });
        Ok((arguments.collect::<Result<_>>()?, form))
    }

    /// An operand in a form, or in its own.
    pub(in crate::vectors) fn operand<F: Field>(
        &self,
        operation: &'static str,
        operand: &Operand<F>,
        expected: Option<Form>,
    ) -> Result<Argument> {
        if let (Some(expected), Some(found)) = (expected, operand.form()) {
            expect_forms(operation, expected, found)?;
        }
        let (limbs, form) = match operand {
            Operand::Vector(vector) => return self.argument(operation, vector),
            Operand::Scalar(Scalar(ScalarSource::Vector(vector))) => {
                let argument = self.argument(operation, vector)?;
                return Ok(Argument {
                    scalar: true,
                    ..argument
                });
            }
            Operand::Scalar(Scalar(ScalarSource::Montgomery(limbs))) => (limbs, None),
            Operand::Scalar(Scalar(ScalarSource::Integer(limbs))) => {
                (limbs, Some(expected.unwrap_or_default()))
            }
        };
        if let Some(refused) = crate::canonical::first_refused::<F>(&[*limbs]) {
            return Err(refused.of(None, "a scalar").into());
        }
        let limbs = form.map_or(*limbs, |form| integer_in::<F>(form, limbs));
        let number = self.program.borrow_mut().constant(limbs.as_ref());
        Ok(Argument {
            source: Source::Constant(number),
            of: F::ID,
            start: 0,
            elements: 1,
            scalar: true,
        })
    }

    pub(in crate::vectors) fn argument<F: ElementType>(
        &self,
        operation: &'static str,
        vector: &FieldVec<F>,
    ) -> Result<Argument> {
        if !vector.engine.is(&self.engine) {
            return Err(Error::ForeignVector { operation });
        }
        let source = match vector.value.state() {
            State::Recorded { queue, result } if queue == self.number => Source::Result(result),
            _ => Source::Input(self.program.borrow_mut().input(&vector.stored(operation)?)),
        };
        Ok(Argument {
            source,
            of: F::ID,
            start: vector.start,
            elements: vector.len(),
            scalar: false,
        })
    }

    pub(in crate::vectors) fn expect_form<F: ElementType>(
        &self,
        operation: &'static str,
        x: &FieldVec<F>,
        expected: Form,
    ) -> Result<()> {
        expect_forms(operation, expected, x.form())
    }
}

/// A node that was just recorded, whose results are to be.
pub(in crate::vectors) struct Recorded<'q> {
    queue: &'q Queue,
    pub(in crate::vectors) number: usize,
}

impl Recorded<'_> {
    /// What else the operation goes by.
    pub(in crate::vectors) fn with(self, parameters: &[u64]) -> Self {
        let mut program = self.queue.program.borrow_mut();
        program.nodes[self.number].parameters = parameters.to_vec();
        drop(program);
        self
    }

    /// Its next result, and the vector that will hold it.
    pub(in crate::vectors) fn result<F: ElementType>(&self, len: usize, form: Form) -> FieldVec<F> {
        let mut program = self.queue.program.borrow_mut();
        let (queue, result) = (self.queue.number, program.results.len());
        let state = State::Recorded { queue, result };
        let vector = FieldVec::new(&self.queue.engine, state, len, form);
        program.results.push(NodeResult {
            of: F::ID,
            elements: len,
            value: Arc::downgrade(&vector.value),
            is_live: false,
        });
        program.nodes[self.number].results.end = result + 1;
        vector
    }
}

/// Holds the length of a result to what memory could be addressed for.
pub(in crate::vectors) fn expect_possible<F: ElementType>(
    operation: &'static str,
    found: usize,
) -> Result<()> {
    let most = isize::MAX.unsigned_abs() / F::BYTES;
    match found <= most {
        true => Ok(()),
        false => Err(Error::VectorTooLong {
            operation,
            most,
            found,
        }),
    }
}

pub(in crate::vectors) fn expect_equal(
    operation: &'static str,
    left: usize,
    right: usize,
) -> Result<()> {
    match left == right {
        true => Ok(()),
        false => Err(Error::UnequalVectors {
            operation,
            left,
            right,
        }),
    }
}

fn expect_forms(operation: &'static str, expected: Form, found: Form) -> Result<()> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::WrongForm {
            operation,
            expected,
            found,
        }),
    }
}

/// Expects rows of `row` elements, one at least.
pub(in crate::vectors) fn expect_rows(
    operation: &'static str,
    row: usize,
    found: usize,
) -> Result<()> {
    match found > 0 && found.is_multiple_of(row) {
        true => Ok(()),
        false => Err(Error::WrongRows {
            operation,
            row,
            found,
        }),
    }
}
