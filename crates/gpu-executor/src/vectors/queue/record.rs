//! From vectors and operands to the nodes of a program.

use std::sync::Arc;

use field_kernels::{ElementOperation, Field, FormRule};

use super::Queue;
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::operand::{Operand, Scalar, ScalarSource, integer_in};
use crate::vectors::program::{Argument, Node, Reduction, Source, Task};
use crate::vectors::value::{State, Value};
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
        Ok(self.result(Task::Element(operation), arguments, len, len, result))
    }

    /// Submits an operation of its own; in the memory of x, where nobody else holds it.
    pub(in crate::vectors) fn converted<F: Field>(
        self,
        operation: &'static ElementOperation,
        x: FieldVec<F>,
    ) -> Result<FieldVec<F>> {
        let converted = self.element(operation, [Operand::Vector(x)])?;
        // Nobody waits: what uses the result does, and is told what became of it.
        let _pending = self.submit()?;
        Ok(converted)
    }

    /// Records an operation from one vector to another.
    pub(super) fn vector<F: Field>(
        &self,
        task: Task,
        x: &FieldVec<F>,
        form: Form,
    ) -> Result<FieldVec<F>> {
        let arguments = vec![self.argument(task.name(), x, false)?];
        Ok(self.result(task, arguments, x.len(), x.len(), form))
    }

    pub(super) fn reduce<F: Field>(
        &self,
        reduction: Reduction,
        arguments: Vec<Argument>,
        x: &FieldVec<F>,
    ) -> FieldVec<F> {
        self.result(Task::Reduce(reduction), arguments, x.len(), 1, x.form())
    }

    /// Records a node, and returns the vector of its result.
    pub(super) fn result<F: Field>(
        &self,
        task: Task,
        arguments: Vec<Argument>,
        elements: usize,
        len: usize,
        form: Form,
    ) -> FieldVec<F> {
        let vector = FieldVec::new(&self.engine, self.recorded(), len, form);
        self.push(task, F::ID, arguments, elements, &vector.value);
        vector
    }

    /// The state of the next node's result.
    pub(super) fn recorded(&self) -> State {
        State::Recorded {
            queue: self.number,
            node: self.program.borrow().nodes.len(),
        }
    }

    pub(super) fn push(
        &self,
        task: Task,
        field: field_kernels::ElementId,
        arguments: Vec<Argument>,
        elements: usize,
        value: &Arc<Value>,
    ) {
        self.program.borrow_mut().nodes.push(Node {
            task,
            field,
            arguments,
            elements,
            result: Arc::downgrade(value),
        });
    }

    /// Two vectors as arguments.
    pub(super) fn pair<F: Field>(
        &self,
        operation: &'static str,
        x: &FieldVec<F>,
        y: &FieldVec<F>,
    ) -> Result<Vec<Argument>> {
        expect_equal(operation, x.len(), y.len())?;
        expect_forms(operation, x.form(), y.form())?;
        Ok(vec![
            self.argument(operation, x, false)?,
            self.argument(operation, y, false)?,
        ])
    }

    /// An operand in a form, or in its own.
    pub(super) fn operand<F: Field>(
        &self,
        operation: &'static str,
        operand: &Operand<F>,
        expected: Option<Form>,
    ) -> Result<Argument> {
        if let (Some(expected), Some(found)) = (expected, operand.form()) {
            expect_forms(operation, expected, found)?;
        }
        let (limbs, form) = match operand {
            Operand::Vector(vector) => return self.argument(operation, vector, false),
            Operand::Scalar(Scalar(ScalarSource::Vector(vector))) => {
                return self.argument(operation, vector, true);
            }
            Operand::Scalar(Scalar(ScalarSource::Montgomery(limbs))) => (limbs, None),
            Operand::Scalar(Scalar(ScalarSource::Integer(limbs))) => {
                (limbs, Some(expected.unwrap_or_default()))
            }
        };
        if !field_kernels::arithmetic::is_canonical::<F>(limbs) {
            return Err(crate::canonical::refused(F::ID, limbs.as_ref(), 0));
        }
        let limbs = form.map_or(*limbs, |form| integer_in::<F>(form, limbs));
        let number = self.program.borrow_mut().constant(limbs.as_ref());
        Ok(Argument {
            source: Source::Constant(number),
            start: 0,
            scalar: true,
        })
    }

    pub(super) fn argument<F: Field>(
        &self,
        operation: &'static str,
        vector: &FieldVec<F>,
        scalar: bool,
    ) -> Result<Argument> {
        if !vector.engine.is(&self.engine) {
            return Err(Error::ForeignVector { operation });
        }
        let source = match vector.value.state() {
            State::Recorded { queue, node } if queue == self.number => Source::Node(node),
            _ => Source::Input(self.program.borrow_mut().input(&vector.stored(operation)?)),
        };
        Ok(Argument {
            source,
            start: vector.start,
            scalar,
        })
    }

    pub(super) fn expect_form<F: Field>(
        &self,
        operation: &'static str,
        x: &FieldVec<F>,
        expected: Form,
    ) -> Result<()> {
        expect_forms(operation, expected, x.form())
    }
}

fn expect_equal(operation: &'static str, left: usize, right: usize) -> Result<()> {
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
