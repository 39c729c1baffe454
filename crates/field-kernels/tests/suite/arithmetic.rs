//! Arithmetic in both fields against three independent implementations: num-bigint,
//! arkworks and blst. Under Miri, which runs no C, without blst, and on fewer
//! elements.

use ark_ff::{AdditiveGroup as _, FftField as _, Field as _};
use field_kernels::{Fp, Fr, PrimeField, arithmetic, edge, params};
use num_bigint::BigUint;
use proptest::prelude::*;

use crate::oracles::Oracle;

/// Miri takes a thousand times as long: every eleventh edge element, few cases.
const STEP: usize = if cfg!(miri) { 11 } else { 1 };

pub(crate) fn config() -> ProptestConfig {
    match cfg!(miri) {
        // It keeps the file system away too.
        true => ProptestConfig {
            cases: 4,
            failure_persistence: None,
            ..ProptestConfig::default()
        },
        false => ProptestConfig::default(),
    }
}

fn to_big(limbs: impl AsRef<[u64]>) -> BigUint {
    let limbs = limbs.as_ref().iter();
    let bytes: Vec<u8> = limbs.flat_map(|limb| limb.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

fn from_big<F: PrimeField>(value: &BigUint) -> F::Limbs {
    let mut limbs = F::Limbs::default();
    for (limb, digit) in limbs.as_mut().iter_mut().zip(value.iter_u64_digits()) {
        *limb = digit;
    }
    assert_eq!(to_big(limbs), *value, "does not fit {} limbs", F::LIMBS);
    limbs
}

/// R, which Montgomery form multiplies by.
fn montgomery_radix<F: PrimeField>() -> BigUint {
    BigUint::from(1u32) << (64 * F::LIMBS)
}

/// Any value of a field's limbs, with limbs at the edges of words as often as others.
fn any_limbs<F: PrimeField>() -> impl Strategy<Value = F::Limbs> {
    let edges = vec![0, 1, 0xffff_ffff, 0x1_0000_0000, u64::MAX - 1, u64::MAX];
    let limb = prop_oneof![any::<u64>(), prop::sample::select(edges)];
    prop::collection::vec(limb, F::LIMBS).prop_map(|limbs| {
        let mut element = F::Limbs::default();
        element.as_mut().copy_from_slice(&limbs);
        element
    })
}

fn canonical<F: PrimeField>() -> impl Strategy<Value = F::Limbs> {
    any_limbs::<F>().prop_map(|limbs| from_big::<F>(&(to_big(limbs) % to_big(F::MODULUS))))
}

/// Every function of two elements.
fn check_pair<F: Oracle>(a: &F::Limbs, b: &F::Limbs) {
    let found = [
        arithmetic::add::<F>(a, b),
        arithmetic::sub::<F>(a, b),
        arithmetic::mul::<F>(a, b),
    ];
    let (big_a, big_b, p) = (to_big(a), to_big(b), to_big(F::MODULUS));
    assert_eq!(to_big(found[0]), (&big_a + &big_b) % &p, "{a:x?} + {b:x?}");
    assert_eq!(
        to_big(found[1]),
        (&big_a + &p - &big_b) % &p,
        "{a:x?} - {b:x?}"
    );
    // The product is canonical, and R times it is the product of the limbs.
    assert!(to_big(found[2]) < p, "{a:x?} * {b:x?}");
    assert_eq!(
        to_big(found[2]) * montgomery_radix::<F>() % &p,
        big_a * big_b % &p,
        "{a:x?} * {b:x?}"
    );
    let (ark_a, ark_b) = (F::ark_of(a), F::ark_of(b));
    let expected = [ark_a + ark_b, ark_a - ark_b, ark_a * ark_b].map(F::from_ark);
    assert_eq!(found, expected, "{a:x?}, {b:x?}");
    #[cfg(not(miri))]
    assert_eq!(
        found,
        F::BLST_BINARY.map(|function| function(a, b)),
        "{a:x?}, {b:x?}"
    );
}

/// Every function of one element.
fn check_single<F: Oracle>(x: &F::Limbs) {
    let ark = F::ark_of(x);
    assert_eq!(arithmetic::neg::<F>(x), F::from_ark(-ark), "-{x:x?}");
    assert_eq!(
        arithmetic::double::<F>(x),
        F::from_ark(ark.double()),
        "2 {x:x?}"
    );
    assert_eq!(
        arithmetic::square::<F>(x),
        F::from_ark(ark.square()),
        "{x:x?} squared"
    );

    let inverse = arithmetic::inverse::<F>(x);
    assert_eq!(inverse, ark.inverse().map(F::from_ark), "{x:x?} inverted");
    if let Some(inverse) = inverse {
        assert_eq!(arithmetic::mul::<F>(x, &inverse), F::ONE, "{x:x?} inverted");
    }

    let (p, radix) = (to_big(F::MODULUS), montgomery_radix::<F>());
    let in_form = arithmetic::to_montgomery::<F>(x);
    assert_eq!(
        to_big(in_form),
        to_big(x) * radix % p,
        "{x:x?} into Montgomery form"
    );
    assert_eq!(arithmetic::from_montgomery::<F>(&in_form), *x);
    #[cfg(not(miri))]
    check_single_with_blst::<F>(x);
}

#[cfg(not(miri))]
fn check_single_with_blst<F: Oracle>(x: &F::Limbs) {
    let found = [
        arithmetic::square::<F>(x),
        // blst's inverse of zero is zero.
        arithmetic::inverse::<F>(x).unwrap_or_default(),
        arithmetic::to_montgomery::<F>(x),
        arithmetic::from_montgomery::<F>(x),
    ];
    assert_eq!(found, F::BLST_UNARY.map(|function| function(x)), "{x:x?}");
}

fn check_pow<F: Oracle>(x: &F::Limbs, exponent: u64) {
    let expected = F::from_ark(F::ark_of(x).pow([exponent]));
    assert_eq!(
        arithmetic::pow::<F>(x, exponent),
        expected,
        "{x:x?} to the {exponent}"
    );
}

fn check_edges<F: Oracle>() {
    let elements = edge::edge_elements::<F>();
    for a in elements.iter().step_by(STEP) {
        check_single::<F>(a);
        for exponent in [0, 1, 2, 3, 0x8000_0000_0000_0000, u64::MAX] {
            check_pow::<F>(a, exponent);
        }
        for b in elements.iter().step_by(STEP) {
            check_pair::<F>(a, b);
        }
    }
}

fn check_constants<F: Oracle>() {
    let found = ([F::MODULUS, F::ONE, F::R2], F::INV);
    assert_eq!(found, F::ARK_CONSTANTS, "{}", F::NAME);

    assert_eq!(F::TWO_ADICITY, F::Ark::TWO_ADICITY, "{}", F::NAME);
    let generator = arithmetic::to_montgomery::<F>(&from_big::<F>(&F::GENERATOR.into()));
    assert_eq!(generator, F::from_ark(F::Ark::GENERATOR), "{}", F::NAME);

    let (p, radix) = (to_big(F::MODULUS), montgomery_radix::<F>());
    assert_eq!(to_big(F::ONE), &radix % &p, "{}", F::NAME);
    assert_eq!(to_big(F::R2), radix.pow(2) % &p, "{}", F::NAME);
    assert_eq!(to_big(F::R3), radix.pow(3) % &p, "{}", F::NAME);
    assert_eq!(u64::from(F::BITS), p.bits(), "{}", F::NAME);
    let two_64 = BigUint::from(1u32) << 64;
    assert_eq!((p * F::INV + 1u32) % two_64, BigUint::ZERO, "{}", F::NAME);
}

#[test]
fn constants_are_those_of_arkworks_and_of_num_bigint() {
    check_constants::<Fp>();
    check_constants::<Fr>();
}

#[test]
fn the_moduli_are_the_published_ones() {
    let published = b"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf\
                      6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
    let published = BigUint::parse_bytes(published, 16);
    assert_eq!(published, Some(to_big(field_kernels::MODULUS)));
    let published = b"73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    let published = BigUint::parse_bytes(published, 16);
    assert_eq!(published, Some(to_big(field_kernels::FR_MODULUS)));
}

/// As `field_kernels::params` says of its results.
#[test]
fn constants_do_at_run_time_what_they_do_at_compile_time() {
    assert_eq!(params::r3(&Fp::MODULUS), Fp::R3);
    assert_eq!(params::r3(&Fr::MODULUS), Fr::R3);
}

#[test]
fn all_pairs_of_edge_elements_of_the_base_field() {
    check_edges::<Fp>();
}

#[test]
fn all_pairs_of_edge_elements_of_the_scalar_field() {
    check_edges::<Fr>();
}

/// What the shaders do where they invert the limbs as a plain number.
#[test]
fn r_cubed_turns_a_plain_inverse_into_one_in_montgomery_form() {
    fn check<F: Oracle>() {
        for x in edge::edge_elements::<F>().iter().step_by(STEP).skip(1) {
            let p = to_big(F::MODULUS);
            let plain = to_big(x).modinv(&p).unwrap();
            let product = arithmetic::mul::<F>(&from_big::<F>(&plain), &F::R3);
            assert_eq!(Some(product), arithmetic::inverse::<F>(x), "{x:x?}");
        }
    }
    check::<Fp>();
    check::<Fr>();
}

/// Operands that need not be canonical: what is documented of sums and differences, and of
/// the others that nothing panics.
fn check_any<F: PrimeField>(a: &F::Limbs, b: &F::Limbs) {
    let (p, radix) = (to_big(F::MODULUS), montgomery_radix::<F>());
    let (big_a, big_b) = (to_big(a), to_big(b));
    let sum = (&big_a + &big_b) % &radix;
    let expected = if sum >= p { sum - &p } else { sum };
    assert_eq!(
        to_big(arithmetic::add::<F>(a, b)),
        expected,
        "{a:x?} + {b:x?}"
    );
    let expected = if big_a < big_b {
        (&big_a + &radix - &big_b + &p) % &radix
    } else {
        &big_a - &big_b
    };
    assert_eq!(
        to_big(arithmetic::sub::<F>(a, b)),
        expected,
        "{a:x?} - {b:x?}"
    );
    assert_eq!(arithmetic::is_canonical::<F>(a), big_a < p, "{a:x?}");
    let _ = arithmetic::neg::<F>(a);
    let _ = arithmetic::mul::<F>(a, b);
    let _ = arithmetic::inverse::<F>(a);
}

#[test]
fn operands_around_the_modulus_and_at_the_end_of_the_limbs() {
    fn check<F: PrimeField>() {
        let limbs = |each| {
            let mut limbs = F::Limbs::default();
            limbs.as_mut().fill(each);
            limbs
        };
        let (mut one, mut below) = (limbs(0), F::MODULUS);
        one.as_mut()[0] = 1;
        below.as_mut()[0] -= 1;
        let all = [limbs(0), one, below, F::MODULUS, limbs(u64::MAX)];
        for a in &all {
            all.iter().for_each(|b| check_any::<F>(a, b));
        }
    }
    check::<Fp>();
    check::<Fr>();
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_pairs_of_the_base_field(
        a in canonical::<Fp>(), b in canonical::<Fp>(), exponent in any::<u64>()
    ) {
        check_pair::<Fp>(&a, &b);
        check_single::<Fp>(&a);
        check_pow::<Fp>(&a, exponent);
    }

    #[test]
    fn random_pairs_of_the_scalar_field(
        a in canonical::<Fr>(), b in canonical::<Fr>(), exponent in any::<u64>()
    ) {
        check_pair::<Fr>(&a, &b);
        check_single::<Fr>(&a);
        check_pow::<Fr>(&a, exponent);
    }

    #[test]
    fn limbs_that_are_not_canonical(
        a in any_limbs::<Fp>(), b in any_limbs::<Fp>(), c in any_limbs::<Fr>(), d in any_limbs::<Fr>()
    ) {
        check_any::<Fp>(&a, &b);
        check_any::<Fr>(&c, &d);
    }
}
