//! The operations on vectors that are timed.

use field_kernels::PrimeField;
use gpu_executor::vectors::{FieldVec, Queue, Scalar};

/// A name, and what records it on x and y.
pub(crate) struct Operation<F: PrimeField> {
    name: &'static str,
    pub(crate) record: Record<F>,
}

type Record<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> gpu_executor::Result<FieldVec<F>>;

impl<F: PrimeField> Operation<F> {
    /// The name of its benchmarks; the report finds them by this.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", F::NAME, self.name)
    }
}

/// What memory alone limits comes first: products take a device to its power
/// limit, and some stay slow for a while after that.
pub(crate) fn operations<F: PrimeField>() -> Vec<Operation<F>> {
    named([
        ("copy", |q, x, _| q.copy(x)),
        ("add", |q, x, y| q.add(x, y)),
        ("sum", |q, x, _| q.sum(x)),
        ("mul", |q, x, y| q.mul(x, y)),
        ("square", |q, x, _| q.square(x)),
        ("axpy", |q, x, y| q.axpy(Scalar::new(F::R2), x, y)),
        ("inner product", |q, x, y| q.inner_product(x, y)),
        ("chain of 5", chain),
        ("chain of 5, not fused", |q, x, y| {
            q.set_fusion(false);
            chain(q, x, y)
        }),
        ("inverse", |q, x, _| q.inverse(x)),
    ])
}

/// Others, which take as long as one of those, or show what the device itself can do.
pub(crate) fn more_operations<F: PrimeField>() -> Vec<Operation<F>> {
    named([
        ("sub", |q, x, y| q.sub(x, y)),
        ("neg", |q, x, _| q.neg(x)),
        ("double", |q, x, _| q.double(x)),
        ("bit reversal", |q, x, _| q.bit_reverse(x)),
        ("10 additions", |q, x, y| {
            (1..10).try_fold(q.add(x, y)?, |sum, _| q.add(&sum, y))
        }),
        ("product", |q, x, _| q.product(x)),
        ("4 products", |q, x, y| {
            (1..4).try_fold(q.mul(x, y)?, |product, _| q.mul(&product, y))
        }),
    ])
}

fn named<F: PrimeField, const N: usize>(
    operations: [(&'static str, Record<F>); N],
) -> Vec<Operation<F>> {
    let operations = operations.into_iter();
    operations
        .map(|(name, record)| Operation { name, record })
        .collect()
}

/// Five operations of which only the last one's result is wanted:
/// (2 (x y + x) - x y)<sup>2</sup>.
fn chain<F: PrimeField>(
    queue: &Queue,
    x: &FieldVec<F>,
    y: &FieldVec<F>,
) -> gpu_executor::Result<FieldVec<F>> {
    let product = queue.mul(x, y)?;
    let doubled = queue.double(&queue.add(&product, x)?)?;
    queue.square(&queue.sub(&doubled, &product)?)
}
