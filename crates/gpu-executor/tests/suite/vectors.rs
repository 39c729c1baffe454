//! Every operation over vectors, on the CPU and on the device, from one list, against
//! arkworks and blst.

use ark_ff::{Field as _, Zero as _};
use field_kernels::{Fp, Fp2, Fr};
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Arithmetic, FieldVec, Form, MemoryAccess, Queue, Scalar, Scan, VectorEngine,
};

use crate::engines::{expect, on_device, on_device_unless_by_doubles, refused, run, upload};
use crate::oracle::{self, Oracle, random, table};

/// Elements of one dispatch, so that vectors longer than it are cut into pieces.
const PIECE: usize = 384;

/// Empty, one, around a workgroup, around a piece, and several pieces.
const LENGTHS: [usize; 9] = [0, 1, 127, 128, 129, PIECE - 1, PIECE, PIECE + 1, 1500];

/// An operation from vectors to a vector, and what arkworks makes of them.
struct Case<F: Oracle> {
    name: &'static str,
    record: Record<F>,
    expected: Expected<F::Ark>,
}

pub(crate) type Record<F> =
    fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> gpu_executor::Result<FieldVec<F>>;

enum Expected<Ark> {
    /// Of each pair of elements.
    Each(fn(Ark, Ark) -> Ark),
    /// Of the vectors.
    Whole(All<Ark>),
}

type All<Ark> = fn(&[Ark], &[Ark]) -> Vec<Ark>;

/// The element with this number.
fn int<F: Oracle>(number: u64) -> F::Ark {
    F::Ark::from(number)
}

/// The element 77, for all.
fn scalar<F: Oracle>() -> Scalar<F> {
    Scalar::new(F::limbs_of(&int::<F>(77)))
}

/// Indices of a vector of so many elements: some of them twice.
fn gathered(elements: usize) -> impl Iterator<Item = usize> {
    (0..elements + elements / 2).map(move |place| 7 * place % elements)
}

fn indices(elements: usize) -> Vec<u32> {
    gathered(elements)
        .map(|it| u32::try_from(it).unwrap())
        .collect()
}

/// 1, base, base^2 and so on.
fn powers<Ark: ark_ff::Field>(base: Ark) -> impl Iterator<Item = Ark> {
    std::iter::successors(Some(Ark::ONE), move |power| Some(*power * base))
}

/// The value at `point` of the polynomial with the coefficients x.
fn value<Ark: ark_ff::Field>(x: &[Ark], point: Ark) -> Ark {
    x.iter()
        .zip(powers(point))
        .map(|(x, power)| *x * power)
        .sum()
}

/// What comes of `first` and then of each of x.
fn running<Ark: Copy>(x: &[Ark], first: Ark, next: impl Fn(Ark, Ark) -> Ark) -> Vec<Ark> {
    let mut all = vec![first];
    x.iter()
        .for_each(|x| all.push(next(all[all.len() - 1], *x)));
    all
}

fn few<T>(y: &[T]) -> &[T] {
    &y[y.len() - y.len().min(3)..]
}

/// The remainder and the quotient by X - 77.
fn by_linear<F: Oracle>(x: &[F::Ark]) -> Vec<F::Ark> {
    let x: Vec<_> = x.iter().rev().copied().collect();
    let values = running(&x, int::<F>(0), |value, x| value * int::<F>(77) + x);
    match x.is_empty() {
        true => values,
        false => values[1..].iter().rev().copied().collect(),
    }
}

