//! Points times integers.

use std::ops::Range;

use field_kernels::params;
use field_kernels::vector_kernels::MULTIPLY_POINTS as KERNEL;

use super::msm::{images_of, split};
use super::normalise::pieces;
use super::prelude::*;
use crate::vectors::cpu::{self};
use crate::vectors::operand::{Scalar, ScalarSource};

/// Bits of an integer for all, by each of which points are doubled and added at most; of
/// longer ones, and of those that only the device knows, halves are taken.
const MOST_BITS: u32 = 128;
/// Multiples of a point, and of its image, that its halves are multiplied by: `MULTIPLES` of
/// the shader twice.
const MULTIPLES: usize = 16;
/// Bytes of the multiples of all points at a time, about.
const MOST_BYTES: usize = 1 << 28;

static MULTIPLY: WholeOperation = WholeOperation::new(
    "mul_points",
    on_device,
    |run, call| with_curve!(call.arguments[0].of, C => on_cpu::<C>(run, call)),
);

impl Queue {
    /// X, Y, ZZ and ZZZ by turns of each point of the subgroup times its scalar, or times one
    /// for all; of any point of the curve for an integer of [`MOST_BITS`] at most.
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
            Operand::Scalar(Scalar(ScalarSource::Integer(limbs))) => Some(params::bits(limbs)),
            _ => None,
        };
        let bits = bits.filter(|bits| *bits <= MOST_BITS);
        let arguments = vec![
            self.argument(MULTIPLY.name, points)?,
            self.operand(MULTIPLY.name, &scalars, Some(Form::Plain))?,
        ];
        let node = self.whole(&MULTIPLY, C::Field::ID, arguments);
        let node = node.with(&[bits.map_or(0, u64::from)]);
        Ok(node.result(4 * points.len(), Form::Montgomery))
    }

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
    let bits = u32::try_from(bits).map_err(|_| internal("bits of an integer"))?;
    let group = KERNEL.group_size as usize;
    let pieces = pieces(steps, call.field, points.elements, group).into_iter();
    let pieces: Vec<_> = pieces
        .flat_map(|piece| at_once(steps, call, &piece))
        .collect();
    for some in pieces {
        let coordinates = 4 * some.start..4 * some.end;
        let to = steps.window(&output, call.field, &coordinates, Access::Write);
        let of_points = steps.input(points, &some)?;
        let mut integers = steps.input(scalars, &some)?;
        // What is not used is bound all the same.
        let (mut images, mut multiples) = (of_points.clone(), to.clone());
        if bits == 0 {
            let count = if scalars.scalar { 1 } else { some.len() };
            let halves = steps.take(Fr::ID, count)?;
            split(steps, &integers, &Window::on(&halves), count)?;
            integers = Window::on(&halves).to_read();
            let of_images = steps.take(call.field, some.len())?;
            images_of(steps, call, some.clone(), &of_images)?;
            images = Window::on(&of_images).to_read();
            let all = steps.take(call.field, 4 * MULTIPLES * some.len())?;
            multiples = Window::on(&all);
        }
        let constants = [
            count(some.len())?,
            of_points.start,
            integers.start,
            to.start,
            count(stride)?,
            bits,
        ];
        let buffers = [&of_points, &integers, &images, &to, &multiples];
        steps.dispatch(&KERNEL, call.field, &buffers, &constants, some.len())?;
    }
    steps.only_result(call, output)
}

/// The points of a piece for whose multiples there is memory at a time, as many each time.
fn at_once(steps: &Steps<'_>, call: &Call<'_>, piece: &Range<usize>) -> Vec<Range<usize>> {
    let each = 4 * MULTIPLES * call.field.bytes();
    let most = (steps.most_bytes().min(MOST_BYTES) / each).max(1);
    let times = match call.parameters {
        [0] => piece.len().div_ceil(most).max(1),
        _ => 1,
    };
    let most = piece.len().div_ceil(times).max(1);
    let starts = (piece.start..piece.end).step_by(most);
    starts
        .map(|start| start..piece.end.min(start + most))
        .collect()
}

fn on_cpu<C: BlstCurve>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let points = C::elements(run.limbs(&call.arguments[0])?)?;
    let scalars = run.elements::<Fr>(&call.arguments[1])?;
    let out = cpu::products::<C>(run, points, scalars)?;
    run.only_result(call, out)
}
