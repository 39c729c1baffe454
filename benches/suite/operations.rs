//! The operations of the group `vectors`.

use field_kernels::{PrimeField, arithmetic};
use gpu_executor::vectors::{FieldVec, Queue, Scalar};
use gpu_executor_benches::Expected;

/// What records it on x and y.
type Record<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> gpu_executor::Result<FieldVec<F>>;

/// An operation, and what must come of it.
pub(crate) struct Operation<F: PrimeField> {
    name: &'static str,
    pub(crate) record: Record<F>,
    pub(crate) expected: Expected<F>,
}

impl<F: PrimeField> Operation<F> {
    /// The name of its benchmarks; the report finds them by this.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", F::NAME, self.name)
    }
}

/// What memory alone limits comes first: products take a device to its power
/// limit, and some stay slow for a while after that.
pub(crate) fn operations<F: PrimeField>() -> [Operation<F>; 10] {
    use Expected::{Each, Sum};
    use arithmetic::{add, mul, square};
    let operation = |name, record, expected| Operation {
        name,
        record,
        expected,
    };
    [
        operation("copy", |q, x, _| q.copy(x), Each(|x, _, found| found == x)),
        operation(
            "add",
            |q, x, y| q.add(x, y),
            Each(|x, y, found| *found == add::<F>(x, y)),
        ),
        operation("sum", |q, x, _| q.sum(x), Sum(|x, _| *x)),
        operation(
            "mul",
            |q, x, y| q.mul(x, y),
            Each(|x, y, found| *found == mul::<F>(x, y)),
        ),
        operation(
            "square",
            |q, x, _| q.square(x),
            Each(|x, _, found| *found == square::<F>(x)),
        ),
        operation(
            "axpy",
            |q, x, y| q.axpy(Scalar::new(F::R2), x, y),
            Each(|x, y, found| *found == add::<F>(&mul::<F>(&F::R2, x), y)),
        ),
        operation(
            "inner product",
            |q, x, y| q.inner_product(x, y),
            Sum(mul::<F>),
        ),
        operation("chain of 5", chain, Each(is_chained::<F>)),
        operation("chain of 5, not fused", not_fused, Each(is_chained::<F>)),
        operation(
            "inverse",
            |q, x, _| q.inverse(x),
            Each(|x, _, found| mul::<F>(x, found) == F::ONE),
        ),
    ]
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

/// The same, each operation a kernel of its own.
fn not_fused<F: PrimeField>(
    queue: &Queue,
    x: &FieldVec<F>,
    y: &FieldVec<F>,
) -> gpu_executor::Result<FieldVec<F>> {
    queue.set_fusion(false);
    chain(queue, x, y)
}

fn is_chained<F: PrimeField>(x: &F::Limbs, y: &F::Limbs, found: &F::Limbs) -> bool {
    let product = arithmetic::mul::<F>(x, y);
    let doubled = arithmetic::double::<F>(&arithmetic::add::<F>(&product, x));
    *found == arithmetic::square::<F>(&arithmetic::sub::<F>(&doubled, &product))
}
