//! Whether two vectors are equal.

use field_kernels::vector_kernels::EQUAL as KERNEL;

use super::prelude::*;

/// The answer is not 0 where they differ.
static EQUAL: WholeOperation = WholeOperation::new("equal", on_device, on_cpu)
    .without_products()
    .leaving(Number::Answer);

/// Whether two vectors are equal, to be known when a submission is complete; see
/// [`Queue::equal`] and [`Completed::equal`](crate::vectors::Completed::equal).
#[must_use = "whether the vectors are equal is asked for by it"]
#[derive(Debug)]
pub struct Comparison {
    pub(in crate::vectors) queue: u64,
    pub(in crate::vectors) node: usize,
}

impl Queue {
    /// Whether two vectors are equal.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn equal<F: ElementType>(&self, x: &FieldVec<F>, y: &FieldVec<F>) -> Result<Comparison> {
        let arguments = self.pair(EQUAL.name, x, y)?;
        let node = self.whole(&EQUAL, F::ID, arguments);
        Ok(Comparison {
            queue: self.number(),
            node: node.number,
        })
    }
}

/// Workgroups at most: so many fill every device there is.
const MOST_GROUPS: usize = 2048;

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, [a, b]) = (call.field, [&call.arguments[0], &call.arguments[1]]);
    let answer = steps.number(call)?;
    for piece in steps.pieces(field, a.elements, KERNEL.group_size as usize) {
        let (a, b) = (steps.input(a, &piece)?, steps.input(b, &piece)?);
        let parts = piece.len() * field.bytes() / PART;
        let groups = steps.groups(MOST_GROUPS, parts);
        let counts = [count(parts)?, count(groups)?];
        let constants = [counts[0], counts[1], a.start, b.start, answer.start];
        steps.dispatch_groups(&KERNEL, field, &[&a, &b, &answer], &constants, groups)?;
    }
    Ok(())
}

fn on_cpu(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    // Elements below the modulus are equal where their limbs are.
    let [a, b] = [&call.arguments[0], &call.arguments[1]];
    let differ = run.limbs(a)? != run.limbs(b)?;
    run.leave(call, u64::from(differ));
    Ok(())
}
