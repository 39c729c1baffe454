//! From vectors and operands to the nodes of a program.

use std::sync::Arc;

use field_kernels::{ElementOperation, Field, FormRule};

use super::Queue;
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::operand::{Operand, Scalar, ScalarSource};
use crate::vectors::program::{Argument, Node, Reduction, Source, Task};
use crate::vectors::value::{State, Value};
use crate::{Error, Result};

impl Queue {
    /// Records an element-wise operation.
    pub(super) fn element<F: Field>(
        &self,
        operation: &'static ElementOperation,
        x: &FieldVec<F>,
        y: Option<Operand<F>>,
    ) -> Result<FieldVec<F>> {
        let name = operation.name;
        let form = match operation.form {
            FormRule::Either => x.form(),
            FormRule::Montgomery | FormRule::OutOfMontgomery => {
                self.expect_form(name, x, Form::Montgomery)?;
                Form::Montgomery
            }
            FormRule::IntoMontgomery => {
                self.expect_form(name, x, Form::Plain)?;
                Form::Plain
            }
        };
        let mut arguments = vec![self.argument(name, x, false)?];
        if let Some(y) = y {
            if let Operand::Vector(y) = &y {
                expect_equal(name, x, y)?;
            }
            let (argument, found) = self.operand(name, &y)?;
            expect_forms(name, form, found)?;
            arguments.push(argument);
        }
        let form = match operation.form {
            FormRule::Either => form,
            FormRule::Montgomery | FormRule::IntoMontgomery => Form::Montgomery,
            FormRule::OutOfMontgomery => Form::Plain,
        };
        let task = Task::Element(operation);
        Ok(self.result(task, arguments, x.len(), x.len(), form))
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
        field: field_kernels::FieldId,
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
        expect_equal(operation, x, y)?;
        expect_forms(operation, x.form(), y.form())?;
        Ok(vec![
            self.argument(operation, x, false)?,
            self.argument(operation, y, false)?,
        ])
    }

    pub(super) fn operand<F: Field>(
        &self,
        operation: &'static str,
        operand: &Operand<F>,
    ) -> Result<(Argument, Form)> {
        match operand {
            Operand::Vector(vector) => {
                Ok((self.argument(operation, vector, false)?, vector.form()))
            }
            Operand::Scalar(Scalar(ScalarSource::Vector(vector))) => {
                Ok((self.argument(operation, vector, true)?, vector.form()))
            }
            Operand::Scalar(Scalar(ScalarSource::Host(limbs, form))) => {
                if !field_kernels::arithmetic::is_canonical::<F>(limbs) {
                    return Err(crate::canonical::refused(F::ID, limbs.as_ref(), 0));
                }
                let number = self.program.borrow_mut().constant(limbs.as_ref());
                let argument = Argument {
                    source: Source::Constant(number),
                    start: 0,
                    scalar: true,
                };
                Ok((argument, *form))
            }
        }
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

fn expect_equal<F: Field>(operation: &'static str, x: &FieldVec<F>, y: &FieldVec<F>) -> Result<()> {
    match x.len() == y.len() {
        true => Ok(()),
        false => Err(Error::UnequalVectors {
            operation,
            left: x.len(),
            right: y.len(),
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
