//! Each operation by itself, by the device's clock.

use anyhow::{Result, ensure};
use field_kernels::{PrimeField, arithmetic};
use gpu_executor::vectors::{FieldVec, Queue, Scalar, VectorEngine};

use crate::measure::{Row, device_time, downloaded, random};

/// What `record` computes from the operands, and the bytes of an element that it moves,
/// in elements.
pub(crate) struct Operation<F: PrimeField> {
    pub(crate) name: &'static str,
    pub(crate) moved: usize,
    /// Whether it multiplies.
    heavy: bool,
    pub(crate) record: Record<F>,
    expected: fn(&F::Limbs, &F::Limbs) -> F::Limbs,
}

/// The list: a line for each that is to be measured.
pub(crate) fn element_wise<F: PrimeField>() -> Vec<Operation<F>> {
    use arithmetic::{add, double, inverse, mul, neg, square, sub};
    let operation = |name, moved, heavy, record, expected| Operation {
        name,
        moved,
        heavy,
        record,
        expected,
    };
    let light = |name, moved, record, expected| operation(name, moved, false, record, expected);
    let heavy = |name, moved, record, expected| operation(name, moved, true, record, expected);
    vec![
        light("copy", 2, |q, x, _| q.copy(x), |x, _| *x),
        light("add", 3, |q, x, y| q.add(x, y), add::<F>),
        light("sub", 3, |q, x, y| q.sub(x, y), sub::<F>),
        light("neg", 2, |q, x, _| q.neg(x), |x, _| neg::<F>(x)),
        light("double", 2, |q, x, _| q.double(x), |x, _| double::<F>(x)),
        heavy("mul", 3, |q, x, y| q.mul(x, y), mul::<F>),
        heavy("square", 2, |q, x, _| q.square(x), |x, _| square::<F>(x)),
        heavy(
            "axpy",
            3,
            |q, x, y| q.axpy(Scalar::new(F::R2), x, y),
            |x, y| add::<F>(&mul::<F>(x, &F::R2), y),
        ),
        heavy(
            "inverse",
            2,
            |q, x, _| q.inverse(x),
            |x, _| inverse::<F>(x).unwrap_or_default(),
        ),
    ]
}

/// What memory alone limits comes first: products take a device to its power limit,
/// and some stay slow for a while after that.
pub(crate) fn operations<F: PrimeField>(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let on = Operands::<F>::new(engine, n)?;
    let all = element_wise::<F>().into_iter();
    let (heavy, light): (Vec<_>, Vec<_>) = all.partition(|operation| operation.heavy);
    light
        .iter()
        .try_for_each(|it| on.element(it, rounds, rows))?;
    on.bit_reverse(rounds, rows)?;
    for reduction in reductions::<F>() {
        on.reduction(reduction, rounds, rows)?;
    }
    heavy.iter().try_for_each(|it| on.element(it, rounds, rows))
}

/// Two vectors, here and on the device.
struct Operands<'e, F: PrimeField> {
    engine: &'e VectorEngine,
    x: Vec<F::Limbs>,
    y: Vec<F::Limbs>,
    a: FieldVec<F>,
    b: FieldVec<F>,
}

impl<'e, F: PrimeField> Operands<'e, F> {
    fn new(engine: &'e VectorEngine, n: usize) -> Result<Self> {
        let (x, y) = (random::<F>(n, 1), random::<F>(n, 2));
        let [a, b] = [&x, &y].map(|elements| engine.upload::<F>(F::words(elements)));
        let (a, b) = (a?, b?);
        Ok(Self { engine, x, y, a, b })
    }

    fn element(&self, operation: &Operation<F>, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
        let (n, name) = (self.x.len(), format!("{} {}", F::NAME, operation.name));
        // The batched inverse is of 2^22 elements in the goals.
        let lengths: &[usize] = match operation.name {
            "inverse" => &[1 << 22, n],
            _ => &[n],
        };
        for &elements in lengths.iter().filter(|length| **length <= n) {
            let (a, b) = (self.a.slice(0..elements)?, self.b.slice(0..elements)?);
            let record = |queue: &Queue| (operation.record)(queue, &a, &b);
            let (time, result) = device_time(self.engine, rounds, record)?;
            verify::<F>(&name, &self.x, &self.y, &result, operation.expected)?;
            rows.push(Row::new(&name, elements, time).moving::<F>(operation.moved));
        }
        Ok(())
    }

    fn reduction(
        &self,
        (name, moved, record): (&str, usize, Record<F>),
        rounds: usize,
        rows: &mut Vec<Row>,
    ) -> Result<()> {
        let record_one = |queue: &Queue| record(queue, &self.a, &self.b);
        let (time, result) = device_time(self.engine, rounds, record_one)?;
        let expected = on_cpu::<F>(&self.x, &self.y, record)?;
        ensure!(
            downloaded(&result)? == expected,
            "{name}: another result than the CPU's"
        );
        let name = format!("{} {name}", F::NAME);
        rows.push(Row::new(name, self.x.len(), time).moving::<F>(moved));
        Ok(())
    }

    fn bit_reverse(&self, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
        let elements = self.x.len();
        let record = |queue: &Queue| queue.bit_reverse(&self.a);
        let (time, result) = device_time(self.engine, rounds, record)?;
        let second = downloaded(&result.slice(1..2)?)?;
        ensure!(
            second == [self.x[elements / 2]],
            "bit_reverse: another result than expected"
        );
        let name = format!("{} bit_reverse", F::NAME);
        rows.push(Row::new(name, elements, time).moving::<F>(2));
        Ok(())
    }
}

pub(crate) type Record<F> =
    fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> gpu_executor::Result<FieldVec<F>>;

fn reductions<F: PrimeField>() -> [(&'static str, usize, Record<F>); 3] {
    [
        ("sum", 1, |q, x, _| q.sum(x)),
        ("product", 1, |q, x, _| q.product(x)),
        ("inner_product", 2, |q, x, y| q.inner_product(x, y)),
    ]
}

fn on_cpu<F: PrimeField>(
    x: &[F::Limbs],
    y: &[F::Limbs],
    record: Record<F>,
) -> Result<Vec<F::Limbs>> {
    let engine = VectorEngine::cpu()?;
    let (a, b) = (
        engine.upload::<F>(F::words(x))?,
        engine.upload::<F>(F::words(y))?,
    );
    let queue = engine.queue();
    let result = record(&queue, &a, &b)?;
    queue.submit()?.wait()?;
    downloaded(&result)
}

/// Compares elements from the start, the end and in between.
fn verify<F: PrimeField>(
    name: &str,
    x: &[F::Limbs],
    y: &[F::Limbs],
    result: &FieldVec<F>,
    expected: fn(&F::Limbs, &F::Limbs) -> F::Limbs,
) -> Result<()> {
    let n = result.len();
    let part = 2_000.min(n);
    for start in [0, n / 2 - part / 2, n - part] {
        let found = downloaded(&result.slice(start..start + part)?)?;
        for (i, found) in found.iter().enumerate() {
            let i = start + i;
            ensure!(
                *found == expected(&x[i], &y[i]),
                "{name}: wrong at element {i}"
            );
        }
    }
    Ok(())
}
