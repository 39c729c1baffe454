//! Sums of many vectors, each times a scalar.

use std::borrow::Borrow;

use field_kernels::vector_kernels::LINEAR_COMBINATION as KERNEL;

use super::prelude::*;

static LINEAR_COMBINATION: WholeOperation =
    WholeOperation::new("linear_combination", on_device, in_field!(on_cpu));

impl Queue {
    /// The sum of `vectors`, which are of one length, each times its scalar: elements of the
    /// host, integers, or single elements of vectors. In one pass over up to 8 vectors, and
    /// one more for each further 8, which reads and writes the result too.
    ///
    /// # Errors
    /// [`Error::WrongNumber`] where there is not one scalar for each vector and one vector
    /// at least, [`Error::WrongForm`] for anything in plain form, [`Error::WrongLength`] for
    /// a scalar that is several elements, else as [`Self::add`].
    pub fn linear_combination<F: Field>(
        &self,
        vectors: &[impl Borrow<FieldVec<F>>],
        scalars: &[impl Into<Operand<F>> + Clone],
    ) -> Result<FieldVec<F>> {
        let operation = LINEAR_COMBINATION.name;
        let wrong = |expected, found| Error::WrongNumber {
            operation,
            expected,
            found,
        };
        let Some(first) = vectors.first().map(Borrow::borrow) else {
            return Err(wrong("a vector or more".to_owned(), 0));
        };
        if scalars.len() != vectors.len() {
            let expected = format!("a scalar for each of {} vectors", vectors.len());
            return Err(wrong(expected, scalars.len()));
        }
        self.expect_form(operation, first, Form::Montgomery)?;
        let (mut arguments, form) = self.all(operation, vectors)?;
        let mut lengths = arguments.iter().map(|it| it.elements);
        lengths.try_for_each(|found| expect_equal(operation, first.len(), found))?;
        for scalar in scalars {
            let scalar = scalar.clone().into().single()?;
            arguments.push(self.operand(operation, &scalar, Some(form))?);
        }
        let node = self.whole(&LINEAR_COMBINATION, F::ID, arguments);
        Ok(node.result(first.len(), form))
    }
}

/// Vectors that the kernel takes.
const MOST_VECTORS: usize = 8;

/// The vectors, and the scalars.
fn halves<'a>(call: &Call<'a>) -> (&'a [Argument], &'a [Argument]) {
    call.arguments.split_at(call.arguments.len() / 2)
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, (vectors, scalars)) = (call.field, halves(call));
    let elements = call.results[0].elements;
    let output = steps.take(field, elements)?;
    let together = steps.take(field, scalars.len())?;
    for (number, scalar) in scalars.iter().enumerate() {
        steps.copy(scalar, &(0..1), &together, number * field.bytes())?;
    }
    for piece in steps.pieces(field, elements, KERNEL.group_size as usize) {
        let to = steps.window(&output, field, &piece, Access::Write);
        for (pass, vectors) in vectors.chunks(MOST_VECTORS).enumerate() {
            let first = pass * MOST_VECTORS;
            let those = first..first + vectors.len();
            let factors = steps.window(&together, field, &those, Access::Read);
            let inputs = vectors.iter().map(|it| steps.input(it, &piece));
            let mut inputs = inputs.collect::<Result<Vec<_>, _>>()?;
            // Something must be bound where there is no vector.
            inputs.resize(MOST_VECTORS, inputs[0].clone());
            let counts = [count(piece.len())?, count(vectors.len())?];
            let mut constants = vec![counts[0], counts[1], u32::from(pass > 0)];
            constants.extend([factors.start, to.start]);
            constants.extend(inputs.iter().map(|it| it.start));
            let buffers: Vec<_> = inputs.iter().chain([&factors, &to]).collect();
            steps.dispatch(&KERNEL, field, &buffers, &constants, piece.len())?;
        }
    }
    steps.only_result(call, output)
}

fn on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (vectors, scalars) = halves(call);
    let vectors = vectors.iter().map(|it| run.elements::<F>(it));
    let vectors: Vec<_> = vectors.collect::<Result<_, _>>()?;
    let scalars = scalars.iter().map(|it| Ok(run.elements::<F>(it)?[0]));
    let scalars: Vec<_> = scalars.collect::<Result<_, Error>>()?;
    let out = run.filled::<F>(call.results[0].elements, GRAIN, |first, out| {
        out.fill(F::Limbs::default());
        for (vector, scalar) in vectors.iter().zip(&scalars) {
            for (x, out) in vector[first..].iter().zip(&mut *out) {
                *out = arithmetic::add::<F>(out, &F::mul(x, scalar));
            }
        }
    })?;
    run.only_result(call, out)
}
