//! Operations on vectors that stay where they are computed.

use anyhow::{Result, ensure};
use field_kernels::arithmetic::{add, mul, sub};
use field_kernels::edge::random_elements;
use field_kernels::{ElementType, Field as _, Fr};
use gpu_executor::vectors::{FieldVec, Queue, VectorEngine};

use crate::print;

type Element = <Fr as ElementType>::Limbs;

/// A chain that becomes one kernel, the sum of its results, and their inverses.
pub(crate) fn run(engine: &VectorEngine, count: usize) -> Result<()> {
    let [a, b, c] = [1, 2, 3].map(|seed| random_elements::<Fr>(count, seed));
    let upload = |elements: &Vec<Element>| engine.upload::<Fr>(elements.as_slice());
    let (x, y, z) = (upload(&a)?, upload(&b)?, upload(&c)?);
    let of_chain = |((a, b), c)| sub::<Fr>(&mul::<Fr>(&add::<Fr>(a, b), c), a);
    let expected: Vec<Element> = a.iter().zip(&b).zip(&c).map(of_chain).collect();
    let what = "a chain, (x + y) z - x";
    let chain = computed(engine, what, count, |queue| {
        let sum = queue.add(&x, &y)?;
        queue.sub(&queue.mul(&sum, &z)?, &x)
    })?;
    ensure!(chain.download::<Element>()? == expected, "{what}: wrong");

    let what = "the sum of its results";
    let sum = computed(engine, what, count, |queue| queue.sum(&chain))?;
    let zero = Element::default();
    let total = expected.iter().fold(zero, |sum, x| add::<Fr>(&sum, x));
    ensure!(sum.download::<Element>()? == [total], "{what}: wrong");

    let what = "their inverses";
    let inverses = computed(engine, what, count, |queue| queue.inverse(&chain))?;
    // By what an inverse is, not by another way to one: the product is one, or zero for
    // zero.
    let one = |x: &Element| if *x == zero { zero } else { Fr::ONE };
    let inverses = inverses.download::<Element>()?;
    let mut pairs = inverses.iter().zip(&expected);
    ensure!(
        pairs.all(|(x, y)| mul::<Fr>(x, y) == one(y)),
        "{what}: wrong"
    );
    Ok(())
}

/// The result of what `record` records; prints the time of its submission. The kernels are
/// made by a first one.
fn computed(
    engine: &VectorEngine,
    what: &str,
    count: usize,
    record: impl Fn(&Queue) -> gpu_executor::Result<FieldVec<Fr>>,
) -> Result<FieldVec<Fr>> {
    let once = || {
        let queue = engine.queue();
        let result = record(&queue)?;
        let done = queue.submit()?.wait()?;
        anyhow::Ok((result, done.total()))
    };
    drop(once()?);
    let (result, time) = once()?;
    print(what, "", count, time);
    Ok(result)
}
