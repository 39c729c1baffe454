//! Transforms of the types of arkworks and blst on the host, and behind ark-poly's trait.
#![cfg(all(feature = "arkworks", feature = "blst"))]

use std::cell::RefCell;
use std::sync::{LazyLock, Mutex};

use ark_bls12_381::{Fr as ArkFr, G1Affine, G1Projective, g1};
use ark_ff::{AdditiveGroup as _, FftField as _, Field as _};
use ark_poly::univariate::DensePolynomial;
use ark_poly::{DenseUVPolynomial as _, EvaluationDomain, Evaluations, Polynomial as _};
use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use blst::blst_fr;
use field_kernels::Fr;
use gpu_executor::vectors::{Domain, DomainEngine, Element, EngineDomain, Transform, VectorEngine};
use gpu_executor::{Error, Result};

use crate::domains::ArkDomain;
use crate::engines::{self, error, on_both_engines, refused};
use crate::msm::random_scalars;

on_both_engines! {
    [engines::settled().dispatch_elements(384)]
    slices_on_the_host
    any_code_over_a_domain
    domains_go_there_and_back_as_bytes
    what_an_engine_cannot_do_is_told_and_done
}

/// Of each type, rows too, and what is refused is as before.
fn slices_on_the_host(engine: &VectorEngine) {
    let domain = Domain::new(64).unwrap().coset_of_generator();
    let ark = ArkDomain::new_coset(64, ArkFr::GENERATOR).unwrap();
    let x = random_scalars(128, 1);
    let expected = [ark.fft(&x[..64]), ark.fft(&x[64..])].concat();
    let (there, back) = (Transform::forward(&domain), Transform::inverse(&domain));
    check_slices(engine, &there, &back, x.clone(), &expected);
    let blst = |it: &ArkFr| blst_fr::from_limbs(it.0.0);
    let [x, expected] = [&x, &expected].map(|all| all.iter().map(blst).collect::<Vec<_>>());
    check_slices(engine, &there, &back, x.clone(), &expected);
    let limbs = |it: &blst_fr| it.to_limbs();
    let [x, expected] = [&x, &expected].map(|all| all.iter().map(limbs).collect::<Vec<_>>());
    check_slices(engine, &there, &back, x, &expected);
}

fn check_slices<T: Element<Type = Fr> + PartialEq>(
    engine: &VectorEngine,
    there: &Transform,
    back: &Transform,
    x: Vec<T>,
    expected: &[T],
) {
    let mut values = x.clone();
    engine.transform(&mut values, there).unwrap();
    assert_eq!(values, expected);
    engine.transform(values.as_mut_slice(), back).unwrap();
    assert_eq!(values, x);
    refused!(engine.transform(&mut values[..65], there)
        => Error::WrongRows { row: 64, found: 65, .. });
    assert_eq!(values, x);
}

