//! Operations on vectors that stay where they are computed.

use std::time::Duration;

use anyhow::Result;
use field_kernels::arithmetic::{add, mul, sub};
use field_kernels::{ElementType, Field as _, Fr};
use gpu_executor::vectors::{FieldVec, Queue, VectorEngine};

use crate::elements::{check, elements};
use crate::table::{Row, place, row};

type Element = <Fr as ElementType>::Limbs;

/// A chain that becomes one kernel, the sum of its results, and their inverses.
///
/// # Errors
/// Those of the engine, and the first element that is not the reference's.
pub(crate) fn run(engine: &VectorEngine, count: usize) -> Result<Vec<Row>> {
    let [a, b, c] = [1, 2, 3].map(|seed| elements::<Fr>(count, seed));
    let upload = |elements: &Vec<Element>| engine.upload::<Fr>(elements.as_slice());
    let (x, y, z) = (upload(&a)?, upload(&b)?, upload(&c)?);
    let of_chain = |((a, b), c)| sub::<Fr>(&mul::<Fr>(&add::<Fr>(a, b), c), a);
    let expected: Vec<Element> = a.iter().zip(&b).zip(&c).map(of_chain).collect();
    let place = place(&engine.engine(), None);

    let (chain, time) = computed(engine, |queue| {
        let sum = queue.add(&x, &y)?;
        let chain = queue.sub(&queue.mul(&sum, &z)?, &x)?;
        Ok(chain)
    })?;
    let what = "a chain, (x + y) z - x";
    check::<Fr>(&chain.download::<Element>()?, &expected, what)?;
    let first = row(what, &place, count, time, count);

    let (sum, time) = computed(engine, |queue| {
        let sum = queue.sum(&chain)?;
        Ok(sum)
    })?;
    let what = "the sum of its results";
    let zero = Element::default();
    let expected_sum = expected.iter().fold(zero, |sum, x| add::<Fr>(&sum, x));
    check::<Fr>(&sum.download::<Element>()?, &[expected_sum], what)?;
    let second = row(what, &place, count, time, 1);

    let (inverses, time) = computed(engine, |queue| {
        let inverses = queue.inverse(&chain)?;
        Ok(inverses)
    })?;
    let what = "their inverses";
    // By what an inverse is, not by another way to one: the product is one, or zero for
    // zero.
    let inverses: Vec<Element> = inverses.download()?;
    let products = inverses.iter().zip(&expected).map(|(x, y)| mul::<Fr>(x, y));
    let one = |x: &Element| if *x == zero { zero } else { Fr::ONE };
    let ones: Vec<Element> = expected.iter().map(one).collect();
    check::<Fr>(&products.collect::<Vec<_>>(), &ones, what)?;
    let third = row(what, &place, count, time, count);
    Ok(vec![first, second, third])
}

/// The result of what `record` records, and the time of its submission. The kernels are
/// made by a first one.
fn computed(
    engine: &VectorEngine,
    record: impl Fn(&Queue) -> Result<FieldVec<Fr>>,
) -> Result<(FieldVec<Fr>, Duration)> {
    let once = || {
        let queue = engine.queue();
        let result = record(&queue)?;
        let done = queue.submit()?.wait()?;
        anyhow::Ok((result, done.total()))
    };
    drop(once()?);
    once()
}