/// The list: each operation, how it is recorded, and what it means.
fn cases<F: Oracle>() -> Vec<Case<F>> {
    let case = |name, record, expected| Case::<F> {
        name,
        record,
        expected,
    };
    let each =
        |name, record: Record<F>, one: fn(_, _) -> _| case(name, record, Expected::Each(one));
    let whole =
        |name, record: Record<F>, all: All<F::Ark>| case(name, record, Expected::Whole(all));
    table! { (q x y) (x y)
        each "add": q.add(x, y) => x + y;
        each "sub": q.sub(x, y) => x - y;
        each "neg": q.neg(x) => -x;
        each "double": q.double(x) => x + x;
        each "mul": q.mul(x, y) => x * y;
        each "square": q.square(x) => x * x;
        each "add a scalar": q.add(x, scalar()) => x + int::<F>(77);
        each "subtract a scalar": q.sub(x, scalar()) => x - int::<F>(77);
        each "multiply by a scalar": q.mul(x, scalar()) => x * int::<F>(77);
        each "subtract from a scalar": q.sub(scalar(), x) => int::<F>(77) - x;
        each "subtract from an integer and add one": q.add(q.sub(1, x)?, u64::MAX)
            => int::<F>(1) - x + int::<F>(u64::MAX);
        each "is_zero": q.is_zero(x) => F::Ark::from(x.is_zero());
        each "select": q.select(x, y, x) => if x.is_zero() { x } else { y };
        each "select where two are equal, in one kernel":
            q.select(q.is_zero(&q.sub(x, y)?)?, 7, &q.double(y)?)
            => if x == y { int::<F>(7) } else { y + y };
        each "select by one element for all": q.add(q.select(0, 3, x)?, q.select(1, y, x)?)
            => x + y;
        each "axpy": q.axpy(scalar(), x, y) => int::<F>(77) * x + y;
        each "axpy with a vector": q.axpy(y, x, y) => y * x + y;
        each "pow": q.pow(x, 1_000_003) => x.pow([1_000_003]);
        each "pow by limbs": q.pow(x, [0x8001, 5, 0]) => x.pow([0x8001, 5]);
        each "pow 0": q.pow(x, 0) => int::<F>(1);
        each "pow 1": q.pow(x, 1) => x;
        each "inverse": q.inverse(x) => x.inverse().unwrap_or_default();
        each "from_montgomery and to_montgomery": q.to_montgomery(&q.from_montgomery(x)?) => x;
        whole "sum": q.sum(x) => vec![x.iter().sum()];
        whole "product": q.product(x) => vec![x.iter().product()];
        whole "inner product": q.inner_product(x, y)
            => vec![x.iter().zip(y).map(|(x, y)| *x * y).sum()];
        whole "concat": q.concat(&[x, y, &x.slice(..x.len() / 3)?])
            => [x, y, &x[..x.len() / 3]].concat();
        whole "rotate": q.rotate(x, 131) => {
            let by = 131 % x.len().max(1);
            [&x[by..], &x[..by]].concat()
        };
        whole "interleave": q.interleave(&[x, y, x])
            => x.iter().zip(y).flat_map(|(x, y)| [*x, *y, *x]).collect();
        whole "strided": q.strided(x, x.len().min(2), 5)
            => x.iter().skip(2).step_by(5).copied().collect();
        whole "gather": q.gather(x, &x.engine().upload_indices(&indices(x.len()))?)
            => gathered(x.len()).map(|it| x[it]).collect();
        each "linear_combination of three":
            q.linear_combination(&[x, y, y], &[scalar(), Scalar::from(0), Scalar::from(u64::MAX)])
            => int::<F>(77) * x + int::<F>(u64::MAX) * y;
        each "linear_combination of seventeen, in three passes": {
            let vectors: Vec<_> = (0..17).map(|at| [x, y][at % 2]).collect();
            let scalars: Vec<_> = (1..=17).map(Scalar::from).collect();
            q.linear_combination(&vectors, &scalars)
        } => int::<F>(81) * x + int::<F>(72) * y;
        whole "powers": q.powers(scalar(), x.len()) => powers(int::<F>(77)).take(x.len()).collect();
        whole "evaluate at a scalar": q.evaluate(x, scalar()) => vec![value(x, int::<F>(77))];
        whole "evaluate at a few points": q.evaluate(x, y.slice(y.len() - y.len().min(3)..)?)
            => few(y).iter().map(|y| value(x, *y)).collect();
        whole "running_sum": q.running_sum(x, Scan::Inclusive)
            => running(x, int::<F>(0), |sum, x| sum + x)[1..].to_vec();
        whole "running_sum before each": q.running_sum(x, Scan::Exclusive)
            => running(x, int::<F>(0), |sum, x| sum + x)[..x.len()].to_vec();
        whole "running_product": q.running_product(x, Scan::Inclusive)
            => running(x, int::<F>(1), |product, x| product * x)[1..].to_vec();
        whole "running_product before each, of few zeros":
            q.running_product(&q.select(x, x, 5)?, Scan::Exclusive) => {
                let next = |product, x: F::Ark| product * if x.is_zero() { int::<F>(5) } else { x };
                running(x, int::<F>(1), next)[..x.len()].to_vec()
            };
        whole "divide_by_linear": {
            let (quotient, remainder) = q.divide_by_linear(x, scalar())?;
            q.concat(&[remainder, quotient])
        } => by_linear::<F>(x);
        whole "divide_by_vanishing": {
            let (quotient, remainder) = q.divide_by_vanishing(x, 100)?;
            q.concat(&[remainder, quotient])
        } => (0..x.len()).map(|at| x[at..].iter().step_by(100).sum()).collect();
        each "a chain with a shared value": {
            let z = q.mul(x, y)?;
            q.sub(&q.square(&q.add(&z, x)?)?, &q.double(&z)?)
        } => (x * y + x) * (x * y + x) - x * y - x * y;
        whole "a sum as a scalar": q.mul(y, q.sum(x)?.as_scalar()?)
            => y.iter().map(|y| *y * x.iter().sum::<F::Ark>()).collect();
    }
}

