//! Every operation over vectors, on the CPU and on the device, from one list, against
//! arkworks and blst.

use field_kernels::{Fp, Fp2, Fr};
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Arithmetic, FieldVec, Form, MemoryAccess, Queue, Scalar, Scan, VectorEngine,
};

use crate::engines::{expect, on_device, on_device_unless_by_doubles, run, upload};
use crate::oracle::{self, Oracle, random};

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

fn each<F: Oracle>(
    name: &'static str,
    record: Record<F>,
    one: fn(F::Ark, F::Ark) -> F::Ark,
) -> Case<F> {
    let expected = Expected::Each(one);
    Case {
        name,
        record,
        expected,
    }
}

fn whole<F: Oracle>(name: &'static str, record: Record<F>, all: All<F::Ark>) -> Case<F> {
    let expected = Expected::Whole(all);
    Case {
        name,
        record,
        expected,
    }
}

/// The element 77, for all.
fn scalar<F: Oracle>() -> Scalar<F> {
    Scalar::new(F::limbs_of(&F::Ark::from(77_u64)))
}

/// Indices of a vector of so many elements: some of them twice.
fn gathered(elements: usize) -> impl Iterator<Item = usize> {
    (0..elements + elements / 2).map(move |place| 7 * place % elements)
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

/// The list: each operation, how it is recorded, and what it means.
macro_rules! cases {
    ($field:ident) => {{
        type F = $field;
        type Ark = <$field as Oracle>::Ark;
        vec![
            each::<F>("add", |q, x, y| q.add(x, y), |x, y| x + y),
            each("sub", |q, x, y| q.sub(x, y), |x, y| x - y),
            each("neg", |q, x, _| q.neg(x), |x, _| -x),
            each("double", |q, x, _| q.double(x), |x, _| x + x),
            each("mul", |q, x, y| q.mul(x, y), |x, y| x * y),
            each("square", |q, x, _| q.square(x), |x, _| x * x),
            each(
                "add a scalar",
                |q, x, _| q.add(x, scalar()),
                |x, _| x + Ark::from(77_u64),
            ),
            each(
                "subtract a scalar",
                |q, x, _| q.sub(x, scalar()),
                |x, _| x - Ark::from(77_u64),
            ),
            each(
                "multiply by a scalar",
                |q, x, _| q.mul(x, scalar()),
                |x, _| x * Ark::from(77_u64),
            ),
            each(
                "subtract from a scalar",
                |q, x, _| q.sub(scalar(), x),
                |x, _| Ark::from(77_u64) - x,
            ),
            each(
                "subtract from an integer and add one",
                |q, x, _| q.add(q.sub(1, x)?, u64::MAX),
                |x, _| Ark::from(1_u64) - x + Ark::from(u64::MAX),
            ),
            each(
                "is_zero",
                |q, x, _| q.is_zero(x),
                |x, _| Ark::from(x == Ark::from(0_u64)),
            ),
            each(
                "select",
                |q, x, y| q.select(x, y, x),
                |x, y| if x == Ark::from(0_u64) { x } else { y },
            ),
            each(
                "select where two are equal, in one kernel",
                |q, x, y| q.select(q.is_zero(&q.sub(x, y)?)?, 7, &q.double(y)?),
                |x, y| if x == y { Ark::from(7_u64) } else { y + y },
            ),
            each(
                "select by one element for all",
                |q, x, y| q.add(q.select(0, 3, x)?, q.select(1, y, x)?),
                |x, y| x + y,
            ),
            each(
                "axpy",
                |q, x, y| q.axpy(scalar(), x, y),
                |x, y| Ark::from(77_u64) * x + y,
            ),
            each(
                "axpy with a vector",
                |q, x, y| q.axpy(y, x, y),
                |x, y| y * x + y,
            ),
            each(
                "pow",
                |q, x, _| q.pow(x, 1_000_003),
                |x, _| ark_ff::Field::pow(&x, [1_000_003_u64]),
            ),
            each(
                "pow by limbs",
                |q, x, _| q.pow(x, [0x8001, 5, 0]),
                |x, _| ark_ff::Field::pow(&x, [0x8001_u64, 5]),
            ),
            each("pow 0", |q, x, _| q.pow(x, 0), |_, _| Ark::from(1_u64)),
            each("pow 1", |q, x, _| q.pow(x, 1), |x, _| x),
            each(
                "inverse",
                |q, x, _| q.inverse(x),
                |x, _| ark_ff::Field::inverse(&x).unwrap_or_default(),
            ),
            each(
                "from_montgomery and to_montgomery",
                |q, x, _| q.to_montgomery(&q.from_montgomery(x)?),
                |x, _| x,
            ),
            whole("sum", |q, x, _| q.sum(x), |x, _| vec![x.iter().sum()]),
            whole(
                "product",
                |q, x, _| q.product(x),
                |x, _| vec![x.iter().product()],
            ),
            whole(
                "inner product",
                |q, x, y| q.inner_product(x, y),
                |x, y| vec![x.iter().zip(y).map(|(x, y)| *x * y).sum()],
            ),
            whole(
                "concat",
                |q, x, y| q.concat(&[x, y, &x.slice(..x.len() / 3)?]),
                |x, y| [x, y, &x[..x.len() / 3]].concat(),
            ),
            whole(
                "rotate",
                |q, x, _| q.rotate(x, 131),
                |x, _| {
                    let by = 131 % x.len().max(1);
                    [&x[by..], &x[..by]].concat()
                },
            ),
            whole(
                "interleave",
                |q, x, y| q.interleave(&[x, y, x]),
                |x, y| x.iter().zip(y).flat_map(|(x, y)| [*x, *y, *x]).collect(),
            ),
            whole(
                "strided",
                |q, x, _| q.strided(x, x.len().min(2), 5),
                |x, _| x.iter().skip(2).step_by(5).copied().collect(),
            ),
            whole(
                "gather",
                |q, x, _| {
                    let indices = gathered(x.len()).map(|it| u32::try_from(it).unwrap());
                    let indices: Vec<u32> = indices.collect();
                    q.gather(x, &x.engine().upload_indices(&indices)?)
                },
                |x, _| gathered(x.len()).map(|it| x[it]).collect(),
            ),
            each(
                "linear_combination of three",
                |q, x, y| {
                    let scalars = [scalar(), Scalar::from(0), Scalar::from(u64::MAX)];
                    q.linear_combination(&[x, y, y], &scalars)
                },
                |x, y| Ark::from(77_u64) * x + Ark::from(u64::MAX) * y,
            ),
            each(
                "linear_combination of seventeen, in three passes",
                |q, x, y| {
                    let vectors: Vec<_> = (0..17).map(|at| [x, y][at % 2]).collect();
                    let scalars: Vec<_> = (1..=17).map(Scalar::from).collect();
                    q.linear_combination(&vectors, &scalars)
                },
                |x, y| Ark::from(81_u64) * x + Ark::from(72_u64) * y,
            ),
            whole(
                "powers",
                |q, x, _| q.powers(scalar(), x.len()),
                |x, _| powers(Ark::from(77_u64)).take(x.len()).collect(),
            ),
            whole(
                "evaluate at a scalar",
                |q, x, _| q.evaluate(x, scalar()),
                |x, _| vec![value(x, Ark::from(77_u64))],
            ),
            whole(
                "evaluate at a few points",
                |q, x, y| q.evaluate(x, y.slice(y.len() - y.len().min(3)..)?),
                |x, y| {
                    let points = &y[y.len() - y.len().min(3)..];
                    points.iter().map(|y| value(x, *y)).collect()
                },
            ),
            whole(
                "running_sum",
                |q, x, _| q.running_sum(x, Scan::Inclusive),
                |x, _| running(x, Ark::from(0_u64), |sum, x| sum + x)[1..].to_vec(),
            ),
            whole(
                "running_sum before each",
                |q, x, _| q.running_sum(x, Scan::Exclusive),
                |x, _| running(x, Ark::from(0_u64), |sum, x| sum + x)[..x.len()].to_vec(),
            ),
            whole(
                "running_product",
                |q, x, _| q.running_product(x, Scan::Inclusive),
                |x, _| running(x, Ark::from(1_u64), |product, x| product * x)[1..].to_vec(),
            ),
            whole(
                "running_product before each, of few zeros",
                |q, x, _| q.running_product(&q.select(x, x, 5)?, Scan::Exclusive),
                |x, _| {
                    let zero = Ark::from(0_u64);
                    let x: Vec<_> = x
                        .iter()
                        .map(|x| if *x == zero { Ark::from(5_u64) } else { *x })
                        .collect();
                    running(&x, Ark::from(1_u64), |product, x| product * x)[..x.len()].to_vec()
                },
            ),
            whole(
                "divide_by_linear",
                |q, x, _| {
                    let (quotient, remainder) = q.divide_by_linear(x, scalar())?;
                    q.concat(&[remainder, quotient])
                },
                |x, _| {
                    let x: Vec<_> = x.iter().rev().copied().collect();
                    let z = Ark::from(77_u64);
                    let values = running(&x, Ark::from(0_u64), |value, x| value * z + x);
                    match x.is_empty() {
                        true => values,
                        false => values[1..].iter().rev().copied().collect(),
                    }
                },
            ),
            whole(
                "divide_by_vanishing",
                |q, x, _| {
                    let (quotient, remainder) = q.divide_by_vanishing(x, 100)?;
                    q.concat(&[remainder, quotient])
                },
                |x, _| {
                    let sum = |at: usize| x[at..].iter().step_by(100).sum();
                    (0..x.len()).map(sum).collect()
                },
            ),
            each(
                "a chain with a shared value",
                |q, x, y| {
                    let z = q.mul(x, y)?;
                    q.sub(&q.square(&q.add(&z, x)?)?, &q.double(&z)?)
                },
                |x, y| (x * y + x) * (x * y + x) - x * y - x * y,
            ),
            whole(
                "a sum as a scalar",
                |q, x, y| q.mul(y, q.sum(x)?.as_scalar()?),
                |x, y| y.iter().map(|y| *y * x.iter().sum::<Ark>()).collect(),
            ),
        ]
    }};
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
    let bytes = done.be_bytes(&foreign);
    assert!(
        matches!(bytes, Err(gpu_executor::Error::ForeignReadback)),
        "{what}"
    );
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
    let mut cases = cases!(Fp2);
    cases.extend([
        each("conjugate", |q, x, _| q.conjugate(x), conjugate),
        each(
            "the norm, in one kernel",
            |q, x, _| q.mul(&q.conjugate(x)?, x),
            |x, y| conjugate(x, y) * x,
        ),
    ]);
    cases
}

fn conjugate(x: ark_bls12_381::Fq2, _: ark_bls12_381::Fq2) -> ark_bls12_381::Fq2 {
    ark_bls12_381::Fq2::new(x.c0, -x.c1)
}

/// All cases over all lengths, edge elements first, and over every pair of edge elements.
fn check_all(engine: &VectorEngine) {
    check_prime_fields(engine);
    check_fp2(engine);
}

fn check_prime_fields(engine: &VectorEngine) {
    check_field(engine, &cases!(Fp), &LENGTHS);
    check_field(engine, &cases!(Fr), &LENGTHS);
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
