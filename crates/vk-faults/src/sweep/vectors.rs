//! What a program does with vectors while a fault is injected.

use field_kernels::arithmetic::{add, double, inverse, mul};
use field_kernels::edge::random_elements as elements;
use field_kernels::{ElementType, Fr};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{Domain, Scalar, Transform, VectorEngine};

type Element = <Fr as ElementType>::Limbs;

/// Elements of a short vector.
const SHORT: usize = 300;
/// Of them, those that are transformed.
const TRANSFORMED: usize = 256;
/// Elements of one dispatch over short vectors, so that each takes several.
pub(super) const DISPATCH: usize = 128;
/// Elements of a long vector: of more bytes than all pieces of staging memory have.
const LONG: usize = (56 << 20) / Fr::BYTES;
/// Elements of a slice of the host's that is transformed in parts, 8 for each way, by dispatches
/// of [`DISPATCH`] elements.
const IN_PARTS: usize = 1024;

/// Two submissions, of which the second does not wait for the first: a chain, an
/// inverse, a rotation, a quotient by X - z, a sum and a comparison, with readbacks; then one
/// that works in place on what the first left, with a transform there and back. Whether all of
/// it is right.
pub(super) fn short(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let engine = backend.vectors()?;
    let (a, b) = (
        elements::<Fr>(SHORT, 2 * seed),
        elements::<Fr>(SHORT, 2 * seed + 1),
    );
    let x = engine.upload::<Fr>(Fr::words(&a))?;
    let y = engine.upload::<Fr>(Fr::words(&b))?;

    let queue = engine.queue();
    let mut z = queue.mul(&queue.add(&x, &y)?, Scalar::new(b[0]))?;
    let inverses = queue.inverse(&z)?;
    let turned = queue.rotate(&z, 3)?;
    let (quotient, value) = queue.divide_by_linear(&turned, Scalar::new(a[0]))?;
    let value = queue.read(&value)?;
    let sum = queue.read(&queue.sum(&z)?)?;
    let (same, other) = (queue.equal(&x, &x)?, queue.equal(&x, &y)?);
    let first = queue.submit()?;

    let queue = engine.queue();
    queue.double_assign(&mut z)?;
    let part = z.slice(7..SHORT)?;
    let inner = queue.read(&queue.inner_product(&part, &x.slice(0..SHORT - 7)?)?)?;
    let domain = Domain::new(TRANSFORMED)?;
    let values = queue.ntt(&z.slice(..TRANSFORMED)?, &domain)?;
    let at_one = queue.read(&values.slice(..1)?)?;
    let back = queue.inverse_ntt(&values, &domain)?;
    let second = queue.submit()?;

    // What goes wrong with either is the business of that one alone.
    let second = second.wait();
    let (first, second) = (first.wait()?, second?);
    let factor = b[0];
    let chain = zip(&a, &b, |a, b| mul::<Fr>(&add::<Fr>(a, b), &factor));
    let doubled: Vec<Element> = chain.iter().map(double::<Fr>).collect();
    let zero = Element::default();
    let turned = [&chain[3..], &chain[..3]].concat();
    let mut values = turned.clone();
    for place in (0..SHORT - 1).rev() {
        values[place] = add::<Fr>(&mul::<Fr>(&values[place + 1], &a[0]), &values[place]);
    }
    let inverted = chain.iter().map(|x| inverse::<Fr>(x).unwrap_or(zero));
    let products = zip(&doubled[7..], &a, mul::<Fr>);
    Ok(
        inverses.download::<[u64; 4]>()? == inverted.collect::<Vec<_>>()
            && z.download::<[u64; 4]>()? == doubled
            && quotient.download::<[u64; 4]>()? == values[1..]
            && first.element(&value)? == values[0]
            && first.element(&sum)? == total(&chain)
            && second.element(&inner)? == total(&products)
            && second.element(&at_one)? == total(&doubled[..TRANSFORMED])
            && back.download::<[u64; 4]>()? == doubled[..TRANSFORMED]
            && first.equal(&same)?
            && !first.equal(&other)?,
    )
}

/// A vector that crosses in more pieces than there are, both ways.
pub(super) fn long(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let engine = backend.vectors()?;
    let a: Vec<Element> = elements::<Fr>(1009, seed)
        .into_iter()
        .cycle()
        .take(LONG)
        .collect();
    let x = engine.upload::<Fr>(Fr::words(&a))?;
    let queue = engine.queue();
    let doubled = queue.double(&x.slice(LONG - 1009..LONG)?)?;
    let _pending = queue.submit()?;
    let twice = a[LONG - 1009..].iter().map(double::<Fr>);
    Ok(x.download::<[u64; 4]>()? == a
        && doubled.download::<[u64; 4]>()? == twice.collect::<Vec<_>>())
}

/// A slice of the host's, transformed in parts, whose passes overlap with the ways there and
/// back; then the inverse of that.
pub(super) fn from_host_to_host(
    backend: &mut PersistentVulkanBackend,
    seed: u64,
) -> anyhow::Result<bool> {
    let engine = backend.vectors()?;
    let domain = Domain::new(IN_PARTS)?.coset_of_generator();
    let [there, back] = [Transform::forward(&domain), Transform::inverse(&domain)];
    let x = elements::<Fr>(IN_PARTS, seed);
    let mut expected = x.clone();
    VectorEngine::cpu_with_threads(1)?.transform(&mut expected, &there)?;
    let mut values = x.clone();
    engine.transform(&mut values, &there)?;
    let is_right = values == expected;
    engine.transform(&mut values, &back)?;
    Ok(is_right && values == x)
}

fn zip(a: &[Element], b: &[Element], one: impl Fn(&Element, &Element) -> Element) -> Vec<Element> {
    a.iter().zip(b).map(|(a, b)| one(a, b)).collect()
}

fn total(elements: &[Element]) -> Element {
    let zero = Element::default();
    elements.iter().fold(zero, |sum, x| add::<Fr>(&sum, x))
}