thread_local! {
    /// The engine of the test that runs on this thread, and what it was told.
    static TESTED: RefCell<Option<VectorEngine>> = const { RefCell::new(None) };
    static TOLD: RefCell<Vec<Error>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Tested;

impl DomainEngine for Tested {
    fn engine() -> Result<VectorEngine> {
        Ok(TESTED.with_borrow(|engine| engine.clone().unwrap()))
    }

    fn failed(error: Error) {
        TOLD.with_borrow_mut(|told| told.push(error));
    }
}

fn on(engine: &VectorEngine) {
    TESTED.set(Some(engine.clone()));
}

/// What generic code does with a domain; all of it is compared.
fn used<D: EvaluationDomain<ArkFr>>(size: usize, offset: ArkFr) -> Vec<Vec<ArkFr>> {
    let domain = D::new_coset(size, offset).unwrap();
    assert_eq!(D::compute_size_of_domain(size), Some(domain.size()));
    let mut all = vec![vec![
        ArkFr::from(domain.size() as u64),
        ArkFr::from(domain.log_size_of_group()),
        domain.size_inv(),
        domain.group_gen(),
        domain.group_gen_inv(),
        domain.coset_offset(),
        domain.coset_offset_inv(),
        domain.coset_offset_pow_size(),
        domain.element(3),
        domain.evaluate_vanishing_polynomial(offset.double()),
    ]];
    all.push(domain.elements().collect());
    all.push(domain.evaluate_all_lagrange_coefficients(offset.double()));
    // Vectors that are shorter, as long and longer than the domain.
    for len in [0, 1, size / 4, size / 2 + 1, size, domain.size() + 3] {
        let x = random_scalars(len, len as u64);
        all.push(domain.fft(&x));
        all.push(domain.ifft(&x));
        let (mut there, mut back) = (x.clone(), x);
        domain.fft_in_place(&mut there);
        domain.ifft_in_place(&mut back);
        all.extend([there, back]);
    }
    let [x, y] =
        [1, 2].map(|seed| DensePolynomial::from_coefficients_vec(random_scalars(size / 2, seed)));
    let [a, b] = [&x, &y].map(|it| it.evaluate_over_domain_by_ref(domain));
    let product: Evaluations<ArkFr, D> = &a * &b;
    all.push(product.interpolate().coeffs);
    let place = ArkFr::from(77_u64);
    all.push(vec![(&x * &y).evaluate(&place)]);
    all
}

fn any_code_over_a_domain(engine: &VectorEngine) {
    on(engine);
    // The last one in parts, where it is on a device.
    for size in [1, 2, 7, 64, 100, 512, 600] {
        for offset in [ArkFr::ONE, ArkFr::GENERATOR, ArkFr::from(1234_u64)] {
            let (found, expected) = (
                used::<EngineDomain<Tested>>(size, offset),
                used::<ArkDomain>(size, offset),
            );
            assert_eq!(found, expected, "{size}, {offset}");
        }
    }
    // Of another type, by ark-poly.
    let generator = G1Affine::new(g1::G1_GENERATOR_X, g1::G1_GENERATOR_Y);
    let generator = G1Projective::from(generator);
    let points: Vec<_> = random_scalars(8, 4)
        .iter()
        .map(|it| generator * it)
        .collect();
    let domain = EngineDomain::<Tested>::new(8).unwrap();
    assert_eq!(domain.fft(&points), domain.to_ark().fft(&points));
    assert_eq!(domain.ifft(&domain.fft(&points)), points);
    assert!(EngineDomain::<Tested>::new((1 << 32) + 1).is_none());
    assert!(domain.get_coset(ArkFr::ZERO).is_none());
    assert_eq!(TOLD.take(), []);
}

fn domains_go_there_and_back_as_bytes(engine: &VectorEngine) {
    on(engine);
    let domain = EngineDomain::<Tested>::new_coset(32, ArkFr::GENERATOR).unwrap();
    let (mut bytes, mut arks) = (Vec::new(), Vec::new());
    domain.serialize_compressed(&mut bytes).unwrap();
    domain.to_ark().serialize_compressed(&mut arks).unwrap();
    assert_eq!(bytes, arks);
    assert_eq!(bytes.len(), domain.compressed_size());
    let read = EngineDomain::<Tested>::deserialize_compressed_unchecked(&*bytes);
    assert_eq!(read.unwrap(), domain);
    // One whose root of unity is another than its size's.
    let mut odd = domain.to_ark();
    odd.group_gen = odd.group_gen.square();
    bytes.clear();
    odd.serialize_compressed(&mut bytes).unwrap();
    assert!(EngineDomain::<Tested>::deserialize_compressed_unchecked(&*bytes).is_err());
    assert!(EngineDomain::<Tested>::deserialize_compressed(&*bytes).is_err());
}

/// Where there is no engine: the reason is told, and the result is right.
fn what_an_engine_cannot_do_is_told_and_done(engine: &VectorEngine) {
    static REASON: LazyLock<Error> = LazyLock::new(|| error(Domain::new(3)));
    static TOLD: Mutex<Vec<Error>> = Mutex::new(Vec::new());

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    struct None;

    impl DomainEngine for None {
        fn engine() -> Result<VectorEngine> {
            Err(REASON.clone())
        }

        fn failed(error: Error) {
            TOLD.lock().unwrap().push(error);
        }
    }

    on(engine);
    let x = random_scalars(50, 1);
    let domain = EngineDomain::<None>::new(64).unwrap();
    let values = domain.fft(&x);
    assert_eq!(values, EngineDomain::<Tested>::new(64).unwrap().fft(&x));
    let told = TOLD.lock().unwrap();
    assert!(!told.is_empty() && told.iter().all(|error| *error == *REASON));
}