/// Every operation on elements that users have a method of is in the list, by its name.
#[test]
fn each_row_of_the_registry_is_in_the_list() {
    macro_rules! rows {
        ($($(#[$doc:meta])* { $row:ident: $name:ident<$trait:ident>($($x:ident $(: $kind:ident)?),+) $($rest:tt)* })*) => {
            [$((stringify!($name), &[$($(stringify!($kind),)?)+] as &[&str])),*]
        };
    }
    let cases = cases_of_fp2();
    for (name, arguments) in field_kernels::element_operations!(rows) {
        let of_row = |case: &Case<Fp2>| case.name.split_whitespace().any(|word| word == name);
        assert!(
            arguments.is_empty() || cases.iter().any(of_row),
            "expected a case `{name}` in the list `cases`, found none"
        );
    }
}

/// Runs one case over one pair of vectors: with fusion, and in every `way` also without, and
/// where the memory of one of them is free.
fn check<F: Oracle>(
    engine: &VectorEngine,
    case: &Case<F>,
    (x, y): (&[F::Limbs], &[F::Limbs]),
    way: Ways,
) {
    let what = format!("{} of {} over {} elements", case.name, F::NAME, x.len());
    let ark = |limbs: &[F::Limbs]| -> Vec<F::Ark> { limbs.iter().map(F::ark_of).collect() };
    let (ark_x, ark_y) = (ark(x), ark(y));
    let pairs = ark_x.iter().zip(&ark_y);
    let expected: Vec<F::Ark> = match case.expected {
        Expected::Each(one) => pairs.map(|(x, y)| one(*x, *y)).collect(),
        Expected::Whole(all) => all(&ark_x, &ark_y),
    };
    let expected: Vec<F::Limbs> = expected.iter().map(F::limbs_of).collect();
    let (a, mut b) = (upload(engine, x), upload(engine, y));
    let ways: &[bool] = match way {
        Ways::All => &[true, false],
        Ways::One => &[true],
    };
    for fused in ways {
        let queue = engine.queue();
        queue.set_fusion(*fused);
        let result = (case.record)(&queue, &a, &b).unwrap();
        run(queue);
        expect(&result, &expected, &what);
    }
    if way == Ways::One {
        return;
    }
    // Nobody holds the second any more when it is computed; the first is still there.
    let queue = engine.queue();
    b = (case.record)(&queue, &a, &b).unwrap();
    run(queue);
    expect(&b, &expected, &what);
    expect(&a, x, &what);
}

/// In which ways a case is run.
#[derive(Clone, Copy, PartialEq)]
enum Ways {
    All,
    One,
}

/// Up as big-endian bytes of the integers, from any address, and down again; also of what
/// is in plain form, and of a part.
fn check_bytes<F: Oracle>(engine: &VectorEngine, x: &[F::Limbs]) {
    let what = format!("bytes of {} elements of {}", x.len(), F::NAME);
    let bytes_of = |x: &F::Limbs| oracle::be_bytes(&F::ark_of(x));
    let expected: Vec<u8> = x.iter().flat_map(bytes_of).collect();
    let mut odd = vec![0];
    odd.extend(&expected);
    let vector = engine.upload_be_bytes::<F>(&odd[1..]).unwrap();
    assert_eq!(vector.form(), Form::Montgomery);
    expect(&vector, x, &what);
    assert!(vector.download_be_bytes().unwrap() == expected, "{what}");
    let queue = engine.queue();
    let plain = queue.from_montgomery(&vector).unwrap();
    // In parts, some of them empty, and used at once.
    let (first, rest) = expected.split_at(x.len() / 3 * F::BYTES);
    let (second, third) = rest.split_at(rest.len().min(F::BYTES));
    let parts = queue
        .upload_be_bytes::<F>(&[&[], first, second, &[], third])
        .unwrap();
    let neg = queue.neg(&parts).unwrap();
    let neg = queue.neg(&neg).unwrap();
    let read = [&neg, &plain].map(|it| queue.read_be_bytes(it).unwrap());
    let sum = queue.read(&queue.sum(&neg).unwrap()).unwrap();
    let done = queue.submit().unwrap().wait().unwrap();
    expect(&parts, x, &what);
    expect(&neg, x, &what);
    for read in read {
        assert!(done.be_bytes(&read).unwrap() == expected, "{what}, read");
    }
    let queue = engine.queue();
    let foreign = queue.read_be_bytes(&neg).unwrap();
    refused!(done.be_bytes(&foreign) => gpu_executor::Error::ForeignReadback);
    // What was read stays, whatever is read next.
    let again = queue.submit().unwrap().wait().unwrap();
    assert_eq!(again.be_bytes(&foreign).unwrap(), expected, "{what}, again");
    assert!(done.element(&sum).is_ok(), "{what}");
    assert!(
        plain.download_be_bytes().unwrap() == expected,
        "{what}, plain"
    );
    let part = vector.slice(x.len() / 3..).unwrap();
    let out = &mut odd[1 + x.len() / 3 * F::BYTES..];
    out.fill(0xff);
    part.download_be_bytes_into(out).unwrap();
    assert!(odd[1..] == expected, "{what}, a part");
    // The vector is as it was.
    expect(&vector, x, &what);
}

/// What extensions have beside.
fn cases_of_fp2() -> Vec<Case<Fp2>> {
    let case = |name, record, one| Case {
        name,
        record,
        expected: Expected::Each(one),
    };
    let mut cases = cases();
    cases.extend(table! { (q x y) (x y)
        case "conjugate": q.conjugate(x) => conjugate(x);
        case "the norm, in one kernel": q.mul(&q.conjugate(x)?, x) => conjugate(x) * x;
    });
    cases
}

fn conjugate(x: ark_bls12_381::Fq2) -> ark_bls12_381::Fq2 {
    ark_bls12_381::Fq2::new(x.c0, -x.c1)
}

/// All cases over all lengths, edge elements first, and over every pair of edge elements.
fn check_all(engine: &VectorEngine) {
    check_prime_fields(engine);
    check_fp2(engine);
}

fn check_prime_fields(engine: &VectorEngine) {
    check_field(engine, &cases::<Fp>(), &LENGTHS);
    check_field(engine, &cases::<Fr>(), &LENGTHS);
}

fn check_fp2(engine: &VectorEngine) {
    // Its kernels are cut into pieces as the others are.
    check_field(engine, &cases_of_fp2(), &[0, 1, 129, PIECE + 1]);
}

fn check_field<F: Oracle>(engine: &VectorEngine, cases: &[Case<F>], lengths: &[usize]) {
    let check_pair = |x: &[F::Limbs], y: &[F::Limbs], way| {
        let check = |case| check(engine, case, (x, y), way);
        cases.iter().for_each(check);
        check_bytes::<F>(engine, x);
    };
    for (seed, length) in (0..).zip(lengths) {
        let [x, y] = [seed, seed + 100].map(|seed| random::<F>(*length, seed));
        check_pair(&x, &y, Ways::All);
    }
    // Of all pairs of edges it matters what is computed: the single operations that a case
    // is without fusion are cases too, and where a result lies changes no element.
    let (x, y) = oracle::edge_pairs::<F>();
    check_pair(&x, &y, Ways::One);
}

/// Where vectors are cut into pieces.
fn builder() -> Builder<PersistentVulkanBackend> {
    PersistentVulkanBackend::builder().dispatch_elements(PIECE)
}

#[test]
fn on_the_cpu() {
    let engine = VectorEngine::cpu_with_threads(3).unwrap();
    check_all(&engine);
}

#[test]
fn on_the_device_as_it_chooses() {
    on_device(builder(), check_prime_fields);
}

/// By itself: a software driver may take a minute to compile it.
#[test]
fn fp2_on_the_device_as_it_chooses() {
    on_device(builder(), check_fp2);
}

#[test]
fn on_the_device_without_64_bit_integers() {
    let builder = builder().arithmetic(Arithmetic::U32);
    on_device(builder.memory_access(MemoryAccess::Direct), check_all);
}

#[test]
fn on_the_device_in_limbs_of_30_bits() {
    let builder = builder().arithmetic(Arithmetic::U64);
    on_device(builder.memory_access(MemoryAccess::Staged), check_all);
}

#[test]
fn on_the_device_by_its_double_units() {
    on_device_unless_by_doubles(builder().arithmetic(Arithmetic::F64), check_all);
}
