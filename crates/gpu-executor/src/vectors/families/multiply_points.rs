//! Points times integers.

use field_kernels::vector_kernels::MULTIPLY_POINTS as KERNEL;
use field_kernels::{Curve, ElementType as _, Fr, PrimeField as _, arithmetic, params};
use vk_mem_paths::Access;

use super::normalise::pieces;
use super::{Call, WholeOperation};
use crate::vectors::cpu::{self, BlstCurve, Run};
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::fields::with_curve;
use crate::vectors::operand::{Operand, Scalar, ScalarSource};
use crate::vectors::points::PointVec;
use crate::vectors::queue::{Queue, expect_equal};
use crate::vectors::runner::internal;
use crate::vectors::vulkan::{PART, Steps, count};
use crate::{Error, Result};

static MULTIPLY: WholeOperation = WholeOperation {
    name: "mul_points",
    multiplies: true,
    leaves: None,
    on_device,
    on_cpu: |run, call| with_curve!(call.arguments[0].of, C => on_cpu::<C>(run, call)),
};

impl Queue {
    /// X, Y, ZZ and ZZZ by turns of each point of the subgroup times its scalar, or times one
    /// for all.
    pub(in crate::vectors) fn products_of_points<C: Curve>(
        &self,
        points: &PointVec<C>,
        scalars: Operand<Fr>,
    ) -> Result<FieldVec<C::Field>> {
        if let Some(found) = scalars.len() {
            expect_equal(MULTIPLY.name, points.len(), found)?;
        }
        let scalars = self.plain(scalars)?;
        let bits = match &scalars {
            Operand::Scalar(Scalar(ScalarSource::Integer(limbs))) => params::bits(limbs),
            _ => Fr::BITS,
        };
        let arguments = vec![
            self.argument(MULTIPLY.name, points)?,
            self.operand(MULTIPLY.name, &scalars, Some(Form::Plain))?,
        ];
        let node = self.whole(&MULTIPLY, C::Field::ID, arguments);
        let node = node.with(&[u64::from(bits)]);
        Ok(node.result(4 * points.len(), Form::Montgomery))
    }

    /// Scalars as integers.
    fn plain(&self, scalars: Operand<Fr>) -> Result<Operand<Fr>> {
        Ok(match scalars {
            Operand::Vector(vector) if vector.form() == Form::Montgomery => {
                Operand::Vector(self.from_montgomery(&vector)?)
            }
            Operand::Scalar(Scalar(ScalarSource::Vector(vector)))
                if vector.form() == Form::Montgomery =>
            {
                Operand::Scalar(self.from_montgomery(&vector)?.as_scalar()?)
            }
            Operand::Scalar(Scalar(ScalarSource::Montgomery(limbs)))
                if arithmetic::is_canonical::<Fr>(&limbs) =>
            {
                let integer = arithmetic::from_montgomery::<Fr>(&limbs);
                Operand::Scalar(Scalar::plain(integer))
            }
            plain => plain,
        })
    }
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let ([points, scalars], &[bits]) = (call.arguments, call.parameters) else {
        return Err(internal("points, scalars and their bits"));
    };
    let output = steps.take(call.field, call.results[0].elements)?;
    let stride = match scalars.scalar {
        true => 0,
        false => Fr::BYTES / PART,
    };
    let bits = u32::try_from(bits).unwrap_or(Fr::BITS);
    let group = KERNEL.group_size as usize;
    for some in pieces(steps, call.field, points.elements, group) {
        let coordinates = 4 * some.start..4 * some.end;
        let to = steps.window(&output, call.field, &coordinates, Access::Write);
        let (points, scalars) = (steps.input(points, &some)?, steps.input(scalars, &some)?);
        let constants = [
            count(some.len())?,
            points.start,
            scalars.start,
            to.start,
            count(stride)?,
            bits,
        ];
        let buffers = [&points, &scalars, &to];
        steps.dispatch(&KERNEL, call.field, &buffers, &constants, some.len())?;
    }
    steps.set_result(call, 0, output);
    Ok(())
}

fn on_cpu<C: BlstCurve>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let points = C::elements(run.limbs(&call.arguments[0])?)?;
    let scalars = run.elements::<Fr>(&call.arguments[1])?;
    let mut out = run.take(call.bytes(0) / size_of::<u64>())?;
    cpu::products::<C>(run, points, scalars, out.as_mut_slice())?;
    run.set_result(call, 0, out);
    Ok(())
}

#[cfg(test)]
pub(super) fn samples() -> Vec<(&'static str, super::Sample<Fr>)> {
    vec![(MULTIPLY.name, |q, x, _| {
        let points = super::generators(x)?;
        // Limbs are compared, whatever they are of.
        Ok(q.mul_points(&points, x)?.reinterpreted())
    })]
}
