//! The operations on vectors that are timed.

use field_kernels::{PrimeField, arithmetic};
use gpu_executor::vectors::{FieldVec, Queue, Scalar};
use gpu_executor_benches::Expected::{self, Each, Folded, Moved};

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
pub(crate) fn operations<F: PrimeField>() -> Vec<Operation<F>> {
    use arithmetic::{add, mul, square};
    vec![
        operation("copy", |q, x, _| q.copy(x), Each(|x, _, found| found == x)),
        operation(
            "add",
            |q, x, y| q.add(x, y),
            Each(|x, y, found| *found == add::<F>(x, y)),
        ),
        operation("sum", |q, x, _| q.sum(x), sum(|x, _| *x)),
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
            sum(mul::<F>),
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

/// Others, which take as long as one of those, or show what the device itself can do.
pub(crate) fn more_operations<F: PrimeField>() -> Vec<Operation<F>> {
    use arithmetic::{add, double, mul, neg, sub};
    vec![
        operation(
            "sub",
            |q, x, y| q.sub(x, y),
            Each(|x, y, found| *found == sub::<F>(x, y)),
        ),
        operation(
            "neg",
            |q, x, _| q.neg(x),
            Each(|x, _, found| *found == neg::<F>(x)),
        ),
        operation(
            "double",
            |q, x, _| q.double(x),
            Each(|x, _, found| *found == double::<F>(x)),
        ),
        operation(
            "bit reversal",
            |q, x, _| q.bit_reverse(x),
            Moved(|place, count| place.reverse_bits() >> (count.leading_zeros() + 1)),
        ),
        operation(
            "10 additions",
            |q, x, y| (1..10).try_fold(q.add(x, y)?, |sum, _| q.add(&sum, y)),
            Each(|x, y, found| *found == (0..10).fold(*x, |sum, _| add::<F>(&sum, y))),
        ),
        operation(
            "product",
            |q, x, _| q.product(x),
            Folded(|x, _| *x, F::ONE, mul::<F>),
        ),
        operation(
            "4 products",
            |q, x, y| (1..4).try_fold(q.mul(x, y)?, |product, _| q.mul(&product, y)),
            Each(|x, y, found| *found == (0..4).fold(*x, |product, _| mul::<F>(&product, y))),
        ),
    ]
}

fn operation<F: PrimeField>(
    name: &'static str,
    record: Record<F>,
    expected: Expected<F>,
) -> Operation<F> {
    Operation {
        name,
        record,
        expected,
    }
}

fn sum<F: PrimeField>(term: fn(&F::Limbs, &F::Limbs) -> F::Limbs) -> Expected<F> {
    Folded(term, F::Limbs::default(), arithmetic::add::<F>)
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
