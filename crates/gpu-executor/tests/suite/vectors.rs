//! Every operation over vectors, on the CPU and on the device, from one list, against
//! arkworks and blst.

use field_kernels::{Field, Fp, Fp2, Fr};
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Arithmetic, FieldVec, Form, MemoryAccess, Queue, Scalar, VectorEngine,
};

use crate::engines::elements;
use crate::oracle::{self, Oracle, random};
use crate::support::built;

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

type Record<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> gpu_executor::Result<FieldVec<F>>;
type Expected<Ark> = fn(&[Ark], &[Ark]) -> Vec<Ark>;

/// The list: each operation, how it is recorded, and what it means.
macro_rules! cases {
    ($field:ident) => {{
        type F = $field;
        type Ark = <$field as Oracle>::Ark;
        vec![
            Case::<F> {
                name: "add",
                record: |q, x, y| q.add(x, y),
                expected: |x, y| zip(x, y, |x, y| x + y),
            },
            Case::<F> {
                name: "sub",
                record: |q, x, y| q.sub(x, y),
                expected: |x, y| zip(x, y, |x, y| x - y),
            },
            Case::<F> {
                name: "neg",
                record: |q, x, _| q.neg(x),
                expected: |x, y| zip(x, y, |x, _| -x),
            },
            Case::<F> {
                name: "double",
                record: |q, x, _| q.double(x),
                expected: |x, y| zip(x, y, |x, _| x + x),
            },
            Case::<F> {
                name: "mul",
                record: |q, x, y| q.mul(x, y),
                expected: |x, y| zip(x, y, |x, y| x * y),
            },
            Case::<F> {
                name: "square",
                record: |q, x, _| q.square(x),
                expected: |x, y| zip(x, y, |x, _| x * x),
            },
            Case::<F> {
                name: "add a scalar",
                record: |q, x, _| q.add(x, Scalar::new(F::limbs_of(&Ark::from(77_u64)))),
                expected: |x, y| zip(x, y, |x, _| x + Ark::from(77_u64)),
            },
            Case::<F> {
                name: "subtract a scalar",
                record: |q, x, _| q.sub(x, Scalar::new(F::limbs_of(&Ark::from(77_u64)))),
                expected: |x, y| zip(x, y, |x, _| x - Ark::from(77_u64)),
            },
            Case::<F> {
                name: "multiply by a scalar",
                record: |q, x, _| q.mul(x, Scalar::new(F::limbs_of(&Ark::from(77_u64)))),
                expected: |x, y| zip(x, y, |x, _| x * Ark::from(77_u64)),
            },
            Case::<F> {
                name: "subtract from a scalar",
                record: |q, x, _| q.sub(Scalar::new(F::limbs_of(&Ark::from(77_u64))), x),
                expected: |x, y| zip(x, y, |x, _| Ark::from(77_u64) - x),
            },
            Case::<F> {
                name: "subtract from an integer and add one",
                record: |q, x, _| q.add(q.sub(1, x)?, u64::MAX),
                expected: |x, y| zip(x, y, |x, _| Ark::from(1_u64) - x + Ark::from(u64::MAX)),
            },
            Case::<F> {
                name: "is_zero",
                record: |q, x, _| q.is_zero(x),
                expected: |x, y| zip(x, y, |x, _| Ark::from(x == Ark::from(0_u64))),
            },
            Case::<F> {
                name: "select",
                record: |q, x, y| q.select(x, y, x),
                expected: |x, y| zip(x, y, |x, y| if x == Ark::from(0_u64) { x } else { y }),
            },
            Case::<F> {
                name: "select where two are equal, in one kernel",
                record: |q, x, y| q.select(q.is_zero(&q.sub(x, y)?)?, 7, &q.double(y)?),
                expected: |x, y| zip(x, y, |x, y| if x == y { Ark::from(7_u64) } else { y + y }),
            },
            Case::<F> {
                name: "select by one element for all",
                record: |q, x, y| q.add(q.select(0, 3, x)?, q.select(1, y, x)?),
                expected: |x, y| zip(x, y, |x, y| x + y),
            },
            Case::<F> {
                name: "axpy",
                record: |q, x, y| q.axpy(Scalar::new(F::limbs_of(&Ark::from(77_u64))), x, y),
                expected: |x, y| zip(x, y, |x, y| Ark::from(77_u64) * x + y),
            },
            Case::<F> {
                name: "axpy with a vector",
                record: |q, x, y| q.axpy(y, x, y),
                expected: |x, y| zip(x, y, |x, y| y * x + y),
            },
            Case::<F> {
                name: "pow",
                record: |q, x, _| q.pow(x, 1_000_003),
                expected: |x, y| zip(x, y, |x, _| ark_ff::Field::pow(&x, [1_000_003_u64])),
            },
            Case::<F> {
                name: "pow by limbs",
                record: |q, x, _| q.pow(x, [0x8001, 5, 0]),
                expected: |x, y| zip(x, y, |x, _| ark_ff::Field::pow(&x, [0x8001_u64, 5])),
            },
            Case::<F> {
                name: "pow 0",
                record: |q, x, _| q.pow(x, 0),
                expected: |x, y| zip(x, y, |_, _| Ark::from(1_u64)),
            },
            Case::<F> {
                name: "pow 1",
                record: |q, x, _| q.pow(x, 1),
                expected: |x, y| zip(x, y, |x, _| x),
            },
            Case::<F> {
                name: "inverse",
                record: |q, x, _| q.inverse(x),
                expected: |x, y| zip(x, y, |x, _| ark_ff::Field::inverse(&x).unwrap_or_default()),
            },
            Case::<F> {
                name: "from and to Montgomery",
                record: |q, x, _| q.to_montgomery(&q.from_montgomery(x)?),
                expected: |x, y| zip(x, y, |x, _| x),
            },
            Case::<F> {
                name: "sum",
                record: |q, x, _| q.sum(x),
                expected: |x, _| vec![x.iter().sum()],
            },
            Case::<F> {
                name: "product",
                record: |q, x, _| q.product(x),
                expected: |x, _| vec![x.iter().product()],
            },
            Case::<F> {
                name: "inner product",
                record: |q, x, y| q.inner_product(x, y),
                expected: |x, y| vec![x.iter().zip(y).map(|(x, y)| *x * y).sum()],
            },
            Case::<F> {
                name: "a chain with a shared value",
                record: |q, x, y| {
                    let z = q.mul(x, y)?;
                    q.sub(&q.square(&q.add(&z, x)?)?, &q.double(&z)?)
                },
                expected: |x, y| zip(x, y, |x, y| (x * y + x) * (x * y + x) - x * y - x * y),
            },
            Case::<F> {
                name: "a sum as a scalar",
                record: |q, x, y| q.mul(y, q.sum(x)?.as_scalar()?),
                expected: |x, y| y.iter().map(|y| *y * x.iter().sum::<Ark>()).collect(),
            },
        ]
    }};
}

