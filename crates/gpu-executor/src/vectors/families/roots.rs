//! Square roots, of two the one that a sign names: for points of which x is known.

use field_kernels::Field;
use field_kernels::vector_kernels::ROOTS as KERNEL;
use vk_mem_paths::Access;

use super::{Call, WholeOperation};
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::indices::{INDICES_OF_AN_ELEMENT, Indices};
use crate::vectors::queue::{Queue, expect_equal};
use crate::vectors::runner::internal;
use crate::vectors::vulkan::{Steps, count};
use crate::{Error, Result};

static ROOTS: WholeOperation = WholeOperation {
    name: "roots",
    multiplies: true,
    leaves: None,
    on_device,
    // There, points are decoded by blst.
    on_cpu: |_, _| Err(internal("an engine on a device")),
};

impl Queue {
    /// A square root of each element of the base field or of its extension: by the sign 1 the
    /// larger one, by 0 the other, and by 2 zero, whatever the element. Of what is no square,
    /// anything. On a device alone.
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
    steps.set_result(call, 0, output);
    Ok(())
}

#[cfg(test)]
mod tests {
    use field_kernels::edge::edge_elements;
    use field_kernels::{Arithmetic, ElementType as _, Fp, Fp2, arithmetic};
    use vk_core::testing::device_under_test;

    use super::*;
    use crate::device::Asked;
    use crate::vectors::VectorEngine;
    use crate::vectors::vulkan::runner_on;

    /// Whether an element is larger than its opposite: by its last coordinate, or where that is
    /// zero by the one before.
    fn is_larger<F: Field>(root: &F::Limbs) -> bool {
        let plain = arithmetic::from_montgomery::<F>(root);
        let opposite = arithmetic::from_montgomery::<F>(&arithmetic::neg::<F>(root));
        let number = |it: F::Limbs| {
            let coordinates = it.as_ref().chunks(Fp::LIMBS).rev();
            let words = coordinates.flat_map(|it| it.iter().rev().copied());
            words.collect::<Vec<u64>>()
        };
        number(plain) > number(opposite)
    }

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
        let (_guard, physical) = device_under_test().unwrap();
        for arithmetic in [Arithmetic::U32, Arithmetic::U64] {
            let asked = Asked {
                arithmetic: Some(arithmetic),
                ..Asked::default()
            };
            let runner = runner_on(&physical, |_| {}, asked, Some(67));
            let engine = VectorEngine::on(runner as _, crate::Inputs::default());
            check::<Fp>(&engine);
            check::<Fp2>(&engine);
        }
    }
}
