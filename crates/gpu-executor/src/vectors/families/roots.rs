//! Square roots, of two the one that a sign names: for points of which x is known.

use bytemuck::must_cast_slice;
use field_kernels::vector_kernels::ROOTS as KERNEL;

use super::prelude::*;
use crate::vectors::indices::{INDICES_OF_AN_ELEMENT, Indices};

static ROOTS: WholeOperation = WholeOperation::new("roots", on_device, in_field!(on_cpu));

impl Queue {
    /// A square root of each element of the base field or of its extension: by the sign 1 the
    /// larger one, by 0 the other, and by 2 zero, whatever the element. Of what is no square,
    /// anything.
    pub(in crate::vectors) fn roots<F: Field>(
        &self,
        squares: &FieldVec<F>,
        signs: &Indices,
    ) -> Result<FieldVec<F>> {
        expect_equal(ROOTS.name, squares.len(), signs.len())?;
        let arguments = vec![
            self.argument(ROOTS.name, squares)?,
            self.argument(ROOTS.name, &signs.words)?,
        ];
        let node = self.whole(&ROOTS, F::ID, arguments);
        Ok(node.result(squares.len(), Form::Montgomery))
    }
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let [squares, signs] = call.arguments else {
        return Err(internal("squares and signs"));
    };
    let output = steps.take(call.field, squares.elements)?;
    for piece in steps.pieces(call.field, squares.elements, KERNEL.group_size as usize) {
        let first = piece.start / INDICES_OF_AN_ELEMENT;
        let of_signs = first..piece.end.div_ceil(INDICES_OF_AN_ELEMENT);
        let to = steps.window(&output, call.field, &piece, Access::Write);
        let (squares, signs) = (
            steps.input(squares, &piece)?,
            steps.input(signs, &of_signs)?,
        );
        let constants = [
            count(piece.len())?,
            squares.start,
            signs.start,
            count(piece.start - first * INDICES_OF_AN_ELEMENT)?,
            to.start,
        ];
        let buffers = [&squares, &signs, &to];
        steps.dispatch(&KERNEL, call.field, &buffers, &constants, piece.len())?;
    }
    steps.only_result(call, output)
}

fn on_cpu<F: CpuField>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let squares = run.elements::<F>(&call.arguments[0])?;
    let signs: &[u32] = must_cast_slice(run.limbs(&call.arguments[1])?);
    let out = run.filled::<F>(squares.len(), PIECE, |first, out| {
        let given = squares[first..].iter().zip(&signs[first..]);
        for (place, (square, sign)) in out.iter_mut().zip(given) {
            let root = root::<F>(square);
            *place = match sign {
                0 | 1 if is_larger::<F>(&root) == (*sign == 1) => root,
                0 | 1 => arithmetic::neg::<F>(&root),
                _ => F::Limbs::default(),
            };
        }
    })?;
    run.only_result(call, out)
}

/// Roots that one thread computes at a time.
const PIECE: usize = 32;

/// A root of a square, by the powers that `shaders/roots.comp` takes.
fn root<F: CpuField>(square: &F::Limbs) -> F::Limbs {
    let modulus = F::ID.modulus();
    let power = |base: &F::Limbs, without: usize| {
        let bits = (without..64 * modulus.len()).rev();
        bits.fold(F::ONE, |power, bit| {
            let power = F::mul(&power, &power);
            match modulus[bit / 64] >> (bit % 64) & 1 {
                1 => F::mul(&power, base),
                _ => power,
            }
        })
    };
    let first = power(square, 2);
    let root = F::mul(&first, square);
    if F::ID.coordinates() == 1 {
        return root;
    }
    let base = arithmetic::add::<F>(&F::ONE, &F::mul(&first, &root));
    match base == F::Limbs::default() {
        true => times_u::<F>(&root),
        false => F::mul(&power(&base, 1), &root),
    }
}

/// c0 u - c1 of c0 + c1 u.
fn times_u<F: Field>(x: &F::Limbs) -> F::Limbs {
    let opposite = arithmetic::neg::<F>(x);
    let (half, mut product) = (F::LIMBS / 2, F::Limbs::default());
    product.as_mut()[..half].copy_from_slice(&opposite.as_ref()[half..]);
    product.as_mut()[half..].copy_from_slice(&x.as_ref()[..half]);
    product
}

/// Whether a root is larger than the other: by its last coordinate, or where that is zero by
/// the one before.
fn is_larger<F: Field>(root: &F::Limbs) -> bool {
    let plain = arithmetic::from_montgomery::<F>(root);
    let opposite = arithmetic::from_montgomery::<F>(&arithmetic::neg::<F>(root));
    plain
        .as_ref()
        .iter()
        .rev()
        .gt(opposite.as_ref().iter().rev())
}

#[cfg(test)]
mod tests {
    use field_kernels::edge::edge_elements;
    use field_kernels::{Arithmetic, Fp, Fp2};
    use vk_core::testing::device_under_test;

    use super::*;
    use crate::device::Asked;
    use crate::vectors::VectorEngine;
    use crate::vectors::vulkan::engine_on;

    fn check<F: Field>(engine: &VectorEngine) {
        // The square of an element of which one coordinate is zero has a zero itself.
        let elements = edge_elements::<F>();
        let squares: Vec<_> = elements.iter().map(arithmetic::square::<F>).collect();
        for shift in 0..3 {
            let signs: Vec<u32> = (shift..).take(squares.len()).map(|it| it % 3).collect();
            let x = engine.upload::<F>(F::words(&squares)).unwrap();
            let (x, part) = (x.slice(shift as usize..).unwrap(), &signs[shift as usize..]);
            let part = engine.upload_indices(part).unwrap();
            let queue = engine.queue();
            let roots = queue.roots(&x, &part).unwrap();
            queue.submit().unwrap().wait().unwrap();
            let limbs: Vec<u64> = roots.download().unwrap();
            let found = F::elements(&limbs).unwrap();
            let pairs = elements.iter().zip(&signs).skip(shift as usize);
            assert_eq!(found.len(), elements.len() - shift as usize);
            for (found, (element, sign)) in found.iter().zip(pairs) {
                let opposite = arithmetic::neg::<F>(element);
                let (larger, other) = match is_larger::<F>(element) {
                    true => (*element, opposite),
                    false => (opposite, *element),
                };
                let expected = [other, larger, F::Limbs::default()][*sign as usize];
                assert_eq!(*found, expected, "{element:x?}, sign {sign}");
            }
        }
    }

    #[test]
    fn roots_are_those_that_signs_name() {
        let cpu = VectorEngine::cpu_with_threads(2).unwrap();
        check::<Fp>(&cpu);
        check::<Fp2>(&cpu);
        let (_guard, physical) = device_under_test().unwrap();
        for arithmetic in [Arithmetic::U32, Arithmetic::U64] {
            let asked = Asked {
                arithmetic: Some(arithmetic),
                ..Asked::default()
            };
            let engine = engine_on(&physical, asked, Some(67));
            check::<Fp>(&engine);
            check::<Fp2>(&engine);
        }
    }
}