fn zip<T: Copy>(x: &[T], y: &[T], one: fn(T, T) -> T) -> Vec<T> {
    x.iter().zip(y).map(|(x, y)| one(*x, *y)).collect()
}

/// Runs one case over one pair of vectors, in a new vector and in place.
fn check<F: Oracle>(engine: &VectorEngine, case: &Case<F>, x: &[F::Limbs], y: &[F::Limbs]) {
    let what = format!("{} of {} over {} elements", case.name, F::NAME, x.len());
    let ark = |limbs: &[F::Limbs]| -> Vec<F::Ark> { limbs.iter().map(F::ark_of).collect() };
    let expected = (case.expected)(&ark(x), &ark(y));
    let expected: Vec<F::Limbs> = expected.iter().map(F::limbs_of).collect();
    let (a, mut b) = (upload(engine, x), upload(engine, y));
    for fused in [true, false] {
        let queue = engine.queue();
        queue.set_fusion(fused);
        let result = (case.record)(&queue, &a, &b).unwrap();
        queue.submit().unwrap().wait().unwrap();
        assert_elements::<F>(&elements(&result).unwrap(), &expected, &what);
    }
    // In the place of an argument: the other is still there.
    let queue = engine.queue();
    b = (case.record)(&queue, &a, &b).unwrap();
    queue.submit().unwrap().wait().unwrap();
    assert_elements::<F>(&elements(&b).unwrap(), &expected, &what);
    assert_elements::<F>(&elements(&a).unwrap(), x, &what);
}

fn upload<F: Field>(engine: &VectorEngine, elements: &[F::Limbs]) -> FieldVec<F> {
    engine.upload::<F>(F::words(elements)).unwrap()
}

fn assert_elements<F: Field>(found: &[F::Limbs], expected: &[F::Limbs], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let mut pairs = found.iter().zip(expected).enumerate();
    let wrong = pairs.find(|(_, (found, expected))| found != expected);
    assert!(
        wrong.is_none(),
        "{what}: element, (found, expected): {wrong:x?}"
    );
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
    assert_elements::<F>(&elements(&vector).unwrap(), x, &what);
    assert!(vector.download_be_bytes().unwrap() == expected, "{what}");
    let queue = engine.queue();
    let plain = queue.from_montgomery(&vector).unwrap();
    queue.submit().unwrap().wait().unwrap();
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
    assert_elements::<F>(&elements(&vector).unwrap(), x, &what);
}

/// What extensions have beside.
fn cases_of_fp2() -> Vec<Case<Fp2>> {
    let mut cases = cases!(Fp2);
    cases.extend([
        Case {
            name: "conjugate",
            record: |q, x, _| q.conjugate(x),
            expected: |x, y| zip(x, y, conjugate),
        },
        Case {
            name: "the norm, in one kernel",
            record: |q, x, _| q.mul(&q.conjugate(x)?, x),
            expected: |x, y| zip(x, y, |x, y| conjugate(x, y) * x),
        },
    ]);
    cases
}

fn conjugate(x: ark_bls12_381::Fq2, _: ark_bls12_381::Fq2) -> ark_bls12_381::Fq2 {
    ark_bls12_381::Fq2::new(x.c0, -x.c1)
}

/// All cases over all lengths, edge elements first, and over every pair of edge elements.
fn check_all(engine: &VectorEngine) {
    check_field(engine, &cases!(Fp), &LENGTHS);
    check_field(engine, &cases!(Fr), &LENGTHS);
    // Its kernels are cut into pieces as the others are.
    check_field(engine, &cases_of_fp2(), &[0, 1, 129, PIECE + 1]);
}

fn check_field<F: Oracle>(engine: &VectorEngine, cases: &[Case<F>], lengths: &[usize]) {
    let check_pair = |x: &[F::Limbs], y: &[F::Limbs]| {
        cases.iter().for_each(|case| check(engine, case, x, y));
        check_bytes::<F>(engine, x);
    };
    for (seed, length) in (0..).zip(lengths) {
        check_pair(
            &random::<F>(*length, seed),
            &random::<F>(*length, seed + 100),
        );
    }
    let (x, y) = oracle::edge_pairs::<F>();
    check_pair(&x, &y);
}

fn on_device(builder: Builder<PersistentVulkanBackend>) {
    let (_guard, mut backend) = built(builder.dispatch_elements(PIECE));
    check_all(&backend.vectors().unwrap());
}

#[test]
fn on_the_cpu() {
    let engine = VectorEngine::cpu_with_threads(3).unwrap();
    check_all(&engine);
}

#[test]
fn on_the_device_as_it_chooses() {
    on_device(PersistentVulkanBackend::builder());
}

#[test]
fn on_the_device_without_64_bit_integers() {
    let builder = PersistentVulkanBackend::builder();
    on_device(
        builder
            .arithmetic(Arithmetic::U32)
            .memory_access(MemoryAccess::Direct),
    );
}

#[test]
fn on_the_device_in_limbs_of_30_bits() {
    let builder = PersistentVulkanBackend::builder();
    on_device(
        builder
            .arithmetic(Arithmetic::U64)
            .memory_access(MemoryAccess::Staged),
    );
}

/// A device whose `fma` rounds twice, such as the software one, is told from the others
/// by its products.
#[test]
fn on_the_device_by_its_double_units() {
    let builder = PersistentVulkanBackend::builder().dispatch_elements(PIECE);
    let (_guard, mut backend) = built(builder.arithmetic(Arithmetic::F64));
    match backend.vectors() {
        Ok(engine) => {
            check_all(&engine);
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("arithmetic f64"), "{text}");
        }
    }
}
